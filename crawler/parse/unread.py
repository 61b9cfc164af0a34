"""Report text of a page that is lost or not read because an end tag is missing or surplus.

Such text is not guessed: it may belong to another part of the page. The problem shows that the page must be looked at.

Boundary: reads the tree and returns problems.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from selectolax.lexbor import LexborHTMLParser

from crawler.parse import structure

_END = re.compile(r"</html>\s*(?:<!--|$)", re.IGNORECASE)  # a comment after the page ends the one that has no end
_WITHOUT_MARKUP = frozenset("iframe noembed noframes plaintext script style textarea title xmp".split())
_SHOWN = 60  # characters of a paragraph in a problem


def swallowed_end(tree: LexborHTMLParser) -> tuple[str, ...]:
    """Return a problem if the end of the page is inside a comment or an element without markup, such as `<script>`.

    The end of this comment or element is missing, and everything after its start is neither read nor shown by a browser.
    """
    node = tree.root
    while node is not None and (last := node.last_child) is not None:
        node = last
    parent = node.parent if node is not None else None
    if node is None or parent is None or not (node.is_comment_node or parent.tag in _WITHOUT_MARKUP):
        return ()
    inside, content = (
        ("a comment", node.comment_content) if node.is_comment_node else (f"<{parent.tag}>", node.text_content)
    )
    return (f"page: {inside} has no end, the rest of the page is lost",) if _END.search(content or "") else ()


def lost_signature(own: Iterable[str], page: Iterable[str]) -> tuple[str, ...]:
    """Return a problem if the article has no signature although another paragraph of the page has one.

    `own` are the paragraphs of the article, `page` those of the page that do not belong to other stories.
    """
    read = set(own)
    for text in page:
        if text not in read and structure.signature(text) is not None:
            return (
                f"text: {text[-_SHOWN:]!r} looks like the end of the article, but is outside the text that was read",
            )
    return ()
