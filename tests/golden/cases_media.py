"""Pictures, captions, credits, players, and articles without text."""

from __future__ import annotations

from chrome import GIF, HEX, MEDIA, figure, table_picture
from kit import P1, P2, P3, STANDARD, TITLE, article_page, body, case, img, p, table

A, B, C = (f"{MEDIA}/{HEX}/{name}.jpg" for name in ("quai", "grue", "rade"))
CAPTION = "Une grue du port de Haïphong. Photo : VNA"


def around(html):
    """Return the standard body with `html` after its first paragraph."""
    return f"<p>{P1}</p>\n{html}\n<p>{P2}</p>\n<p>{P3}</p>"


def with_blocks(*blocks):
    """Return the expected standard article with these blocks after its first paragraph."""
    return STANDARD | body(p(P1), *blocks, p(P2), p(P3))


def pictures(name, html, about, dossier, *blocks, **checks):
    """Register a case with `html` between the first two paragraphs and `blocks` as the expected result."""
    case(name, article_page(around(html)), about, dossier, with_blocks(*blocks), **checks)


# --- captions --------------------------------------------------------------------------------------------------------

pictures(
    "caption_absent",
    figure(A, alt="Vue du port au petit matin")
    + figure(B, alt="ASEAN.jpg", caption="")
    + figure(C, alt=TITLE, caption="<p>&nbsp;</p>"),
    "no figcaption, an empty one and a blank one: caption null, and the alt is not used instead",
    "6 18.6",
    img(A, alt="Vue du port au petit matin", caption=None, credit=None),
    img(B, alt="ASEAN.jpg", caption=None, credit=None),
    img(C, alt=TITLE, caption=None, credit=None),
)
pictures(
    "caption_in_figcaption_with_markup",
    f'<figure><a href="{A}"><img data-src="{A}" src="{GIF}" alt=""></a><figcaption>\n<p>Une grue du <em>port</em>\nde Haïphong. '
    "<span>Photo&nbsp;: VNA</span></p>\n</figcaption></figure>",
    "inner tags, source newlines and a NBSP before the colon in a figcaption",
    "5 16",
    img(A, alt="", caption="Une grue du port de Haïphong. Photo\u00a0: VNA", credit="VNA"),
)
pictures(
    "caption_over_two_lines",
    f'<figure><img data-src="{A}" src="{GIF}" alt=""><figcaption>Une grue du port de Haïphong.<br>\nPhoto : VNA</figcaption></figure>',
    "a <br> inside a caption becomes a space",
    "6 18.6",
    img(A, alt="", caption="Une grue du port de Haïphong. Photo : VNA", credit="VNA"),
)
pictures(
    "table_picture_generations",
    table_picture(A, alt=f"{TITLE} ảnh 1", caption=CAPTION)
    + table_picture(B, alt=f"{TITLE} hinh anh 2")
    + table_picture(C, caption=""),
    "table.picture with td.caption, without a caption row, with an empty one; both forms of generated alt",
    "6 18.6",
    img(A, alt=f"{TITLE} ảnh 1", caption=CAPTION, credit="VNA"),
    img(B, alt=f"{TITLE} hinh anh 2", caption=None, credit=None),
    img(C, alt="", caption=None, credit=None),
)
pictures(
    "table_picture_two_in_one_table",
    '<table class="picture"><tr><td class="pic">'
    f'<img class="cms-photo" data-src="{A}" src="{GIF}" alt="a.jpg"></td></tr><tr><td class="caption"><p>Le quai. Photo: VNA</p></td></tr>'
    f'<tr><td class="pic"><img class="cms-photo" data-src="{B}" src="{GIF}" alt="b.jpg"></td></tr>'
    '<tr><td class="caption">La grue. Photo: TTXVN</td></tr></table>',
    "two pictures in one table.picture, each followed by its caption",
    "6 18.6",
    img(A, alt="a.jpg", caption="Le quai. Photo: VNA", credit="VNA"),
    img(B, alt="b.jpg", caption="La grue. Photo: TTXVN", credit="TTXVN"),
)
pictures(
    "table_picture_beside_data_table",
    table_picture(A, caption=CAPTION)
    + "<table><tr><td>Quai 1</td><td>400 m</td></tr><tr><td>Quai 2</td><td>350 m</td></tr></table>",
    "a picture table followed by a data table: both are recognised",
    "6",
    img(A, caption=CAPTION, credit="VNA"),
    table(("Quai 1", "400 m"), ("Quai 2", "350 m")),
)
pictures(
    "caption_sibling_p_with_class",
    f'<p style="text-align:center"><img class="cms-photo" src="{A}" alt="quai.jpg"></p><p class="caption">{CAPTION}</p>',
    "the caption is only in a sibling p.caption: it belongs to the picture and is not body text",
    "18.6",
    img(A, alt="quai.jpg", caption=CAPTION, credit="VNA"),
)
case(
    "caption_sibling_p_plain",
    article_page(around(f'<p><img class="cms-photo" src="{A}" alt="quai.jpg"></p><p><em>{CAPTION}</em></p>')),
    "the caption is in a plain sibling <p>, recognisable only by its credit: it must be kept, as caption or paragraph, "
    "and the text around it is body text",
    "18.6",
    {key: STANDARD[key] for key in ("title", "kind", "signature", "dateline")},
    contains={"text": [P1, P2, P3], "blocks": [CAPTION, A]},
)

# --- credits ---------------------------------------------------------------------------------------------------------

CREDITS = (
    ("Le port de Lach Huyên. Photo : VNA", "VNA"),
    ("Le port de Lach Huyên. Photo: VNA", "VNA"),
    ("(Source: customsnews)", "customsnews"),
    ("Le barrage vu du ciel. (Photo : VNA)", "VNA"),
    ("Le détroit. Photo : East Asia Forum", "East Asia Forum"),
    ("Le café en grains. Photo: cafef.vn", "cafef.vn"),
    ("La ville. Photo: internet", "internet"),
    ("Photo : VNA", "VNA"),
    ("Les délégués posent pour une photo de groupe.", None),
    ("Photo de famille des ministres à Hanoï.", None),
    ("La réunion du 3 mars. Source : VNA/CVN", "VNA/CVN"),
)
pictures(
    "credits",
    "".join(figure(f"{MEDIA}/{HEX}/c{n}.jpg", caption=caption) for n, (caption, _) in enumerate(CREDITS)),
    "the caption is kept complete; the credit is the name in it, and the word photo in a sentence is not a credit",
    "6 16",
    *(img(f"{MEDIA}/{HEX}/c{n}.jpg", caption=caption, credit=credit) for n, (caption, credit) in enumerate(CREDITS)),
)

# --- image URLs ------------------------------------------------------------------------------------------------------

IMAGE_URLS = (
    (f'src="{GIF}" data-src="{A}"', A),
    (f'src="{GIF}" data-original="{B}"', B),
    (f'src="https://mediafr.vietnamplus.vn/placeholder.png" data-src="{C}"', C),
    (f'src="{A}.webp"', f"{A}.webp"),
    ('data-src="//mediafr.vietnamplus.vn/images/0a1b/x.png"', "https://mediafr.vietnamplus.vn/images/0a1b/x.png"),
    (
        'data-src="https://image.vietnamplus.vn/media//600/2026/1/2/y.jpg"',
        "https://image.vietnamplus.vn/media//600/2026/1/2/y.jpg",
    ),
    ('src="/t620/uploaded/wbxx/2016_07_26/z.jpg"', "https://fr.vietnamplus.vn/t620/uploaded/wbxx/2016_07_26/z.jpg"),
    (
        'src="http://images.vietnamplus.vn/Images/2012/12/20/w.JPG"',
        "http://images.vietnamplus.vn/Images/2012/12/20/w.JPG",
    ),
    (f'data-src="{MEDIA}/00/v.jpg?w=660&amp;h=440"', f"{MEDIA}/00/v.jpg?w=660&h=440"),
    (f'src="{GIF}" data-src="" data-original="{MEDIA}/00/u.jpg"', f"{MEDIA}/00/u.jpg"),
)
pictures(
    "image_addresses",
    "".join(
        f'<figure><img {attributes} alt="" class="cms-photo"><figcaption>Image {n}</figcaption></figure>\n'
        for n, (attributes, _) in enumerate(IMAGE_URLS)
    ),
    "lazy data-src and data-original before src, .jpg.webp, protocol-relative, // in the path, relative, legacy host, &amp;, "
    "an empty data-src",
    "7 18.7",
    *(img(url, alt="", caption=f"Image {n}", credit=None) for n, (_, url) in enumerate(IMAGE_URLS)),
)
pictures(
    "image_data_uri_only",
    f'<figure><img class="cms-photo" src="{GIF}" alt=""><figcaption>{CAPTION}</figcaption></figure>',
    "a picture with only a placeholder: kept with its caption but without a URL",
    "7 18.7",
    img(None, alt="", caption=CAPTION, credit="VNA"),
)
pictures(
    "image_noscript_twin",
    f'<figure><img class="cms-photo lazy" src="{GIF}" data-src="{A}" alt=""><noscript><img src="{A}" alt=""></noscript>'
    f"<figcaption>{CAPTION}</figcaption></figure>",
    "the <noscript> copy of a lazy picture is not a second picture",
    "7",
    img(A, alt="", caption=CAPTION, credit="VNA"),
)
pictures(
    "image_in_paragraph",
    f'<p><a href="{A}"><img src="{A}" alt="quai.jpg"></a></p>\n<p style="text-align: center;">&nbsp;<img src="{B}" alt=""></p>',
    "pictures alone in a <p>: image blocks without caption, no empty paragraphs",
    "6 7",
    img(A, alt="quai.jpg", caption=None, credit=None),
    img(B, alt="", caption=None, credit=None),
)
pictures(
    "image_gallery",
    f'<div class="gallery cms-gallery"><div class="row">{figure(A, caption="Le quai. Photo : VNA")}{figure(B, caption="La grue.")}</div>'
    f"{figure(C)}</div>",
    "a gallery inside the body: all pictures in order, each with its own caption",
    "7",
    img(A, caption="Le quai. Photo : VNA", credit="VNA"),
    img(B, caption="La grue.", credit=None),
    img(C, caption=None, credit=None),
)
pictures(
    "image_two_in_one_figure",
    f'<figure><img data-src="{A}" src="{GIF}" alt=""><img data-src="{B}" src="{GIF}" alt=""><figcaption>{CAPTION}</figcaption></figure>',
    "two pictures share one figcaption: both are kept; which one has the caption is not checked",
    "7",
    img(A),
    img(B),
    contains={"blocks": [CAPTION]},
)
case(
    "avatar_without_caption_and_body_picture",
    article_page(
        around(figure(B, alt="grue.jpg", caption=CAPTION)),
        avatar=figure(A, alt="La délégation. Photo : VNA", cls="article__avatar"),
    ),
    "lead picture first; its alt looks like a caption but it has no figcaption: caption null",
    "6 18.6",
    STANDARD
    | body(
        img(A, alt="La délégation. Photo : VNA", caption=None, credit=None),
        p(P1),
        img(B, alt="grue.jpg", caption=CAPTION, credit="VNA"),
        p(P2),
        p(P3),
    ),
)

# --- kinds -----------------------------------------------------------------------------------------------------------

EMPTY = {"blocks": [], "text": "", "dateline": None, "signature": None}
PLAYER = '<div id="player-wrapper-12" style="--z--player: 1"><p>Votre navigateur ne lit pas cette vidéo.</p><span>00:00</span></div>'
case(
    "kind_video_table",
    article_page(f'<table class="video"><tr><td>{PLAYER}</td></tr></table>'),
    "video: a player in table.video and no text: kind video; the player's own text is not article text",
    "7 18.3",
    STANDARD | EMPTY | {"kind": "video"},
)
case(
    "kind_video_tag",
    article_page(
        '<div class="media"><video controls poster="/p.jpg"><source src="/v.m3u8">Lecture impossible.</video></div><p>&nbsp;</p>'
    ),
    "video: a <video> tag and an empty paragraph",
    "7 18.3",
    STANDARD | EMPTY | {"kind": "video"},
)
case(
    "kind_article_with_video",
    article_page(around(f'<table class="video"><tbody><tr><td>{PLAYER}</td></tr></tbody></table>')),
    "a player together with body text: an article; the player's table is not a data table",
    "7",
    STANDARD,
)
case(
    "kind_photo",
    article_page(
        figure(A, alt="1.jpg", caption="Le quai à l’aube. Photo : VNA")
        + figure(B, caption="La grue. Photo : VNA")
        + "<p>&nbsp;</p>"
    ),
    "photo story: captioned pictures and no text; captions are not text",
    "7 18.3",
    STANDARD
    | EMPTY
    | {"kind": "photo"}
    | body(
        img(A, alt="1.jpg", caption="Le quai à l’aube. Photo : VNA", credit="VNA"),
        img(B, caption="La grue. Photo : VNA", credit="VNA"),
    ),
)
case(
    "kind_infographic",
    article_page(f'<p><img class="cms-photo" src="{GIF}" data-src="{C}" alt="infographie.jpg"></p>'),
    "infographic: only a picture, no caption, no text",
    "7 18.3",
    STANDARD | EMPTY | {"kind": "infographic"} | body(img(C, alt="infographie.jpg", caption=None, credit=None)),
)
case(
    "kind_infographic_with_avatar",
    article_page(
        f'<p><img class="cms-photo" src="{GIF}" data-src="{C}" alt=""></p>',
        avatar=figure(A, cls="article__avatar", alt=TITLE),
    ),
    "infographic with a lead picture, neither with a caption",
    "7 18.3",
    STANDARD
    | EMPTY
    | {"kind": "infographic"}
    | body(img(A, alt=TITLE, caption=None, credit=None), img(C, alt="", caption=None, credit=None)),
)
case(
    "kind_video_with_avatar",
    article_page(PLAYER, avatar=figure(A, cls="article__avatar", caption=CAPTION)),
    "video with a captioned lead picture: kind video because of the player",
    "7 18.3",
    STANDARD | EMPTY | {"kind": "video"} | body(img(A, caption=CAPTION, credit="VNA")),
)
case(
    "kind_article_with_one_line",
    article_page(figure(A, caption=CAPTION) + "<p>Le port en images.</p>"),
    "a captioned picture and one line of text: an article",
    "7",
    STANDARD | EMPTY | {"kind": "article"} | body(img(A, caption=CAPTION, credit="VNA"), p("Le port en images.")),
)
