"""Recognise what a table of a body contains: data, a picture with its caption, or other content that it only positions.

Boundary: reads one element.
"""

from __future__ import annotations

from itertools import chain

from selectolax.lexbor import LexborNode

from crawler.parse import dom, image_address, structure

_LONG_CELL = 200  # characters
_COLUMNS = 2  # a table without a row of this many filled cells is used only for layout


def data(table: LexborNode) -> list[list[str]]:
    """Return the texts of the cells of a data table by row; an empty list if the table only positions other content."""
    cells = [row.css("td, th") for row in table.css("tr")]
    rows = [texts for row in cells if any(texts := [dom.text(cell) for cell in row])]
    if len(rows) == 1 and any(map(_is_running_text, chain.from_iterable(cells))):
        return []
    is_data = any(sum(map(bool, row)) >= _COLUMNS for row in rows)
    return rows if is_data else []


def _is_running_text(cell: LexborNode) -> bool:
    """Whether a cell contains several paragraphs, and more text than a cell with data."""
    return len(cell.css("p")) > 1 and len(dom.text(cell)) > _LONG_CELL


def is_picture(table: LexborNode, longest: int) -> bool:
    """Whether a table consists of one picture and a row with its caption, of at most `longest` characters."""
    if sum(not image_address.is_tracking_pixel(image) for image in table.css("img")) != 1:
        return False
    rows = [row for row in table.css("tr") if dom.text(row)]
    if len(rows) != 1 or len(rows[0].css("td, th")) != 1 or rows[0].css_first("img") is not None:
        return False
    text = dom.text(rows[0])
    is_of_article = structure.signature(text) is not None or structure.dateline(text) is not None
    return len(text) <= longest and not is_of_article
