"""TEI: valid XML with the structure of TEI P5, whatever an article contains.

`tests/data/tei-subset.rng` accepts only documents that the schema of TEI P5 (`tei_all.rng`) accepts, too.
"""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from lxml import etree
from support import ROOT, SEED_ARTICLES

from crawler import export, tei
from crawler.errors import BadInput
from crawler.types import Article, ImageBlock, Reading, Repair, StoredArticle, TextBlock

SCHEMA = etree.RelaxNG(etree.parse(ROOT / "tests" / "data" / "tei-subset.rng"))
NAMES = {"t": tei.NAMESPACE}
AT = "2026-11-21T08:00:00Z"
EVERY_CHARACTER = "".join(
    chr(code) for code in (*range(0x300), 0x202E, 0xFEFF, 0xFFFD, 0xFFFE, 0xFFFF, 0xD800, 0x1F990)
)
HOSTILE = f"</p><script>&amp;]]>\"' {EVERY_CHARACTER}"
FULL = Article(
    "Un « titre »",
    lead="Un chapeau",
    blocks=(
        ImageBlock("https://a.vn/é x.jpg?a=1&b=%zz", "alt", "Légende"),
        TextBlock("paragraph", "Il dit « oui »."),
        TextBlock("heading", "Inter"),
        TextBlock("list_item", "un"),
        TextBlock("list_item", "deux"),
        TextBlock("quote", "Cité"),
        TextBlock("note", "jamais"),
        TextBlock("table", "a\tb\nc\td"),
        TextBlock("list_item", "fin"),
    ),
    post_id=7,
    section="Politique",
    byline="Xuân",
    tags=("a",),
    published_at="2025-04-29T23:30:44+00:00",
)


def stored(article, **fields):
    return StoredArticle(**({"id": 7, "article": article, "reading": Reading(article.text), "revision": 1, "state": "live",
                            "first_seen_at": AT, "checked_at": AT, "parser": 1} | fields))  # fmt: skip


def read(article, *, clean=False, **fields):
    """Return the tree of one article, after checking that it is valid."""
    tree = etree.fromstring(tei.document(stored(article, **fields), clean=clean).encode())
    SCHEMA.assertValid(tree)
    return tree


def found(tree, path):
    return [
        "".join(node.itertext()) if hasattr(node, "itertext") else node for node in tree.xpath(path, namespaces=NAMES)
    ]


@pytest.mark.parametrize(
    "article",
    [
        *SEED_ARTICLES.values(),
        FULL,
        Article("Rien"),
        Article("x" * 10_000),
        Article(""),
        Article("Sans date", published_at="jadis", url="javascript:alert(1)//\n"),
        Article(
            HOSTILE, lead=HOSTILE, blocks=(TextBlock("paragraph", HOSTILE), TextBlock("table", HOSTILE), ImageBlock(HOSTILE, HOSTILE, HOSTILE)),
            section=HOSTILE, byline=HOSTILE, tags=(HOSTILE,), url=HOSTILE, published_at="2025-04-29T14:30:44+07:00",
        ),
    ],
    ids=lambda article: article.title[:12].encode("ascii", "ignore").decode(),
)  # fmt: skip
@pytest.mark.parametrize("clean", [False, True])
def test_every_article_is_valid(article, clean):
    read(article, clean=clean)


def test_the_header_names_title_publisher_date_address_section_and_language():
    tree = read(FULL, fetched_url="https://fr.vietnamplus.vn/t-post7.vnp")
    header = "/t:TEI/t:teiHeader"
    assert found(tree, f"{header}//t:titleStmt/t:title") == ["Un « titre »"]
    assert found(tree, f"{header}//t:publicationStmt/t:publisher") == ["Agence vietnamienne d'information"]
    assert found(tree, f"{header}//t:publicationStmt/t:date/@when") == ["2025-04-30"], "the day in Hanoi"
    assert found(tree, f"{header}//t:sourceDesc//t:ref/@target") == ["https://fr.vietnamplus.vn/t-post7.vnp"]
    assert found(tree, f"{header}//t:term[@type='section']") == ["Politique"]
    assert found(tree, f"{header}//t:author") == ["Xuân", "Xuân"]
    assert found(tree, "/t:TEI/@xml:lang") == found(tree, f"{header}//t:language/@ident") == ["fr"]


def test_the_body_has_the_blocks_in_order_without_notes():
    body = read(FULL).find(".//t:body", NAMES)
    shape = [(etree.QName(node).localname, node.get("rend")) for node in body]
    assert shape == [
        ("head", None), ("p", "lead"), ("figure", None), ("p", None), ("p", "head"), ("list", None), ("p", "quote"),
        ("table", None), ("list", None),
    ]  # fmt: skip
    assert found(body, "t:p") == ["Un chapeau", "Il dit « oui ».", "Inter", "Cité"]
    assert found(body, "t:list/t:item") == ["un", "deux", "fin"]
    assert found(body, "t:table/t:row[2]/t:cell") == ["c", "d"]
    assert found(body, "t:figure/t:head") + found(body, "t:figure/t:figDesc") == ["Légende", "alt"]
    assert found(body, "t:figure/t:graphic/@url") == ["https://a.vn/%C3%A9%20x.jpg?a=1&b=%25zz"]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://a.vn:81/b?c=[1]#d#e", "https://a.vn:81/b?c=%5B1%5D#d%23e"),
        ("/images/é.jpg", "/images/%C3%A9.jpg"),
        ("//a.vn/b", "%2F%2Fa.vn%2Fb"),
        ("12:30", "12%3A30"),
        ("http://[::1]:x/", "http%3A//%5B%3A%3A1%5D%3Ax/"),
        ("javascript:alert(1)", "javascript%3Aalert%281%29"),
    ],
)
def test_every_address_is_a_valid_uri(url, expected):
    tree = read(Article("t", blocks=(ImageBlock(url),)), fetched_url=url)
    assert found(tree, "//t:graphic/@url") == found(tree, "//t:ref/@target") == [expected]
    assert found(tree, "//t:ref") == [url]


def test_control_characters_become_symbols_and_everything_else_stays():
    said = "a\x00\x1b\x0b\r\n\t\x7f\x85\u202e\ufffe\ud800z"
    (title,) = found(read(Article(said)), "//t:titleStmt/t:title")
    assert title == "a␀␛␋\r\n\t\x7f\x85\u202e\ufffd\ufffdz"


@pytest.mark.parametrize(
    ("clean", "expected"),
    [
        (False, ["stratégiede", "fin"]),
        (True, ["stratégie de", "fin"]),
    ],
)
def test_clean_has_the_repaired_text(clean, expected):
    article = Article(
        "t", blocks=(TextBlock("heading", "stratégiede"), ImageBlock(None), TextBlock("paragraph", "fin"))
    )
    reading = Reading("stratégie de\n\nfin", (Repair("glued-words", 0, "stratégiede", "stratégie de"),))
    tree = read(article, clean=clean, reading=reading)
    assert found(tree, "//t:body/t:p") == expected
    assert found(tree, "//t:body/t:p[@rend='head']") == expected[:1]


def test_repairs_that_join_blocks_leave_no_text_out():
    article = Article(
        "t", blocks=(TextBlock("paragraph", "a"), TextBlock("heading", "b"), ImageBlock(None), TextBlock("note", "n"))
    )
    tree = read(article, clean=True, reading=Reading("a b"))
    assert found(tree, "//t:body/t:p") == ["a b"]
    assert len(tree.findall(".//t:figure", NAMES)) == 1


def test_a_corpus_has_all_texts():
    out = io.StringIO()
    articles = [stored(FULL), stored(replace(FULL, title="Autre"), id=-1), stored(FULL, revision=2)]
    assert export.corpus(articles, out) == 3
    tree = etree.fromstring(out.getvalue().encode())
    SCHEMA.assertValid(tree)
    assert found(tree, "/t:teiCorpus/t:TEI/@xml:id") == ["vna7r1", "vnai1r1", "vna7r2"]


def test_a_corpus_without_texts_is_refused():
    with pytest.raises(BadInput, match="at least one"):
        export.corpus([], io.StringIO())
