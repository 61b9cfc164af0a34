"""The URL of the page: canonical link, old and current form, percent-encoding, other hosts."""

from __future__ import annotations

from kit import OLD_URL, STANDARD, URL, article_page, case, without

HU = "https://fr.vietnamplus.vn/plusieurs-dignitaires-etrangers-presentent-ses-v{}ux-du-nouvel-an-lunaire/38235.vnp"
LIGATURE = without("url", post_id=38235)

case(
    "canonical_missing",
    article_page(canonical=None),
    "no canonical link: the URL of the fetch is used",
    "2 4",
    STANDARD,
)
case(
    "canonical_empty",
    article_page(canonical=""),
    "an empty canonical link is ignored",
    "4",
    STANDARD,
)
case(
    "canonical_relative",
    article_page(canonical=URL.removeprefix("https://fr.vietnamplus.vn")),
    "relative canonical link: `url` is absolute",
    "4",
    STANDARD,
)
case(
    "canonical_http",
    article_page(canonical=URL.replace("https:", "http:")),
    "canonical link with http, page fetched with https: `url` has https",
    "2 18.19",
    STANDARD,
)
case(
    "canonical_other_host",
    article_page(canonical=URL.replace("fr.vietnamplus.vn", "miroir.example")),
    "canonical link to another host: ignored, `url` is the URL of the fetch",
    "18.19",
    STANDARD,
)
case(
    "canonical_new_form_for_old_url",
    article_page(canonical=URL),
    "requested in the old form, canonical in the current form: same id; which form `url` has is not checked",
    "2 18.1",
    without("url"),
    url=OLD_URL,
)
case(
    "canonical_old_form_for_new_url",
    article_page(canonical=OLD_URL),
    "requested in the current form, canonical in the old form: same id; which form `url` has is not checked",
    "2 18.1",
    without("url"),
)
case(
    "canonical_other_slug_same_id",
    article_page(canonical=URL.replace("renforcent-leur", "approfondissent-la")),
    "slug changed after publication: the id identifies the article; which slug `url` has is not checked",
    "2 18.12",
    without("url"),
)
case(
    "canonical_other_id",
    article_page(canonical=URL.replace("245060", "245061")),
    "canonical link to another article of the site: readable, but a problem; which id it gets is not checked",
    "2 18.1",
    without("url", "post_id"),
    problems=True,
)
case(
    "url_percent_encoded_ligature",
    article_page(url=HU.format("%C5%93"), canonical=HU.format("œ")),
    "URL with percent-encoded œ, canonical with the raw letter; the encoding of `url` is not checked",
    "2 18.1",
    LIGATURE,
    url=HU.format("%C5%93"),
)
case(
    "url_percent_lower_case_ligature",
    article_page(url=HU.format("%c5%93"), canonical=HU.format("%C5%93")),
    "lower- and upper-case percent-encoding are the same URL; the encoding of `url` is not checked",
    "2 18.1",
    LIGATURE,
    url=HU.format("%c5%93"),
)
case(
    "url_raw_ligature",
    article_page(url=HU.format("œ"), canonical=None),
    "URL with a raw œ, no canonical link; the encoding of `url` is not checked",
    "2 18.1",
    LIGATURE,
    url=HU.format("œ"),
)
case(
    "url_query_and_fragment",
    article_page(),
    "URL with a tracking query and a fragment, canonical without",
    "2 18.1",
    STANDARD,
    url=URL + "?utm_source=facebook&utm_medium=social#comments",
)
case(
    "url_query_without_canonical",
    article_page(canonical=None),
    "URL with a tracking query and a fragment, no canonical link: the id is still found; `url` is not checked",
    "2 18.1",
    without("url"),
    url=URL + "?utm_source=facebook#xtor=RSS-1",
)
#: The stories under "Voir plus" have relative links. Their scheme and host are not checked.
RELATED = [{key: value for key, value in item.items() if key != "url"} for item in STANDARD["related"]]
case(
    "url_mobile_host",
    article_page(),
    "fetched from the mobile host, canonical on the main host: same id; `url` and the host of related links are not checked",
    "18.19",
    without("url", related=RELATED),
    url=URL.replace("fr.vietnamplus.vn", "m.fr.vietnamplus.vn"),
)
case(
    "url_http",
    article_page(),
    "fetched with http, canonical with https: `url` has https; the scheme of related links is not checked",
    "18.19",
    STANDARD | {"related": RELATED},
    url=URL.replace("https:", "http:"),
)
LONG = "https://fr.vietnamplus.vn/" + "-".join(["cooperation"] * 20) + "-2030-post245060.vnp"
case(
    "url_very_long_with_numbers",
    article_page(url=LONG),
    "a 240-character slug that ends with a year before the id",
    "2",
    STANDARD | {"url": LONG},
    url=LONG,
)
