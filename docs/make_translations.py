"""Update the French texts of the pages and of the help from the source, and compile them for gettext.

`./run.sh translate` extracts the English texts of `crawler/room/` and of the help of the commands into `room.po` and
`vna.po`, keeps the French ones, and writes the `.mo` files. With `--check` it writes nothing, and fails if the files are
out of date or a text has no translation.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import typer
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from crawler.cli import language
from crawler.cli.main import app

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "crawler" / "room"
PAGES = PACKAGE / "locale" / "fr" / "LC_MESSAGES" / "room.po"
COMMANDS = language.LOCALE / "fr" / "LC_MESSAGES" / f"{language.DOMAIN}.po"
_METHODS = [("**.py", "python"), ("templates/**.html", "jinja2")]
_OPTIONS = {"templates/**.html": {"trim_blocks": "true", "lstrip_blocks": "true"}}
_DATE = datetime(2026, 1, 1, tzinfo=UTC)  # so that the compiled file depends only on the texts
_PLURALS = "nplurals=2; plural=(n > 1);"  # Babel would add a form for millions, which takes `de`
_KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2)}


def catalog(file: Path) -> Catalog:
    """Return the catalog of the texts in the source, with the translations of the present file."""
    with file.open("rb") if file.exists() else io.BytesIO() as content:
        old = read_po(content, locale="fr")
    new = Catalog(locale="fr", domain=file.stem, project="vna-archive", charset="utf-8", fuzzy=False)
    new.mime_headers = [("Plural-Forms", _PLURALS)]
    for message, place in _of_pages() if file == PAGES else _of_commands():
        new.add(message, locations=[(place, 0)])
    for message in new:
        kept = old.get(message.id)
        if message.id and kept is not None:
            message.string = kept.string
    return new


def _of_pages() -> Iterator[tuple[Any, str]]:
    found = extract_from_dir(str(PACKAGE), _METHODS, _OPTIONS, _KEYWORDS)
    for name, _line, message, _comments, _context in sorted(found, key=lambda item: (item[0], item[1])):
        if message:
            yield message, name


def _of_commands() -> Iterator[tuple[Any, str]]:
    for message in language.texts(typer.main.get_command(app)):
        yield message, "help"


def files(texts: Catalog) -> tuple[bytes, bytes]:
    """Return the content of the two files of a catalog."""
    po, mo = io.BytesIO(), io.BytesIO()
    write_po(po, texts, width=110, omit_header=True, include_lineno=False)
    header = f'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n"Plural-Forms: {_PLURALS}\\n"\n\n'
    content = header.encode() + po.getvalue()
    compiled = read_po(io.BytesIO(content), locale="fr")
    compiled.creation_date = compiled.revision_date = _DATE
    write_mo(mo, compiled)
    return content, mo.getvalue()


def untranslated(texts: Catalog) -> list[str]:
    """Return the texts without a translation."""
    return [
        str(m.id) for m in texts if m.id and not all(m.string if isinstance(m.string, tuple | list) else [m.string])
    ]


def main() -> int:
    """Write or check the files; return 1 if something is missing."""
    wrong = 0
    for file in (PAGES, COMMANDS):
        texts = catalog(file)
        po, mo = files(texts)
        compiled, missing = file.with_suffix(".mo"), untranslated(texts)
        if "--check" in sys.argv:
            if missing or file.read_bytes() != po or compiled.read_bytes() != mo:
                print(f"{file.name} is out of date: run ./run.sh translate; without a translation: {missing}")
                wrong = 1
            continue
        file.write_bytes(po)
        compiled.write_bytes(mo)
        print(f"{file.name}: {len(texts)} texts, {len(missing)} without a translation")
        for message in missing:
            print(f"  {message}")
    return wrong


if __name__ == "__main__":
    raise SystemExit(main())
