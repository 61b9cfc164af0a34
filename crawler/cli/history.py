"""`vna history` and `vna changes`: what the agency changed, removed and restored.

Boundary: handles only arguments and output; `crawler.changes` compares and classifies.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crawler import visible
from crawler.cli import layout, output, state, streams, values
from crawler.errors import ArticleNotFound

if TYPE_CHECKING:
    from crawler.changes import Change
    from crawler.query import Query
    from crawler.storage import Archive

#: The kinds of a change, for the help and the check of --kind. `crawler.changes.Kind` loads a slow library.
KINDS = "headline lead caption picture added removed moved quote date figure name typo style".split()
_COLOURS = {"removed": layout.REMOVED, "added": layout.ADDED}  # the brackets show the same without colour


def register(app: typer.Typer) -> None:
    """Add the commands of this module to `app`."""
    app.command(context_settings=values.NEGATIVE_IDS)(history)
    app.command()(changes)


def history(
    context: typer.Context,
    key: Annotated[str, typer.Argument(metavar="ID", help="The article's id, or its address.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print the revisions of one article and what changed in each.

    Removed words are shown in [-...-], new ones in {+...+}; on a terminal, they also have colours. JSON gives the offsets of
    the changed words in their field, and whether the edit was silent: the page named no new time of the last edit.

    Example: vna history 245060
    """
    from crawler.changes import changes_between, field_texts, is_silent, kinds_of
    from crawler.pictures import Replacement

    number = values.article_key(context, key)
    with state.of(context).reading() as archive, archive.snapshot():
        rows, articles = archive.history(number), archive.revision_articles(number)
    if not rows:
        raise ArticleNotFound(key)
    frequency = _frequency()
    if not as_json:
        streams.page()
    shown = []
    for place, row in enumerate(rows):
        replaced = [Replacement(**one) for one in row["replaced_pictures"]]
        found = changes_between(articles[place - 1], articles[place], frequency, replaced) if place else ()
        silent = is_silent(rows[place - 1]["modified_at"], row["modified_at"]) if place else None
        kinds = [str(kind) for kind in kinds_of(found)]
        if not as_json:
            changed = f"  changed: {', '.join(row['changed'])}" if row["changed"] else ""
            told = f"  kinds: {', '.join(kinds)}" * bool(kinds) + "  (silent edit)" * bool(silent)
            layout.paragraph(
                visible.line(f"revision {row['revision']}  seen {row['seen_at']}  {row['title']}{changed}{told}")
            )
            texts = field_texts(articles[place])
            for change in found:
                _print_change(change, texts.get(change.field, ""))
        more = {"kinds": kinds, "silent": silent, "changes": [asdict(change) for change in found]}
        shown.append(row | {"blocks": json.loads(row["blocks"])} | more)
    if as_json:
        output.json_block(shown)


def changes(
    context: typer.Context,
    since: Annotated[
        str | None,
        typer.Option(
            "--since", metavar="T", help="Print only changes seen since this time: ISO 8601, or a day such as 3d."
        ),
    ] = None,
    until: Annotated[
        str | None,
        typer.Option("--until", metavar="T", help="Print only changes seen until this time; a day means its end."),
    ] = None,
    section: Annotated[str | None, typer.Option("--section", help="Print only changes in this section.")] = None,
    kind: Annotated[
        list[str] | None,
        typer.Option("--kind", metavar="KIND", help=f"Print only edits of this kind: {', '.join(KINDS)}. Repeatable."),
    ] = None,
    query: Annotated[
        str | None,
        typer.Option("--query", help="Print only changes of articles that match, or whose changed words match."),
    ] = None,
    silent: Annotated[
        bool, typer.Option("--silent", help="Print only edits for which the page names no new time of the last edit.")
    ] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, max=values.MOST, help="Maximum number of changes.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print what the agency changed or removed, newest first.

    Example: vna changes --since 2026-01-01 --kind figure
    """
    if unknown := next((one for one in kind or () if one not in KINDS), None):
        raise typer.BadParameter(
            f"there is no kind {unknown!r}; choose from {', '.join(KINDS)}", ctx=context, param_hint="--kind"
        )
    wanted = values.search_query(context, query) if query else None
    first, last = values.instants(since, until)
    with state.of(context).reading() as archive, archive.snapshot():
        found = archive.all_changes(
            since=first,
            until=last,
            section=values.section(archive, section),
            match=wanted.match if wanted else None,
        )
        described = _described(found, archive)
        rows = list(islice(_selected(described, kind or (), wanted, silent=silent), limit))
    if as_json:
        output.json_block([{name: value for name, value in row.items() if name != "matches"} for row in rows])
        return
    if not rows:
        output.note(f"no {'silent edit' if silent else 'change'}{_searched(since, until, section, kind, query)}")
        return
    streams.page()
    layout.table(
        [row | {"changed": ", ".join(row["changed"]), "kinds": ", ".join(row["kinds"])} for row in rows],
        ("at", "what", "id", "kinds", "title")
        if layout.is_terminal()
        else ("at", "what", "id", "revision", "kinds", "changed", "title"),
    )


def _searched(
    since: str | None,
    until: str | None,
    section: str | None,
    kinds: Iterable[str] | None,
    query: str | None,
) -> str:
    """Return what was searched for, for a message that nothing was found."""
    parts = {
        "of kind": " or ".join(kinds or ()),
        "in section": section,
        "since": since,
        "until": until,
        "that matches": query,
    }
    return output.criteria(parts)


def _described(rows: Iterable[dict[str, Any]], archive: Archive) -> Iterator[dict[str, Any]]:
    """Yield the rows with the kinds, the changed words and whether the edit was silent; empty for removals."""
    from crawler.changes import changes_between, is_silent, kinds_of

    frequency = _frequency()
    for row in rows:
        found: tuple[Change, ...] = ()
        silent = None
        if row["what"] == "revised":
            old, new = archive.revision_pair(row["id"], row["revision"])
            replaced = archive.replaced_pictures(row["id"], row["revision"])
            found = changes_between(old, new, frequency, replaced)
            silent = is_silent(old.modified_at, new.modified_at)
        kinds = [str(kind) for kind in kinds_of(found)]
        yield row | {"kinds": kinds, "silent": silent, "changes": [asdict(change) for change in found]}


def _selected(
    rows: Iterable[dict[str, Any]], kinds: Iterable[str], wanted: Query | None, *, silent: bool
) -> Iterator[dict[str, Any]]:
    from crawler import snippets

    for row in rows:
        words = "\n".join(f"{change['before']}\n{change['after']}" for change in row["changes"])
        is_found = wanted is None or row["matches"] or snippets.mentions(words, wanted)
        is_kind = not kinds or not set(kinds).isdisjoint(row["kinds"])
        if is_found and is_kind and (row["silent"] or not silent):
            yield row


def _print_change(change: Change, text: str) -> None:
    from crawler.changes import marked_words

    shown = f"{change.field}: "
    spans = []
    for piece in marked_words(change, text):
        words = visible.line(piece.bracketed)
        if colour := _COLOURS.get(piece.kind):
            spans.append(layout.ColouredSpan(len(shown), len(shown) + len(words), colour))
        shown += words
    layout.paragraph(f"{shown}  ({', '.join(change.kinds)})", indent=2, spans=spans)


def _frequency() -> Callable[[str], float] | None:
    from crawler import lexicon

    found = lexicon.load()
    return found.frequency if found else None
