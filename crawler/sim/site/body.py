"""Render the blocks of a story as HTML, in one of the three body shapes that the site has used (dossier section 6).

Shape 1: text nodes and `<br>` inside `div[align=justify]`, no `<p>`; a picture is
         `div.article-photo > a[rel=photoslide] > img`, followed by the caption as bare text.
Shape 2: `<p>`, and `table.picture` for pictures.
Shape 3: `figure` with `figcaption` and lazy images; a picture at the start is placed above the body as
         `figure.article__avatar`.

Noise inside the body (ads, players, comments, related links) follows dossier sections 5, 7 and 16.

Boundary: blocks in, HTML out. Texts, alt texts, captions and their order are the same in each shape.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import groupby

from crawler.sim.site.markup import PIXEL, attr, entities, text, wrapped
from crawler.sim.site.story import Era, Story
from crawler.types import Block, ImageBlock, TextBlock


@dataclass(frozen=True, slots=True)
class Noise:
    """What the site's software inserts between the blocks: an ad and perhaps a link to a related article.

    The id of the ad, `ad`, changes at each fetch.
    """

    ad: str
    relate: str = ""  # rendered `a.cms-relate`


@dataclass(frozen=True, slots=True)
class Body:
    """The blocks of a story as HTML: `avatar` is the picture above the body (may be empty), `html` is the body itself."""

    avatar: str
    html: str


def render(story: Story, era: Era, noise: Noise) -> Body:
    """Render all blocks of a story in the body shape `era`, with `noise` between them."""
    blocks = story.blocks
    avatar = ""
    if era == 3 and blocks and isinstance(blocks[0], ImageBlock):
        avatar, blocks = _figure(blocks[0], "article__avatar"), blocks[1:]
    pieces = list(_pieces(blocks, era))
    if story.kind == "video":
        pieces.insert(0, _player(story.post_id))
    pieces = _with_noise(pieces, era, noise)
    if era == 1:
        return Body(avatar, f'<div align="justify">\n{"".join(pieces)}</div>')
    return Body(avatar, "\n".join(pieces))


def _pieces(blocks: Iterable[Block], era: Era) -> Iterable[str]:
    for is_list, run in groupby(blocks, _is_item):
        rendered = [_RENDERERS[era](block) for block in run]
        if is_list:
            yield "<ul>\n" + "\n".join(rendered) + "\n</ul>"
        else:
            yield from rendered


def _is_item(block: Block) -> bool:
    return isinstance(block, TextBlock) and block.type == "list_item"


def _with_noise(pieces: list[str], era: Era, noise: Noise) -> list[str]:
    if len(pieces) > 2:
        pieces.insert(2, _ad(noise.ad))
    if noise.relate:
        pieces.append(noise.relate if era == 1 else f"<p>{noise.relate}..&gt;&gt;</p>")
    return [*pieces, "<!-- fin du texte : ne pas diffuser avant relecture -->"]


def _ad(ad: str) -> str:
    return (
        f'<div class="ads_middle"><div class="banner ads" id="adsWeb_AdsArticleMiddle_{ad}">'
        f'<script>if (typeof Web_AdsArticleMiddle !== "undefined") {{ Web_AdsArticleMiddle("{ad}"); }}</script>'
        "</div></div>"
    )


def _player(number: int) -> str:
    return (
        '<table class="video" align="center"><tbody><tr><td>'
        f'<div id="player-wrapper-{number}" class="--z--player"><span>Chargement du lecteur vidéo…</span></div>'
        f'<script>var playerConfig{number} = {{"autoplay": false, "ratio": "16:9"}};</script>'
        "</td></tr></tbody></table>"
    )


# --- the text blocks ------------------------------------------------------------------------------------------------


def _plain(block: TextBlock, paragraph: Callable[[str], str], heading: str) -> str:
    content = block.text
    match block.type:
        case "paragraph":
            return paragraph(content)
        case "heading":
            return f"<{heading}>{text(content)}</{heading}>"
        case "quote":
            return f"<blockquote>{wrapped(content)}</blockquote>"
        case "list_item":
            return f"<li>{wrapped(content)}</li>"
        case "note":
            return f'<div class="notebox cms-note"><p>{wrapped(content)}</p></div>'
        case "table":
            return _table(content)


def _table(content: str) -> str:
    """Render a table from text: one row per line, cells separated by `|` or a tab."""
    rows = (line.replace("\t", "|").split("|") for line in content.split("\n"))
    cells = ("".join(f"<td>{text(cell.strip())}</td>" for cell in row) for row in rows)
    return '<table class="table-data"><tbody>' + "".join(f"<tr>{c}</tr>" for c in cells) + "</tbody></table>"


# --- shape 1 --------------------------------------------------------------------------------------------------------


def _first(block: Block) -> str:
    if isinstance(block, ImageBlock):
        url, alt = attr(block.url or ""), _alt(block)
        photo = f'<div class="article-photo"><a href="{url}" rel="photoslide"><img src="{url}" alt="{alt}" /></a></div>'
        return f"{photo}{entities(wrapped(block.caption or ''))}<br />\n<br />\n"
    return _plain(block, lambda content: f"{entities(wrapped(content))}<br />\n<br />\n", "h3")


# --- shape 2 --------------------------------------------------------------------------------------------------------


def _second(block: Block) -> str:
    if isinstance(block, ImageBlock):
        return _picture_table(block)
    return _plain(block, lambda content: f"<p>{entities(wrapped(content))}</p>", "h3")


def _picture_table(image: ImageBlock) -> str:
    """Render a picture with the markup of a sister site's page that was saved in 2022 (dossier section 6)."""
    url, alt = attr(image.url or ""), _alt(image)
    cell = (
        f'<td class="pic"><a class="photo" href="{url}" data-desc="{attr(image.caption or "")}" data-index="0">'
        f'<img class="cms-photo" src="{url}" data-src="{url}" alt="{alt}" data-image-id="{_stable_hash(url)}" '
        f'data-width="700" data-height="467" data-photo-original-src="{url}"></a></td>'
    )
    caption = f'<tr><td class="caption"><p>{wrapped(image.caption)}</p></td></tr>' if image.caption else ""
    return f'<table class="picture" align="center"><tbody><tr>{cell}</tr>{caption}</tbody></table>'


def _stable_hash(value: str) -> int:
    """Return a number that depends only on the string; unlike the result of `hash()`, it is the same in every process."""
    return sum(ord(c) * (i + 1) for i, c in enumerate(value))


# --- shape 3 --------------------------------------------------------------------------------------------------------


def _third(block: Block) -> str:
    if isinstance(block, ImageBlock):
        return _figure(block, "picture")
    return _plain(block, lambda content: f"<p>{text(content)}</p>", "h2")


def _figure(image: ImageBlock, classes: str) -> str:
    url = attr(image.url or "")
    caption = f"<figcaption>{text(image.caption)}</figcaption>" if image.caption else ""
    return (
        f'<figure class="{classes}"><img class="cms-photo lazyload" src="{PIXEL}" data-src="{url}" '
        f'alt="{_alt(image)}">{caption}</figure>'
    )


def _alt(image: ImageBlock) -> str:
    return attr(image.alt + image.joint)


_RENDERERS: dict[Era, Callable[[Block], str]] = {1: _first, 2: _second, 3: _third}
