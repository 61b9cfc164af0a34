"""Citations in the formats of reference managers, with special characters in every field."""

from __future__ import annotations

from dataclasses import replace

import pytest

from crawler import citation
from crawler.citation import CitedCapture
from crawler.types import Article, Reading, StoredArticle

CAPTURE = CitedCapture("2026-11-21T08:00:00Z", "sha256:ABC=")
ARTICLE = Article(
    "Le Vietnam & 50 % de {riz}\n_ici_",
    published_at="2025-04-29T14:30:44+07:00",
    byline="Xuân Lan",
    url="https://x/canonical",
)
STORED = StoredArticle(-7, ARTICLE, Reading(""), 2, "gone", "", "", 3, fetched_url='https://x/{a}"b-post7.vnp?c=%20#d')
PLAIN = replace(STORED, article=Article("Titre"), fetched_url=None, state="live")


def test_text():
    assert citation.text(STORED, CAPTURE) == (
        "Le Vietnam & 50 % de {riz} _ici_. Agence vietnamienne d'information, Xuân Lan, 2025-04-29T14:30:44+07:00. "
        'https://x/{a}"b-post7.vnp?c=%20#d (capture of 2026-11-21T08:00:00Z, sha256:ABC=, revision 2, no longer on the site).'
    )
    assert citation.text(PLAIN, CAPTURE) == (
        "Titre. Agence vietnamienne d'information. Imported text (capture of 2026-11-21T08:00:00Z, sha256:ABC=, revision 2)."
    )


def test_bibtex():
    found = citation.bibtex(STORED, CAPTURE)
    for part in (
        "@online{vnai7r2,", r"title = {{Le Vietnam \& 50 \% de \{riz\} \_ici\_}},", "author = {{Xuân Lan}},",
        "date = {2025-04-29},", "url = {https://x/%7Ba%7D%22b-post7.vnp?c=%20#d},", "urldate = {2026-11-21},",
    ):  # fmt: skip
        assert part in found
    plain = citation.bibtex(PLAIN, CAPTURE)
    assert "author" not in plain
    assert "url =" not in plain


def test_ris():
    lines = citation.ris(STORED, CAPTURE).splitlines()
    assert lines[:3] == ["TY  - NEWS", "TI  - Le Vietnam & 50 % de {riz} _ici_", "AU  - Xuân Lan"]
    assert "DA  - 2025/04/29" in lines
    assert lines[-1] == "ER  - "
    assert not any(line.startswith(("AU", "DA", "UR")) for line in citation.ris(PLAIN, CAPTURE).splitlines())


def test_csl_json():
    (item,) = citation.csl_json(STORED, CAPTURE)
    assert item["issued"] == {"date-parts": [[2025, 4, 29]]}
    assert item["accessed"] == {"date-parts": [[2026, 11, 21]]}
    assert item["author"] == [{"literal": "Xuân Lan"}]
    assert item["URL"] == STORED.fetched_url
    assert not {"issued", "author", "URL"} & citation.csl_json(PLAIN, CAPTURE)[0].keys()


@pytest.mark.parametrize("published", ["hier", "2025-13-01", ""])
def test_an_invalid_day_is_left_out(published):
    stored = replace(STORED, article=replace(ARTICLE, published_at=published))
    assert "  date = " not in citation.bibtex(stored, CAPTURE)


def test_an_article_without_a_capture_has_no_time_of_access():
    none = CitedCapture("", "")
    assert citation.text(PLAIN, none).endswith("Imported text (no capture, revision 2).")
    assert "urldate" not in citation.bibtex(PLAIN, none)
    assert "Y2" not in citation.ris(PLAIN, none)
    assert "accessed" not in citation.csl_json(PLAIN, none)[0]
