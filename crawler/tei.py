"""Render articles as TEI P5, the XML format of text corpora (https://tei-c.org/guidelines/p5/).

The elements of an article in one place, for reading and for programs:

```
TEI  teiHeader   title, author, publisher, day of publication, address, section, tags, language, revision
     text/body   head (the title), p rend="lead", then p, p rend="head|quote", list/item, table/row/cell, figure
```
A figure has its address (graphic), its caption (head) and its alternative text (figDesc). Quotation marks stay in the
text. Notes and the stories under `Voir plus` are not part of the text and are left out.

Boundary: values in, strings out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import quote

from crawler import citation, records, render
from crawler.types import Block, ImageBlock, StoredArticle, TextBlock

NAMESPACE = "http://www.tei-c.org/ns/1.0"
DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
_RIGHTS = "The rights are the agency's, and those of whom it credits. This file gives no licence."
#: Characters that XML 1.0 cannot contain, not even as a reference.
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_REFERENCES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\r": "&#13;"}
_ESCAPED = re.compile('[&<>"\r]')
_UNFIT = re.compile(r"[^!#$%&'()*+,./0-9:;=?@A-Z_a-z~-]|%(?![0-9A-Fa-f]{2})")
_WEB = re.compile(r"https?://[A-Za-z0-9.-]+(?::[0-9]{1,5})?(?:[/?#]|$)")
_PICTURES = 0x2400  # the first symbol of a control character, of U+0000
_RENDITION = {"heading": "head", "quote": "quote"}
_PARTS = {
    False: "The text is verbatim, as published.",
    True: "The text is repaired: spaces and line breaks that the page had lost are put back.",
}


def text(content: str) -> str:
    """Return a text as content of an element or a quoted attribute.

    A control character that XML cannot contain becomes the symbol of that character (such as U+241B for escape), and
    half of a surrogate pair or a noncharacter becomes U+FFFD.
    """
    shown = _NOT_IN_XML.sub(lambda match: chr(_PICTURES + ord(match[0])) if ord(match[0]) < 0x20 else "\ufffd", content)
    return _ESCAPED.sub(lambda match: _REFERENCES[match[0]], shown)


def corpus_start(title: str, *, clean: bool) -> str:
    """Return the start of a corpus of many texts; the end is `CORPUS_END`."""
    return (
        f'{DECLARATION}<teiCorpus xmlns="{NAMESPACE}" xml:lang="fr">\n<teiHeader>\n'
        f"<fileDesc><titleStmt><title>{text(title)}</title></titleStmt>{_publication('')}"
        f"<sourceDesc><p>{text(citation.AGENCY)}</p></sourceDesc></fileDesc>\n"
        f"<encodingDesc><p>{_PARTS[clean]}</p></encodingDesc>\n</teiHeader>\n"
    )


CORPUS_END = "</teiCorpus>\n"


def document(stored: StoredArticle, *, clean: bool) -> str:
    """Return one article as a file of its own."""
    return DECLARATION + element(stored, clean=clean, alone=True)


def element(stored: StoredArticle, *, clean: bool, alone: bool = False) -> str:
    """Return the element `TEI` of one article; with `alone`, it is the root element."""
    namespace = f' xmlns="{NAMESPACE}"' if alone else ""
    article = stored.article
    blocks = render.clean_blocks(stored) if clean else article.blocks
    lead = f'<p rend="lead">{text(article.lead)}</p>\n' if article.lead else ""
    body = "\n".join(_body(blocks)) or "<p/>"  # a body needs a paragraph
    identity = f"vna{stored.id}r{stored.revision}".replace("-", "i")
    return (
        f'<TEI{namespace} xml:id="{identity}" xml:lang="fr">\n{_header(stored, clean=clean)}'
        f"<text><body>\n<head>{text(article.title)}</head>\n{lead}{body}\n</body></text>\n</TEI>\n"
    )


def _header(stored: StoredArticle, *, clean: bool) -> str:
    article, address = stored.article, stored.fetched_url or stored.article.url
    title = f"<title>{text(article.title)}</title>"
    author = f"<author>{text(article.byline)}</author>" if article.byline else ""
    day = records.day_in_hanoi(article.published_at)
    published = f'<date when="{day}">{text(article.published_at or "")}</date>' if day else ""
    source = f'<ref target="{_address(address)}">{text(address)}</ref>' if address else ""
    terms = [("section", article.section), *(("tag", tag) for tag in article.tags), ("kind", article.kind)]
    listed = "".join(f'<term type="{kind}">{text(term)}</term>' for kind, term in terms if term)
    agency = f"<publisher>{text(citation.AGENCY)}</publisher>"
    return (
        f"<teiHeader>\n<fileDesc><titleStmt>{title}{author}</titleStmt>{_publication(published, stored)}"
        f"<sourceDesc><bibl>{title}{author}{agency}{published}{source}</bibl></sourceDesc></fileDesc>\n"
        f"<encodingDesc><p>{_PARTS[clean]}</p></encodingDesc>\n"
        '<profileDesc><langUsage><language ident="fr">français</language></langUsage>'
        f"<textClass><keywords>{listed}</keywords></textClass></profileDesc>\n"
        f'<revisionDesc status="{text(stored.state)}"><change n="{stored.revision}" when="{text(stored.checked_at)}">'
        "Last check of this revision</change></revisionDesc>\n</teiHeader>\n"
    )


def _publication(published: str, stored: StoredArticle | None = None) -> str:
    number = f'<idno type="vna">{stored.id}</idno>' if stored else ""
    return (
        f"<publicationStmt><publisher>{text(citation.AGENCY)}</publisher>{published}{number}"
        f'<availability status="restricted"><p>{_RIGHTS}</p></availability></publicationStmt>'
    )


def _address(url: str) -> str:
    """Return an address as a valid URI reference, with the characters encoded that have no place in one."""
    if not _WEB.match(url):
        return text(quote(url, safe="" if url.startswith("//") else "/", errors="replace"))
    before, mark, after = _UNFIT.sub(lambda match: quote(match[0], errors="replace"), url).partition("#")
    return text(before + mark + after.replace("#", "%23"))


def _body(blocks: tuple[Block, ...]) -> Iterator[str]:
    items: list[str] = []
    for block in blocks:
        if isinstance(block, TextBlock) and block.type == "list_item":
            items.append(f"<item>{text(block.text)}</item>")
            continue
        if items:
            yield f"<list>{''.join(items)}</list>"
            items = []
        if isinstance(block, ImageBlock):
            yield _figure(block)
        elif block.type == "table":
            yield _table(block.text)
        elif block.type != "note":
            rendition = f' rend="{_RENDITION[block.type]}"' if block.type in _RENDITION else ""
            yield f"<p{rendition}>{text(block.text)}</p>"
    if items:
        yield f"<list>{''.join(items)}</list>"


def _table(content: str) -> str:
    rows = (line.split("\t") for line in content.split("\n"))
    cells = ("".join(f"<cell>{text(cell)}</cell>" for cell in row) for row in rows)
    return f"<table>{''.join(f'<row>{row}</row>' for row in cells)}</table>"


def _figure(image: ImageBlock) -> str:
    parts = f'<graphic url="{_address(image.url)}"/>' if image.url else ""
    parts += f"<head>{text(image.caption)}</head>" if image.caption else ""
    return f"<figure>{parts}<figDesc>{text(image.alt)}</figDesc></figure>"
