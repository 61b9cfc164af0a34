"""Run one peer on the cases, in that peer's own environment; print one JSON object per case.

Each peer is used as its documentation shows, with the URL of the page if it accepts one. Fields that a peer does not
extract (captions, a lead) stay empty.
"""

import base64
import json
import logging
import sys


def trafilatura(html, url):
    import trafilatura

    found = trafilatura.extract(html, url=url, with_metadata=True, output_format="json")
    data = json.loads(found) if found else {}
    return {
        "title": data.get("title"),
        "lead": data.get("description") or data.get("excerpt"),
        "paragraphs": lines(data.get("text")),
        "instant": data.get("date"),
    }


def newspaper4k(html, url):
    from newspaper import Article

    article = Article(url, language="fr")
    article.download(input_html=html.decode("utf-8", "replace"))
    article.parse()
    when = article.publish_date
    return {
        "title": article.title,
        "lead": article.meta_description,
        "paragraphs": lines(article.text),
        "instant": when.isoformat() if when else None,
    }


def newsplease(html, url):
    from newsplease import NewsPlease

    article = NewsPlease.from_html(html.decode("utf-8", "replace"), url=url, fetch_images=False)
    when = article.date_publish
    return {
        "title": article.title,
        "lead": article.description,
        "paragraphs": lines(article.maintext),
        "instant": when.isoformat() if when else None,
    }


def readability(html, url):
    import lxml.html
    from readability import Document

    document = Document(html.decode("utf-8", "replace"), url=url)
    body = lxml.html.fromstring(document.summary(html_partial=True))
    return {"title": document.short_title(), "paragraphs": [" ".join(p.text_content().split()) for p in body.iter("p")]}


def fundus(html, url):
    """Use the utilities of Fundus, which has no generic parser: a parser is written for each publisher."""
    import lxml.html
    from fundus.parser.data import LinkedDataMapping
    from fundus.parser.utility import generic_date_parsing, get_meta_content

    document = lxml.html.document_fromstring(html.decode("utf-8", "replace"))
    linked = []
    for script in document.xpath('//script[@type="application/ld+json"]/text()'):
        try:
            linked.append(json.loads(script))
        except ValueError:
            continue
    data = LinkedDataMapping([item for item in linked if isinstance(item, dict)])
    meta = get_meta_content(document)
    when = generic_date_parsing(data.bf_search("datePublished") or meta.get("article:published_time"))
    return {
        "title": data.bf_search("headline") or meta.get("og:title"),
        "lead": data.bf_search("description") or meta.get("og:description"),
        "paragraphs": [],
        "instant": when.isoformat() if when else None,
    }


class Learning:
    """AutoScraper with the rules that it learned from the examples of the last case that has any."""

    scraper = None


def autoscraper(html, url, examples):
    from autoscraper import AutoScraper

    if examples:
        Learning.scraper = AutoScraper()
        for example in examples:
            wanted = {"text": example["paragraphs"]}
            Learning.scraper.build(html=example["html"], wanted_dict=wanted, update=True)
    page, grouped = html.decode("utf-8", "replace"), {"group_by_alias": True, "keep_order": True}
    found = Learning.scraper.get_result_similar(html=page, **grouped)
    siblings = Learning.scraper.get_result_similar(html=page, contain_sibling_leaves=True, **grouped)
    texts = ([text for text in one.get("text", []) if isinstance(text, str)] for one in (found, siblings))
    return dict(zip(("paragraphs", "siblings"), texts, strict=True))


def lines(text):
    return [line.strip() for line in (text or "").splitlines() if line.strip()]


RUN = {
    "trafilatura": trafilatura, "newspaper4k": newspaper4k, "news-please": newsplease, "readability": readability,
    "fundus": fundus, "autoscraper": autoscraper,
}  # fmt: skip


def main():
    logging.disable(logging.CRITICAL)
    name, file = sys.argv[1:3]
    with open(file, encoding="utf-8") as cases:
        for line in cases:
            case = json.loads(line)
            try:
                more = (case.get("examples"),) if name == "autoscraper" else ()
                found = RUN[name](base64.b64decode(case["html"]), case["url"], *more)
            except Exception as error:  # a peer may raise anything on an odd page: this counts as a miss
                found = {"error": repr(error)[:200]}
            print(json.dumps(found, default=str), flush=True)


if __name__ == "__main__":
    main()
