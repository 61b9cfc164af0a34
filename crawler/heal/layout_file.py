"""Writes a learned layout as a commented markup file, as a person would write it.

Boundary: a value in, TOML text out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import fields

from crawler.heal.healing import Healing
from crawler.markup import Attributes, Markup, RelatedSelectors

_PAGES_NAMED = 5


def write(healing: Healing, layout: Markup, urls: tuple[str, ...]) -> str:
    """Return the text of the markup file of a layout learned from the pages at `urls`."""
    return "\n".join((*_comments(healing, urls), *_tables(layout))) + "\n"


def _comments(healing: Healing, urls: tuple[str, ...]) -> Iterator[str]:
    yield f"# Learned by `vna heal` from {healing.training} pages whose articles were known, and verified on"
    yield f"# {healing.verified} others. Pages that were read exactly, by field:"
    for name, (right, total) in healing.exact.items():
        yield f"#   {name:13} {right} of {total}"
    yield "# Some of the pages:"
    yield from (f"#   {url}" for url in urls[:_PAGES_NAMED])


def _tables(layout: Markup) -> Iterator[str]:
    yield f"name = {_text(layout.name)}"
    yield f"about = {_text(layout.about)}"
    if layout.valid_from is not None:
        yield f"valid_from = {layout.valid_from}"
    for name in ("article", "body", "related", "attributes"):
        table = getattr(layout, name)
        default = {"related": RelatedSelectors(), "attributes": Attributes()}.get(name)
        values = {f.name: getattr(table, f.name) for f in fields(table)}
        lines = [f"{key} = {_value(v)}" for key, v in values.items() if v and v != getattr(default, key, None)]
        if lines:
            yield from ("", f"[{name}]", *lines)


def _value(value: str | tuple[str, ...]) -> str:
    return _text(value) if isinstance(value, str) else f"[{', '.join(map(_text, value))}]"


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)
