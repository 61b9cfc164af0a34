"""Update the French texts of the pages from the source, and compile them for gettext.

`./run.sh translate` extracts the English texts of `crawler/room/` into `room.po`, keeps the French ones, and writes
`room.mo`. With `--check` it writes nothing, and fails if the files are out of date or a text has no translation.
"""

from __future__ import annotations

import io
import sys
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "crawler" / "room"
FILE = PACKAGE / "locale" / "fr" / "LC_MESSAGES" / "room.po"
_METHODS = [("**.py", "python"), ("templates/**.html", "jinja2")]
_OPTIONS = {"templates/**.html": {"trim_blocks": "true", "lstrip_blocks": "true"}}
_DATE = datetime(2026, 1, 1, tzinfo=UTC)  # so that the compiled file depends only on the texts
_PLURALS = "nplurals=2; plural=(n > 1);"  # Babel would add a form for millions, which takes `de`
_KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2)}


def catalog() -> Catalog:
    """Return the catalog of the texts in the source, with the translations of the present file."""
    with FILE.open("rb") if FILE.exists() else io.BytesIO() as file:
        old = read_po(file, locale="fr")
    new = Catalog(locale="fr", domain="room", project="vna-archive", charset="utf-8", fuzzy=False)
    new.mime_headers = [("Plural-Forms", _PLURALS)]
    found = extract_from_dir(str(PACKAGE), _METHODS, _OPTIONS, _KEYWORDS)
    for name, _line, message, _comments, _context in sorted(found, key=lambda item: (item[0], item[1])):
        if message:
            new.add(message, locations=[(name, 0)])
    for message in new:
        kept = old.get(message.id)
        if message.id and kept is not None:
            message.string = kept.string
    return new


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
    texts = catalog()
    po, mo = files(texts)
    compiled = FILE.with_suffix(".mo")
    missing = untranslated(texts)
    if "--check" in sys.argv:
        stale = FILE.read_bytes() != po or compiled.read_bytes() != mo
        if stale or missing:
            print(f"translations are out of date: run ./run.sh translate; without a translation: {missing}")
        return int(stale or bool(missing))
    FILE.write_bytes(po)
    compiled.write_bytes(mo)
    print(f"{len(texts)} texts, {len(missing)} without a translation")
    for message in missing:
        print(f"  {message}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
