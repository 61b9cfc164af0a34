"""Writes a learned layout as a markup file with comments, as a person would write it.

Boundary: a value in, TOML text out.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from crawler.markup import Attributes, ListSelectors, Markup, RelatedSelectors

if TYPE_CHECKING:
    from crawler.heal.healing import Healing
    from crawler.heal.lists import ListHealing

_PAGES_NAMED = 5


def write(healing: Healing, layout: Markup) -> str:
    """Return the text of the markup file of a layout that was just learned."""
    return text(layout, _comments(healing))


def write_lists(healing: ListHealing, layout: Markup) -> str:
    """Return the text of the markup file of a layout of lists that was just learned."""
    return text(layout, _list_comments(healing))


def text(layout: Markup, comments: Iterable[str]) -> str:
    """Return the text of the markup file of a learned layout, after the lines `comments`."""
    return "\n".join((*comments, *_tables(layout))) + "\n"


def _comments(healing: Healing) -> Iterator[str]:
    if healing.is_by_turns:
        yield f"# Learned by `vna heal` from {healing.complete} known articles, each of which was verified with a layout learned"
        yield f"# from the others, and from {healing.further} pages of unknown articles. Pages that were read exactly, by field:"
    else:
        yield f"# Learned by `vna heal` from {healing.training} pages whose articles were known, and verified on"
        yield f"# {healing.verified} others. Pages among these others that were read exactly, by field:"
    for name, (right, total) in healing.exact.items():
        yield f"#   {name:13} {right} of {total}"
    if healing.not_shown:
        yield f"# No page shows these fields any more: {', '.join(healing.not_shown)}"
    if healing.base is not None:
        yield f"# The layout {healing.base.name!r} still fits the pages: this one adds selectors for what has moved."
    yield "# Some of the pages:"
    yield from (f"#   {url}" for url in healing.urls[:_PAGES_NAMED])
    yield "# To correct the layout, copy this file to the folder in `[markups] dir`, remove the table [learned], and edit it."


def _list_comments(healing: ListHealing) -> Iterator[str]:
    yield f"# Learned by `vna heal` from {healing.pages} lists with {healing.stories} known stories, and verified on"
    yield f"# {healing.verified} others. Values among these others that were read exactly:"
    for name, (right, total) in healing.exact.items():
        yield f"#   {name:13} {right} of {total}"
    yield "# The lists:"
    yield from (f"#   {url}" for url in healing.urls[:_PAGES_NAMED])


def _tables(layout: Markup) -> Iterator[str]:
    yield f"name = {_text(layout.name)}"
    yield f"about = {_text(layout.about)}"
    yield f"valid_from = {layout.valid_from}"  # every learned layout has one
    for name in ("data", "article", "body", "related", "attributes", "lists", "learned"):
        table = getattr(layout, name)
        if table is None:
            continue
        default = {"related": RelatedSelectors(), "attributes": Attributes(), "lists": ListSelectors()}.get(name)
        values = {f.name: getattr(table, f.name) for f in fields(table)}
        lines = [f"{key} = {_value(v)}" for key, v in values.items() if v and v != getattr(default, key, None)]
        if lines:
            yield from ("", f"[{name}]", *lines)


def _value(value: str | datetime | tuple[str, ...]) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return _text(value) if isinstance(value, str) else f"[{', '.join(map(_text, value))}]"


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)
