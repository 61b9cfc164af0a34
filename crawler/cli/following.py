"""`vna feed`: write a feed of a search, for readers and programs that follow files.

Boundary: handles only arguments and output; `crawler.feeds` writes the formats.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from crawler.cli import destination, output, state, values


class FeedFormat(StrEnum):
    """Output format of `vna feed`."""

    atom = "atom"
    json = "json"


def register(app: typer.Typer) -> None:
    """Add the commands of this module to `app`."""
    app.command()(feed)


def feed(
    context: typer.Context,
    out: Annotated[
        Path,
        typer.Option("--out", metavar="FILE", parser=destination.parsed, help="Output file; - means standard output."),
    ],
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="QUERY...", help="Search, as for `vna search`. Without one, the feed has all articles."),
    ] = None,
    section: Annotated[str | None, typer.Option("--section", help="Only this section.")] = None,
    format_: Annotated[FeedFormat, typer.Option("--format", help="Output format.")] = FeedFormat.atom,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="Maximum number of articles.")] = 40,
    summary: Annotated[bool, typer.Option("--summary", help="Write summaries instead of whole texts.")] = False,
) -> None:
    """Write a feed of a search or section, newest articles first.

    The ids of its entries never change, and `updated` changes only with the content of an article. `vna browse` serves the
    same feeds, and those of silent edits, removals and gaps.

    Example: vna feed '"mer Orientale"' --out mer.xml
    """
    from crawler import feeds
    from crawler.storage.readers import Filters, Sort

    text = " ".join(words or ())
    wanted = values.search_query(context, text) if text else None
    with state.of(context).reading() as archive:
        filters = Filters(
            section=values.section(archive, section or (wanted.section if wanted else None)),
            since=wanted.since if wanted else None,
            until=wanted.until if wanted else None,
        )
        identity = archive.identity()
        match = wanted.match if wanted else None
        hits = archive.find(match, filters, sort=Sort.NEWEST, key=None, limit=limit)
        entries = [
            feeds.article_entry(identity, stored, seen_at, full=not summary)
            for stored, seen_at in archive.with_seen_at(row["id"] for row in hits.rows)
        ]
    made = feeds.Feed(feeds.feed_id(identity, "file", text, section or ""), feeds.search_title(text, section), entries)
    with destination.opened(out) as file:
        file.write(feeds.FORMATS[format_.value](made))
    output.note(f"{output.count(len(entries), 'article')}{destination.place(out)}")
