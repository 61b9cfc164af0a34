"""Write out text for which a page has something else: pictures of emoji, and mail addresses that a proxy has hidden.

Systems replace emoji by pictures, whose `alt` is the character. Cloudflare replaces mail addresses by `[email protected]`; a
script of its own shows the address again.

Boundary: changes the tree once, before anything is read from it.
"""

from __future__ import annotations

from selectolax.lexbor import LexborHTMLParser, LexborNode

from crawler.parse import dom

_HIDDEN_ADDRESS = "data-cfemail"
SELECTOR = f"img.emoji, img.wp-smiley, img[src*='/emoji'], [{_HIDDEN_ADDRESS}]"
_LONGEST_EMOJI = 16  # characters; flags and families consist of several
_LONGEST_ADDRESS = 1_000  # hexadecimal digits


def write_out(tree: LexborHTMLParser) -> None:
    """Replace each of these elements by its text."""
    for node in tree.css(SELECTOR):
        if text := _emoji(node) if node.tag == "img" else _mail_address(dom.attribute(node, _HIDDEN_ADDRESS)):
            node.insert_before(text)
            node.decompose()


def _emoji(image: LexborNode) -> str:
    """Return the character that a picture stands for; an empty string for a picture with a name."""
    alt = dom.attribute(image, "alt").strip()
    return alt if len(alt) <= _LONGEST_EMOJI and not any(map(str.isalpha, alt)) else ""


def _mail_address(hidden: str) -> str:
    """Return a hidden mail address: each byte is combined with the first one by exclusive or."""
    try:
        key, *others = bytes.fromhex(hidden[:_LONGEST_ADDRESS])
    except ValueError:
        return ""
    return bytes(byte ^ key for byte in others).decode("utf-8", "replace")
