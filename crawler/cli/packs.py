"""`vna evidence` and `vna cite`: prove and cite what the archive holds.

Boundary: handles only arguments, output and the exit code.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import crawler
from crawler.cli import destination, output, state, values
from crawler.errors import ArticleNotFound, BadInput

if TYPE_CHECKING:
    from crawler.storage import Archive


class CitationFormat(StrEnum):
    """Output format of `vna cite`."""

    text = "text"
    bibtex = "bibtex"
    ris = "ris"
    csl_json = "csl-json"


def register(app: typer.Typer) -> None:
    """Add the commands of this module to `app`."""
    app.command(context_settings=values.NEGATIVE_IDS)(evidence)
    app.command(context_settings=values.NEGATIVE_IDS)(cite)
    app.command()(warc)


def evidence(
    context: typer.Context,
    articles: Annotated[
        list[str], typer.Argument(metavar="ID|QUERY...", help="Ids or addresses of articles, or words to search for.")
    ],
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            metavar="FILE",
            parser=destination.parsed,
            help="The ZIP file to write; - means standard output, if it is not a terminal.",
        ),
    ],
    limit: Annotated[
        int, typer.Option("--limit", min=1, max=10_000, help="Maximum number of articles of a query.")
    ] = 100,
) -> None:
    """Write an evidence pack of articles.

    It has all captures and revisions, and a script that checks it offline.

    Example: vna evidence 245060 --out pack.zip
    """
    from crawler import lexicon, opening
    from crawler.evidence import collected, packed, save_pack

    destination.check_binary(context, out)
    config = state.of(context).load()
    with opening.auditing(config) as (archive, warc), archive.snapshot():
        ids = _ids(context, archive, articles, limit)
        program = f"vna-archive {crawler.__version__}"
        contents, facts = collected(
            archive,
            warc,
            ids,
            program=program,
            seals=(seals := opening.sound_seals(config.archive)),
            timestamps=opening.time_stamps(config.archive, seals),
            frequency=lexicon.load().frequency,
        )
    pack = packed(contents, facts)
    if to_stdout := destination.is_stdout(out):
        destination.write_binary(pack)
    else:
        save_pack(pack, out)
    written = f"{output.count(len(ids), 'article')}, {output.size(len(pack))}{destination.place(out)}"
    output.note(f"{written}; check it: vna verify {'FILE' if to_stdout else out}")


def cite(
    context: typer.Context,
    key: Annotated[str, typer.Argument(metavar="ID", help="The article's id, or its address.")],
    format_: Annotated[CitationFormat, typer.Option("--format", help="Output format.")] = CitationFormat.text,
    as_of: Annotated[
        str | None,
        typer.Option(
            "--as-of", metavar="T", help="Cite the revision that was the newest at this time; a day means its end."
        ),
    ] = None,
) -> None:
    """Print a citation of an article.

    It names the address that was fetched, and the time and the digest of the capture.

    Example: vna cite 245060 --format bibtex
    """
    from crawler import citation

    number = values.article_key(context, key)
    with state.of(context).reading() as archive:
        stored = archive.revision(number, as_of=values.instant(as_of, end_of_day=True, label="--as-of "))
        if stored is None:
            if archive.article(number) is not None:
                raise BadInput(
                    f"no article {key} as of {as_of} in this archive", f"see its revisions with `vna history {key}`"
                )
            raise ArticleNotFound(key)
        row = archive.raw_row(stored.raw_id)
    capture = citation.CitedCapture(*row)
    if format_ is CitationFormat.csl_json:
        output.json_block(citation.csl_json(stored, capture))
        return
    output.lines(citation.TEXTS[format_.value](stored, capture))


def warc(
    context: typer.Context,
    action: Annotated[
        str, typer.Argument(metavar="index", help="`index`: index the records that are new since the last time.")
    ],
) -> None:
    """Index the WARC files for other tools.

    Writes the file `index.cdxj` in the archive folder (CDXJ), for pywb and similar programs.

    Example: vna warc index
    """
    from crawler import opening

    if action != "index":
        raise typer.BadParameter(f"there is no action {action!r}; write `vna warc index`", ctx=context)
    config = state.of(context).load()
    with opening.auditing(config) as (_, store):
        added = opening.cdxj_index(config, store).update()
    output.note(f"{output.count(added, 'new record')} in {config.archive / 'index.cdxj'}")


def _ids(context: typer.Context, archive: Archive, articles: list[str], limit: int) -> list[int]:
    from crawler import urls

    if all(values.is_id(word) or urls.post_id(word) is not None for word in articles):
        return list(dict.fromkeys(values.article_key(context, word) for word in articles))
    wanted = values.search_query(context, values.query_text(context, articles))
    section = values.section(archive, wanted.section)
    found = archive.search(
        wanted.match, since=wanted.since, until=wanted.until, section=section, limit=limit + 1, rank=False
    )
    if not found:
        raise BadInput("no article matches the query", "try it with `vna search` first")
    if len(found) > limit:
        raise BadInput(f"more than {limit} articles match the query", "narrow it, or raise --limit")
    return [row["id"] for row in found]
