"""Variants of JSON-LD. Each page has its time only there, so the time shows whether the JSON-LD was read."""

from __future__ import annotations

import json

from chrome import breadcrumb_list, json_ld, news_article
from kit import STANDARD, TITLE, article_page, case

AT = "2026-01-02T08:00:11+07:00"
NEWS = news_article(TITLE, datePublished=AT)
CRUMBS = breadcrumb_list("Economie")
SITE = {"@type": "WebSite", "name": "Vietnam+", "datePublished": "2008-09-11T00:00:00+07:00"}
READ = STANDARD | {"published_at": AT, "section": "Economie"}


def ld(name, script, about, expect=None):
    """Register a case with this JSON-LD and without a time or a section elsewhere."""
    page = article_page(ld=script, published=None, section=None, time="")
    case(f"json_ld_{name}", page, about, "4", READ if expect is None else expect)


def script(text):
    """Return a JSON-LD script with `text` as its content."""
    return f'<script type="application/ld+json">{text}</script>\n'


ld("separate", json_ld(SITE) + json_ld(NEWS) + json_ld(CRUMBS), "several scripts; another object also has a date")
ld("graph", json_ld({"@context": "https://schema.org", "@graph": [SITE, NEWS, CRUMBS]}), "one script with @graph")
ld("list", json_ld([SITE, CRUMBS, NEWS]), "one script with a list")
ld("type_list", json_ld(NEWS | {"@type": ["Article", "NewsArticle"]}) + json_ld(CRUMBS), "@type is a list")
ld("cdata", script(f"//<![CDATA[\n{json.dumps([NEWS, CRUMBS])}\n//]]>"), "wrapped in a commented CDATA section")
ld("html_comment", script(f"<!--\n{json.dumps([NEWS, CRUMBS])}\n-->"), "wrapped in an HTML comment")
ld(
    "one_broken",
    script('{"@type": "NewsArticle", "headline": "Le "dialogue" commence", }') + json_ld(NEWS) + json_ld(CRUMBS),
    "one script is not valid JSON (unescaped quotes, trailing comma): the others are still read",
)
ld(
    "raw_newline",
    script(json.dumps(NEWS).replace("Le Vietnam", "Le\nVietnam\t", 1)) + json_ld(CRUMBS),
    "a raw newline and tab inside a JSON string, as from hand-written templates",
)
ld("type_attribute_variants", json_ld([NEWS, CRUMBS]).replace("application/ld+json", "Application/LD+JSON; charset=utf-8"),
   "script type in upper case with a parameter")  # fmt: skip
ld("empty", script("") + script("null") + script("[]") + script('"x"') + script("{}") + json_ld([NEWS, CRUMBS]),
   "empty scripts, null, a string, {} and [] before the actual one")  # fmt: skip
ld("all_broken", script("{") + script("undefined"),
   "no script is readable: the section comes from the visible breadcrumb, there is no time, and the article is still read",
   STANDARD | {"published_at": None})  # fmt: skip
ld("wrong_types", json_ld({"@type": "NewsArticle", "headline": ["x"], "datePublished": {"@value": 3}, "author": 7}) +
   json_ld({"@type": "BreadcrumbList", "itemListElement": None}),
   "values of the wrong type are ignored", STANDARD | {"published_at": None})  # fmt: skip
ld("of_listed_stories", json_ld({"@type": "ItemList", "itemListElement": [news_article("Autre", datePublished="2026-11-30T09:00:00+07:00")]})
   + json_ld(NEWS) + json_ld(CRUMBS), "a list of other stories with their times comes first")  # fmt: skip
ld("crumb_item_is_url", json_ld(NEWS) + json_ld({"@type": "BreadcrumbList", "itemListElement": [
    {"@type": "ListItem", "position": 1, "name": "Economie", "item": "https://fr.vietnamplus.vn/economie/"}]}),
   "the breadcrumb's item is a URL and its name is a separate key")  # fmt: skip
