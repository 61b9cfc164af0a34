"""The address of the page: canonical link, old and new form, percent-encoding, other hosts."""

from __future__ import annotations

from kit import OLD_URL, STANDARD, URL, article_page, case, without

HU = "https://fr.vietnamplus.vn/plusieurs-dignitaires-etrangers-presentent-ses-v{}ux-du-nouvel-an-lunaire/38235.vnp"
LIGATURE = without("url", post_id=38235)

case(
    "canonical_missing",
    article_page(canonical=None),
    "no canonical link: the page's own address",
    "2 4",
    STANDARD,
)
case(
    "canonical_empty",
    article_page(canonical=""),
    "an empty canonical link is none",
    "4",
    STANDARD,
)
case(
    "canonical_relative",
    article_page(canonical=URL.removeprefix("https://fr.vietnamplus.vn")),
    "a relative canonical link: the address in the record is absolute",
    "4",
    STANDARD,
)
case(
    "canonical_http",
    article_page(canonical=URL.replace("https:", "http:")),
    "the canonical link says http, the page came by https: one article, address with https",
    "2 18.19",
    STANDARD,
)
case(
    "canonical_other_host",
    article_page(canonical=URL.replace("fr.vietnamplus.vn", "miroir.example")),
    "the canonical link points to another host: not followed outside the site; the address stays the page's own",
    "18.19",
    STANDARD,
)
case(
    "canonical_new_form_for_old_url",
    article_page(canonical=URL),
    "asked for in the old form, canonical in the current one: same id; which of the two is `url` is left open",
    "2 18.1",
    without("url"),
    url=OLD_URL,
)
case(
    "canonical_old_form_for_new_url",
    article_page(canonical=OLD_URL),
    "asked for in the current form, canonical in the old one: same id; which of the two is `url` is left open",
    "2 18.1",
    without("url"),
)
case(
    "canonical_other_slug_same_id",
    article_page(canonical=URL.replace("renforcent-leur", "approfondissent-la")),
    "the slug was changed after publication: the id is the article; which slug `url` has is left open",
    "2 18.12",
    without("url"),
)
case(
    "canonical_other_id",
    article_page(canonical=URL.replace("245060", "245061")),
    "the canonical link names another article of the site: readable, but a problem; whose id it gets is left open",
    "2 18.1",
    without("url", "post_id"),
    problems=True,
)
case(
    "url_percent_encoded_ligature",
    article_page(url=HU.format("%C5%93"), canonical=HU.format("œ")),
    "address with œ percent-encoded, canonical with the raw letter; how `url` is written is left open",
    "2 18.1",
    LIGATURE,
    url=HU.format("%C5%93"),
)
case(
    "url_percent_lower_case_ligature",
    article_page(url=HU.format("%c5%93"), canonical=HU.format("%C5%93")),
    "percent-encoding in lower and upper case is the same address; how `url` is written is left open",
    "2 18.1",
    LIGATURE,
    url=HU.format("%c5%93"),
)
case(
    "url_raw_ligature",
    article_page(url=HU.format("œ"), canonical=None),
    "address with a raw œ, no canonical link; how `url` is written is left open",
    "2 18.1",
    LIGATURE,
    url=HU.format("œ"),
)
case(
    "url_query_and_fragment",
    article_page(),
    "tracking query and fragment on the address, canonical without",
    "2 18.1",
    STANDARD,
    url=URL + "?utm_source=facebook&utm_medium=social#comments",
)
case(
    "url_query_without_canonical",
    article_page(canonical=None),
    "tracking query and fragment, no canonical link: the id is still found; `url` is left open",
    "2 18.1",
    without("url"),
    url=URL + "?utm_source=facebook#xtor=RSS-1",
)
#: The stories under "Voir plus" have relative links: whose scheme and host they get is left open.
RELATED = [{key: value for key, value in item.items() if key != "url"} for item in STANDARD["related"]]
case(
    "url_mobile_host",
    article_page(),
    "fetched from a mobile host, canonical on the main one: same id; `url` and the host of related links are left open",
    "18.19",
    without("url", related=RELATED),
    url=URL.replace("fr.vietnamplus.vn", "m.fr.vietnamplus.vn"),
)
case(
    "url_http",
    article_page(),
    "fetched by http, canonical with https: `url` has https; the scheme of related links is left open",
    "18.19",
    STANDARD | {"related": RELATED},
    url=URL.replace("https:", "http:"),
)
LONG = "https://fr.vietnamplus.vn/" + "-".join(["cooperation"] * 20) + "-2030-post245060.vnp"
case(
    "url_very_long_with_numbers",
    article_page(url=LONG),
    "a slug of 240 characters that ends in a year before the id",
    "2",
    STANDARD | {"url": LONG},
    url=LONG,
)
