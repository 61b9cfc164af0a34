"""Change the inline elements of a page so that its text reads as a browser shows it.

- A superscript or subscript keeps its distance from figures and words: `10<sup>9</sup>` reads `10^9`, and a footnote
  mark `note<sup>1</sup>` reads `note 1`. Units, ordinals and formulas are written without one: `km2`, `XIXe`, `CO2`.
- Deleted text (`del`, `s`, `strike`) beside other text is removed and reported, so that a correction reads
  `<del>12</del> <ins>15</ins>` as 15. A line of which nothing would be left is kept.
- Formulas in MathML are written as text: `E = mc^2`, `1/2`.
- Emoji that are pictures, and mail addresses that a proxy has hidden, are written out (`stand_ins`).
- Quotation marks of `q` and brackets of ruby annotations, which a browser adds, are written out.

Boundary: changes the tree once, before anything is read from it.
"""

from __future__ import annotations

import re
import unicodedata

from selectolax.lexbor import LexborHTMLParser, LexborNode

from crawler.parse import dom, formulas, stand_ins

_MARKS = "sup, sub, q, rt"
_DELETED = ("del", "s", "strike")
_MEDIA = "img, picture, video, audio, iframe, table"
_NEAR = 24  # characters of the text beside an element that decide how it is read
_MOST_MOVES = 60  # through the tree, to find these characters
_MOST_HIDDEN = 20  # hidden elements whose text is read; they may be nested
_SHOWN, _MOST_SHOWN = 60, 3  # characters of each text that is left out, and texts, in a problem
_PARAGRAPHS = frozenset("p h1 h2 h3 h4 h5 h6 blockquote figcaption td".split())

_WORD = re.compile(r"(?<![^\W\d_])[^\W\d_]++$")
_UNIT = re.compile(r"(?:^|[\W\d_])(?:[kmcdhnµμ]|da)?m$|(?:^|[\W\d_])(?:ft|yd|mi|in|po|pi)$|/s$", re.IGNORECASE)
_NUMBER = re.compile(r"[+−–-]?\d")
_ION = re.compile(r"\d*[+−–-]")
_ISOTOPE = re.compile(r"[A-Z][a-z]?(?![^\W\d_])")
_ORDINAL = re.compile(r"(?:i?[èe]mes?|[èe]re?s?|ers?|res?|es?|n?de?s?|rd|st|th|os?)", re.IGNORECASE)
_ROMAN = re.compile(r"[IVXLCDM]+", re.IGNORECASE)  # small capitals are lower case in the source
_ABBREVIATED = re.compile(r"[nN]|[A-ZÉ][a-z]{0,2}")  # the start of `no`, `Mme`, `Cie`, `Dr`
_ABBREVIATION_END = re.compile(r"(?:os?|mes?|lles?|gr|rs?|te?|ie|e|tre|ve|d)")
_TEMPERATURE = re.compile(r"[CF](?![^\W\d_])")  # after a superscript 0 that stands for the sign of degrees
_FUNCTION = re.compile(r"log|lim|max|min")


def prepare(tree: LexborHTMLParser) -> tuple[str, ...]:
    """Change the inline elements of a page and return problems: the texts that were removed or are hidden."""
    if tree.css_first(f"{_MARKS}, math, {', '.join(_DELETED)}, {stand_ins.SELECTOR}") is None:
        return _hidden(tree)
    stand_ins.write_out(tree)
    formulas.write_out(tree)
    problems = (*_remove_deleted(tree), *_hidden(tree))
    for node in tree.css(_MARKS):
        if node.tag == "q":
            before, after = ("", "") if _starts_quoted(node) else ("«", "»")
        elif node.tag == "rt":
            in_brackets = any(n is not None and n.tag == "rp" for n in (node.prev, node.next))
            before, after = ("", "") if in_brackets else ("(", ")")
        else:
            before, after = _distances(node)
        if before:
            node.insert_before(before)
        if after:
            node.insert_after(after)
    return problems


def _remove_deleted(tree: LexborHTMLParser) -> tuple[str, ...]:
    found = tree.css(", ".join(_DELETED))
    deleted = dom.ids(found)
    lines: dict[int, bool] = {}  # by the id of the element around a line: whether other text would be left
    removed: list[str] = []
    kept = 0
    for node in found:
        if any(ancestor.mem_id in deleted for ancestor in dom.ancestors(node)):
            continue
        line = _line(node)
        if line.mem_id not in lines:
            lines[line.mem_id] = bool(dom.text(line, deleted).strip(" .,;:!?…-–—"))
        whole = any(n.tag not in dom.TEXT_LEVEL for n in node.css("*")) or node.css_first(_MEDIA) is not None
        text = dom.text(node)
        if not text:
            continue
        if whole or not lines[line.mem_id]:
            kept += 1
        else:
            removed.append(text)
            node.decompose()
    all_kept = (f"text: {kept} lines consist only of deleted text, which is kept",) if kept else ()
    return (*_left_out("deleted", removed), *all_kept)


def _hidden(tree: LexborHTMLParser) -> tuple[str, ...]:
    """Return a problem if paragraphs or headings have text that is not visible."""
    found = [n for n in tree.css("[hidden], [style]") if n.tag in dom.TEXT_LEVEL and dom.is_silent(n)][:_MOST_HIDDEN]
    return _left_out("hidden", [dom.text(n) for n in found if _line(n).tag in _PARAGRAPHS])


def _line(node: LexborNode) -> LexborNode:
    """Return the element that contains the line of text with `node`."""
    return next((a for a in dom.ancestors(node) if a.tag not in dom.TEXT_LEVEL), node)


def _left_out(what: str, texts: list[str]) -> tuple[str, ...]:
    shown = [repr(text[:_SHOWN]) for text in texts if text]
    more = f" and {len(shown) - _MOST_SHOWN} more" if len(shown) > _MOST_SHOWN else ""
    return (f"text: {what} text is left out: {', '.join(shown[:_MOST_SHOWN])}{more}",) if shown else ()


def _starts_quoted(node: LexborNode) -> bool:
    """Whether the text of a `q` element starts with a quotation mark of its own."""
    current: LexborNode | None = node
    for _ in range(_MOST_MOVES):
        if current is None:
            break
        if dom.is_text(current):
            return (current.text_content or "").lstrip().startswith(("«", "“", '"', "‘", "„"))
        current = current.first_child
    return False


def _distances(node: LexborNode) -> tuple[str, str]:
    """Return what to write before and after a `sup` or `sub` element."""
    content = dom.text(node)
    if not content:
        return "", ""
    script_follows = node.next is not None and node.next.tag in ("sup", "sub")
    before, after = _near(node, forward=False), "" if script_follows else _near(node, forward=True)
    if node.tag == "sub":
        return subscript(before, content, after)
    previous = node.prev
    if previous is not None and previous.tag == "sup":
        return (" ", "") if _NUMBER.match(content) and before[-1:].isdigit() else ("", "")
    return superscript(before, content, after)


def superscript(before: str, content: str, after: str) -> tuple[str, str]:
    """Return what to write before and after the superscript `content`, which is between two texts."""
    word = _WORD.search(before)
    beside = word[0] if word else ""
    last = before[-1:]
    if not _NUMBER.match(content):
        return _superscript_letters(before, beside, content), ""
    trail = " " if after[:1].isalnum() else ""
    if not last or last.isspace() or last in "([{«“‘":
        return "", "" if _ISOTOPE.match(after) else trail
    if _ION.fullmatch(content):
        return ("^" if last.isdigit() else ""), ""
    if _UNIT.search(before):
        return ("" if content[0].isdigit() else "^"), ""
    if content == "0" and last.isdigit() and _TEMPERATURE.match(after):
        return "^", ""
    variable = len(beside) == 1 or before[: len(before) - len(beside)][-1:] in ("=", "+", "*", "×")
    power = last.isdigit() or (last == ")" and before[-2:-1].isdigit()) or (beside and variable)
    return ("^" if power else " "), trail


def _superscript_letters(before: str, beside: str, content: str) -> str:
    if unicodedata.normalize("NFKC", content) != content:
        return ""  # `ᵉ`, `º`: the letters themselves are superscript
    counted = before[-1:].isdigit() or _ROMAN.fullmatch(beside)
    if counted and (_ORDINAL.fullmatch(content) or content in ("h", "H")):  # `8<sup>h</sup>30`
        return ""
    if _ABBREVIATED.fullmatch(beside) and _ABBREVIATION_END.fullmatch(content):
        return ""
    if len(content) > 1 or not content.isalpha():
        return ""  # `TM`, `*`, `+`, `(1)`: they stand apart from the word by themselves
    if before[-1:].isdigit() or len(beside) == 1:
        return "^"
    return " " if beside else ""


def subscript(before: str, content: str, after: str) -> tuple[str, str]:
    """Return what to write before and after the subscript `content`, which is between two texts."""
    if not content[0].isdigit():
        return "", ""
    trail = " " if content[-1].isdigit() and after[:1].isdigit() else ""
    if before[-1:].isdigit():
        return "_", trail
    word = _WORD.search(before)
    is_mark = word is not None and len(word[0]) > 2 and word[0].islower() and not _FUNCTION.fullmatch(word[0])
    return (" " if is_mark else ""), trail


def _near(node: LexborNode, *, forward: bool) -> str:
    """Return the text of the same line that directly precedes or follows `node`, at least `_NEAR` characters if any."""
    text = ""
    current: LexborNode | None = node
    for _ in range(_MOST_MOVES):
        sibling = (current.next if forward else current.prev) if current is not None else None
        if sibling is None:
            current = current.parent if current is not None else None
            if current is None or current.tag not in dom.TEXT_LEVEL:
                break
            continue
        current = sibling
        while current.tag in dom.TEXT_LEVEL and (inner := _first(current, forward=forward)) is not None:
            current = inner
        if dom.is_text(current):
            piece = current.text_content or ""
            text = text + piece if forward else piece + text
        if len(text) >= _NEAR or (dom.is_element(current) and current.tag not in dom.TEXT_LEVEL):
            break
    return text[:_NEAR] if forward else text[-_NEAR:]


def _first(node: LexborNode, *, forward: bool) -> LexborNode | None:
    return node.first_child if forward else node.last_child
