"""The designs that the fake site can take: what a redesign may change in its pages, alone or in combination.

Every design also renames all classes and ids, except the design without any. The texts stay the same. The design
`shell` has the article only in a JSON script, as pages have that a program in the browser builds.

Boundary: HTML text in, HTML text out.
"""

from __future__ import annotations

import html as entities
import json
import random
import re
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from crawler.errors import BadInput
from crawler.sim.site import redesign

_LEAD = re.compile(r'<div class="article__sapo[^>]*>(.*?)</div>', re.DOTALL)
_AVATAR = re.compile(r'<figure class="article__avatar[^>]*>.*?</figure>', re.DOTALL)
_PHOTO = re.compile(r'<img[^>]*?data-src="([^"]*)"[^>]*>(?:<figcaption[^>]*>(.*?)</figcaption>)?', re.DOTALL)
_ARTICLE = re.compile(
    r'(?P<open><div class="article__body[^>]*>)\n(?P<body>.*?)\n</div>\n<div class="article__source"></div>', re.DOTALL
)
_METADATA = re.compile(r'<script type="application/ld\+json">.*?</script>|<meta property="article:[^>]*>', re.DOTALL)
_ATTRIBUTES = re.compile(r'\s(?:class|id|itemprop|data-(?!src)[\w-]+|role|align)(?:="[^"]*")?')
_BODY = re.compile(r"<body\b.*</body>", re.DOTALL)
_TAGS = re.compile(r"<[a-z][^<>]*>")
_NAMED = re.compile(r'(\s)(class|id)="([^"]*)"')
_CAPTION = re.compile(r"<figcaption[^>]*>(.*?)</figcaption>\s*</figure>", re.DOTALL)
_FIGURE = r"<figure([^>]*)>((?:(?!</figure>).)*?)<figcaption[^>]*>(.*?)</figcaption>\s*</figure>"
_STORY_LINK = re.compile(r'<a class="cms-link" href="([^"]*)" title="([^"]*)">')
_STORY_CARD = re.compile(r'<article class="story.*?</article>', re.DOTALL)
_STORY_ADDRESS = re.compile(r'href="[^"]*?/(?P<slug>[^/"]*)-post(?P<id>\d+)\.vnp"(?: title="[^"]*")?')
_FIRST = "story page main post entry news detail content".split()
_LAST = "title body text lead info item block photo label meta list link wrap part date name".split()
_BLOCK = re.compile(r"(?<=</p>)\n(?=<p)")
_BOXES = (
    '<div class="newsletter-box"><p>Recevez chaque matin notre lettre d\'information.</p><form><input name="mail"></form></div>',
    '<div class="share-bar"><a href="https://social.example/">Partager</a> <span>Copier le lien</span></div>',
    '<aside class="promo"><h4>À ne pas manquer</h4><p>Notre dossier numéro {number} : les élections.</p></aside>',
    '<div class="ad-slot" data-slot="{number}"><span>Publicité</span></div>',
)

Transform = Callable[[str, random.Random], str]


@dataclass(frozen=True, slots=True)
class Design:
    """A design by its kind; `seed` chooses names and details."""

    kind: str
    seed: int = 0


def check(kind: str) -> str:
    """Return `kind` if it is a known design.

    Raises:
        BadInput: it is not.

    """
    every = (*KINDS, *LIST_KINDS, *MOVED_KINDS)
    if kind not in every:
        raise BadInput(f"unknown kind of redesign {kind!r}", f"choose one of {', '.join(every)}")
    return kind


def redesigned(html: str, design: Design) -> str:
    """Return a page in a design."""
    if design.kind == "elements":
        return redesign.redesigned(html, design.seed or 1)
    changes = [design.kind]
    if design.kind == "random":
        rng = _random("random", design)
        changes = rng.sample(_COMBINED, rng.randint(1, 4))
    for change in changes:
        html = {**_TRANSFORMS, **_LIST_TRANSFORMS, **_MOVES}[change](html, _random(change, design))
    return html if design.kind in ("bare", *MOVED_KINDS) else _renamed(html, _random("names", design))


def _random(what: str, design: Design) -> random.Random:
    """Return the source of choices for one part of a design, the same for each page."""
    return random.Random(f"{what}/{design.seed}")  # noqa: S311 - repeatable, not secret


def _renamed(html: str, rng: random.Random) -> str:
    """Rename all classes and ids in the body; with some seeds to readable names, with others to generated ones."""
    salt, style = rng.getrandbits(32), rng.randrange(3)

    def name(old: str) -> str:
        code = zlib.crc32(f"{salt}/{old}".encode())
        return (f"css-{code:x}", _readable_name(code), f"v{salt % 9}-{code:08x}")[style]

    def names(match: re.Match[str]) -> str:
        return f'{match[1]}{match[2]}="{" ".join(name(old) for old in match[3].split())}"'

    def body(match: re.Match[str]) -> str:
        return _TAGS.sub(lambda tag: _NAMED.sub(names, tag[0].replace(" itemprop=", " data-prop=")), match[0])

    return _BODY.sub(body, html, count=1)


def _readable_name(code: int) -> str:
    """Return a readable class name for a number, as a designer might choose it."""
    first, last = _FIRST[code % len(_FIRST)], _LAST[code // 8 % len(_LAST)]
    return f"{first}-{last}-{'abcdefghij'[code // 128 % 10]}{'xyzw'[code // 1280 % 4]}"


def _with_body(html: str, change: Callable[[str], str]) -> str:
    """Return a page with the inner HTML of the article's body changed."""
    return _ARTICLE.sub(
        lambda m: f'{m["open"]}\n{change(m["body"])}\n</div>\n<div class="article__source"></div>', html, count=1
    )


def _wrapped(html: str, rng: random.Random) -> str:
    def change(body: str) -> str:
        pieces = _BLOCK.split(body)
        parts: list[str] = []
        for start in range(0, len(pieces), 2):
            chunk = "\n".join(pieces[start : start + 2])
            parts.append(f'<div class="chunk"><div class="chunk__inner">{chunk}</div></div>')
            parts.append(rng.choice(_BOXES).format(number=rng.randrange(1000)))
        return "\n".join(parts)

    return _with_body(html, change)


def _lead_inside(html: str, _: random.Random) -> str:
    lead = _LEAD.search(html)
    if lead is None:
        return html
    return _with_body(_LEAD.sub("", html, count=1), lambda body: f'<div class="intro">{lead[1]}</div>\n{body}')


def _captions_moved(html: str, _: random.Random) -> str:
    return _CAPTION.sub(r'</figure>\n<div class="legend">\1</div>', html)


def _without_metadata(html: str, _: random.Random) -> str:
    return _METADATA.sub("", html)


def _bare(html: str, _: random.Random) -> str:
    """Remove all names: only the order of the elements is left."""

    def body(match: re.Match[str]) -> str:
        return _TAGS.sub(lambda tag: _ATTRIBUTES.sub("", tag[0]), match[0])

    return _BODY.sub(body, html, count=1)


def _nested(html: str, rng: random.Random) -> str:
    """Put more elements around the article, and its headline into a header."""
    depth = rng.randint(1, 4)
    html = html.replace(
        '<div class="main-col', '<main class="page-main">' + '<div class="layer">' * depth + '<div class="main-col', 1
    )
    html = html.replace(
        '<div class="sidebar sidebar-right">', "</div>" * depth + '</main><div class="sidebar sidebar-right">', 1
    )
    return re.sub(r"<h1 (class=\"article__title[^>]*)>(.*?)</h1>", r"<header><h2 \1>\2</h2></header>", html, count=1)


def _shell(html: str, _: random.Random) -> str:
    """Leave only a script with the article as data."""
    match = _ARTICLE.search(html)
    title = re.search(r'<h1 class="article__title[^>]*>(.*?)</h1>', html, re.DOTALL)
    if match is None or title is None:
        return html
    lead, avatar = _LEAD.search(html), _AVATAR.search(html)
    article = {"headline": _plain(title[1]), "sapo": _plain(lead[1]) if lead else "", "html": match["body"]}
    picture = _PHOTO.search(avatar[0]) if avatar else None
    if picture is not None:
        article["photo"] = {"src": entities.unescape(picture[1]), "legend": _plain(picture[2] or "")}
    author = re.search(r'<span class="author cms-author">(.*?)</span>', html)
    if author is not None:
        article["author"] = _plain(author[1])
    article["tags"] = [_plain(tag).lstrip("#") for tag in re.findall(r"<a [^>]*search\.vnp\?q=[^>]*>(#.*?)</a>", html)]
    data = {"page": {"kind": "detail"}, "props": {"article": article}}
    script = json.dumps(data, ensure_ascii=False).replace("</", "<\\/")
    body = f'<body><div id="root"></div><script id="__DATA__" type="application/json">{script}</script></body>'
    return _BODY.sub(lambda _: body, html, count=1)


def _clicks(html: str, _: random.Random) -> str:
    """Replace the links in lists by elements that a program makes clickable."""
    if _ARTICLE.search(html):
        return html
    return _STORY_LINK.sub(r"""<a class="cms-link" role="link" data-href="\1" onclick="go('\1')">""", html)


def _list_data(html: str, _: random.Random) -> str:
    """Leave of a list only its data in a script."""
    stories = [{"href": entities.unescape(u), "title": entities.unescape(t)} for u, t in _STORY_LINK.findall(html)]
    if _ARTICLE.search(html) or not stories:
        return html
    script = json.dumps({"props": {"stories": stories}}, ensure_ascii=False).replace("/", "\\/")
    body = f'<body><div id="root"></div><script type="application/json">{script}</script></body>'
    return _BODY.sub(lambda _: body, html, count=1)


def _list_ids(html: str, rng: random.Random) -> str:
    """Leave of the addresses in lists only the ids, in an attribute of each story."""
    name = rng.choice(("data-id", "data-article", "data-key"))

    def card(match: re.Match[str]) -> str:
        found = _STORY_ADDRESS.search(match[0])
        if found is None:
            return match[0]
        inner = re.sub(r"<(/?)a\b", r"<\1span", _STORY_ADDRESS.sub('role="link"', match[0]))
        return inner.replace("<article", f'<article {name}="{found["id"]}"', 1)

    return html if _ARTICLE.search(html) else _STORY_CARD.sub(card, html)


def _list_addresses(html: str, rng: random.Random) -> str:
    """Change the form of the addresses in lists."""
    form = rng.choice(('href="/{slug}-{id}.html"', 'href="/article/{id}/{slug}"', 'href="/lire?id={id}&amp;from=list"'))
    if _ARTICLE.search(html):
        return html
    return _STORY_ADDRESS.sub(lambda m: form.format(id=m["id"], slug=m["slug"]), html)


def _list_keys(html: str, _: random.Random) -> str:
    """Leave of a list only its data in a script, with ids instead of addresses."""
    links = [(found, tag[2]) for tag in _STORY_LINK.finditer(html) if (found := _STORY_ADDRESS.search(tag[0]))]
    if _ARTICLE.search(html) or not links:
        return html
    stories = [{"key": int(found["id"]), "name": entities.unescape(title)} for found, title in links]
    script = json.dumps({"state": {"lists": [{"zone": 471, "entries": stories}]}}, ensure_ascii=False).replace(
        "/", "\\/"
    )
    body = f'<body><div id="root"></div><script id="__STATE__" type="application/json">{script}</script></body>'
    return _BODY.sub(lambda _: body, html, count=1)


def _move_captions(html: str, rng: random.Random) -> str:
    """Move captions: after their pictures, into an attribute of these, or into boxes with them."""
    where = rng.randrange(3)
    if where == 0:
        return _captions_moved(html, rng)
    if where == 1:
        return re.sub(_FIGURE, _captioned, html, flags=re.DOTALL)
    boxed = r'<div class="media"><figure\1>\2</figure><p class="media__text">\3</p></div>'
    return re.sub(_FIGURE, boxed, html, flags=re.DOTALL)


def _captioned(match: re.Match[str]) -> str:
    return f'<figure{match[1]} data-legend="{entities.escape(_plain(match[3]))}">{match[2]}</figure>'


def _move_lead(html: str, rng: random.Random) -> str:
    """Move the lead: into the body, above the headline, or after the body."""
    lead = _LEAD.search(html)
    if lead is None or (where := rng.randrange(3)) == 0:
        return _lead_inside(html, rng)
    html, box = _LEAD.sub("", html, count=1), f'<div class="chapo">{lead[1]}</div>'
    if where == 1:
        return re.sub(r'(?=<h1 class="article__title)', lambda _: box, html, count=1)
    return html.replace('<div class="article__source"></div>', f'<div class="article__source"></div>{box}', 1)


def _move_date(html: str, rng: random.Random) -> str:
    """Take the date out of the metadata, and show it in another element: under the headline, or after the body."""
    shown = re.search(r'<div class="article__meta.*?<time[^>]*>(.*?)</time>', html, re.DOTALL)
    if shown is None:
        return html
    html = re.sub(r'<time[^>]*>.*?</time>|<meta[^>]*itemprop="date[^>]*>', "", _METADATA.sub("", html), flags=re.DOTALL)
    if rng.randrange(2):
        return html.replace("</h1>", f'</h1><span class="stamp">{shown[1]}</span>', 1)
    end = '<div class="article__source"></div>'
    return html.replace(end, f'{end}<p class="parution">Paru le {shown[1]}</p>', 1)


def _plain(html: str) -> str:
    return entities.unescape(re.sub(r"<[^>]+>", "", html)).strip()


_TRANSFORMS: Mapping[str, Transform] = {
    "classes": lambda html, _: html,
    "wrapped": _wrapped,
    "bare": _bare,
    "no-metadata": _without_metadata,
    "lead-inside": _lead_inside,
    "captions-moved": _captions_moved,
    "nested": _nested,
    "shell": _shell,
}
#: Kinds that change lists of stories, besides the classes of all pages.
_LIST_TRANSFORMS: Mapping[str, Transform] = {
    "clicks": _clicks,
    "list-data": _list_data,
    "list-ids": _list_ids,
    "list-addresses": _list_addresses,
    "list-keys": _list_keys,
}
LIST_KINDS = tuple(_LIST_TRANSFORMS)
#: Kinds that move one field, but keep all names, so that the layout of the first design still fits.
_MOVES: Mapping[str, Transform] = {"move-captions": _move_captions, "move-lead": _move_lead, "move-date": _move_date}
MOVED_KINDS = tuple(_MOVES)
_COMBINED = [kind for kind in _TRANSFORMS if kind not in ("shell", "bare")]  # what a random design may combine
#: `elements` is the design of earlier versions of the fake site; `random` combines several kinds.
KINDS = ("elements", *_TRANSFORMS, "random")
