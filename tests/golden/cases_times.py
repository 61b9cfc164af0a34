"""The publication time: the order of trust, and times that must not be used."""

from __future__ import annotations

from chrome import QUAIS, TWO_STORIES, figure, json_ld, news_article, story, time_tag
from kit import P1, P3, PUBLISHED, STANDARD, TITLE, article_page, body, case, img, p, without

AT = "2026-01-02T08:00:11+07:00"
EPOCH = "1767315611"


def times(name, about, dossier, expected, *, published=None, time="", checks=None, **options):
    """Register a case whose article has only these times. `expected` is the expected `published_at`."""
    expect = STANDARD | {"published_at": expected}
    case(name, article_page(published=published, time=time, **options), about, dossier, expect, **(checks or {}))


times("time_meta_only", "only article:published_time", "4 15", AT, published=AT)
times(
    "time_datetime_attribute",
    "only time[datetime], offset without colon: published_at has the colon, published_raw is unchanged",
    "5 15 18.11",
    AT,
    time=time_tag("2026-01-02T08:00:11+0700", None, ""),
    checks={"contains": {"published_raw": ["2026-01-02T08:00:11+0700"]}},
)
times(
    "time_epoch_attribute",
    "only data-time: epoch seconds become Hanoi time",
    "5 15 18.11",
    AT,
    time=time_tag(None, EPOCH, ""),
    checks={"contains": {"published_raw": [EPOCH]}},
)
times(
    "time_epoch_before_json_ld",
    "data-time is preferred to JSON-LD",
    "15",
    AT,
    time=time_tag(None, EPOCH, ""),
    ld=json_ld(news_article(TITLE, datePublished="2026-01-03T09:00:00+07:00")),
)
times(
    "time_json_ld_only",
    "only JSON-LD datePublished",
    "4 15",
    AT,
    ld=json_ld(news_article(TITLE, datePublished=AT)),
)
times(
    "time_json_ld_epoch_number",
    "JSON-LD datePublished is a JSON number of epoch seconds",
    "15 18.11",
    AT,
    ld=json_ld(news_article(TITLE, datePublished=int(EPOCH))),
)
times(
    "time_json_ld_epoch_string",
    "JSON-LD datePublished is a string of epoch seconds",
    "15 18.11",
    AT,
    ld=json_ld(news_article(TITLE, datePublished=EPOCH)),
)
times(
    "time_json_ld_before_visible",
    "JSON-LD is preferred to the visible text",
    "15",
    AT,
    time=time_tag(None, None, "03/01/2026 09:00"),
    ld=json_ld(news_article(TITLE, datePublished=AT)),
)
times(
    "time_visible_only",
    "only the visible text: day first, Hanoi time",
    "5 15",
    "2026-02-03T08:05:00+07:00",
    time=time_tag(None, None, "03/02/2026 08:05"),
)
times(
    "time_visible_with_weekday",
    "the visible text with a weekday and a dash",
    "5 15",
    "2026-01-02T08:05:00+07:00",
    time=time_tag(None, None, "Vendredi, 02/01/2026 - 08:05"),
)
times("time_meta_wins", "meta, data-time, JSON-LD and text all differ: meta is used", "15", PUBLISHED, published=PUBLISHED,
      time=time_tag("2025-05-01T00:00:00+0700", "1746032400", "01/05/2025 00:00"),
      ld=json_ld(news_article(TITLE, datePublished="2025-05-02T00:00:00+07:00")))  # fmt: skip
times(
    "time_meta_without_offset",
    "meta without an offset is Hanoi time",
    "15",
    AT,
    published="2026-01-02T08:00:11",
)
times(
    "time_meta_without_colon",
    "meta with +0700",
    "15 18.11",
    AT,
    published="2026-01-02T08:00:11+0700",
)
case(
    "time_meta_utc",
    article_page(published="2026-01-02T01:00:11Z", time=""),
    "meta in UTC with Z: the same instant; the notation is not checked",
    "15 18.11",
    without("published_at"),
    same_instant={"published_at": AT},
)
case(
    "time_meta_fraction",
    article_page(published="2026-01-02T08:00:11.0000000+07:00", time=""),
    "meta with seven fractional digits, as written by .NET",
    "15",
    without("published_at"),
    same_instant={"published_at": AT},
)
times(
    "time_meta_zone_by_name",
    "meta in the format of e-mail, in GMT: converted to Hanoi time",
    "15",
    "2026-01-02T08:00:11+07:00",
    published="Fri, 02 Jan 2026 01:00:11 GMT",
    checks={"contains": {"published_raw": ["01:00:11 GMT"]}},
)
times(
    "time_meta_vietnamese_half_day",
    "meta with CH (chiều), which means p.m.",
    "15",
    "2026-01-02T14:30:00+07:00",
    published="02/01/2026 02:30 CH",
)
times(
    "time_meta_ambiguous_zone",
    "meta with a zone that has several meanings: no time, and a problem",
    "15",
    None,
    published="02/01/2026 10:30 IST",
    checks={"problems": True},
)
case(
    "time_visible_update_and_publication",
    article_page(
        published=None, time=time_tag(None, None, "Mis à jour le 30/08/2024 à 12:40 - Publié le 27/08/2024 à 20:18")
    ),
    "the visible text has the update before the publication",
    "5 15",
    STANDARD
    | {"published_at": "2024-08-27T20:18:00+07:00", "modified_at": "2024-08-30T12:40:00+07:00", "problems": []},
)
times(
    "time_meta_malformed",
    "meta is not a date: the next source is used",
    "15 18.11",
    AT,
    published="Invalid date",
    time=time_tag("2026-01-02T08:00:11+0700", EPOCH, "02/01/2026 08:00"),
)
times(
    "time_meta_impossible",
    "meta is an impossible date: the next source is used",
    "15 18.11",
    AT,
    published="2026-02-30T25:61:00+07:00",
    time=time_tag("2026-01-02T08:00:11+0700", EPOCH, ""),
)
times(
    "time_meta_empty",
    "empty meta: the next source is used",
    "15 18.11",
    AT,
    published="",
    time=time_tag("2026-01-02T08:00:11+0700", None, ""),
)
case(
    "time_meta_year_one",
    article_page(published="0001-01-01T00:00:00+07:00", time=""),
    "meta is the zero date of .NET, which is out of range in UTC: the article is read and not dated to the year 1",
    "15 18.11",
    without("published_at"),
    excludes={"published_at": ["0001-"]},
    problems=True,
)
for name, epoch in {"zero": "0", "negative": "-62135596800", "huge": "17673156110001234", "words": "NaN"}.items():
    times(
        f"time_epoch_{name}",
        f"data-time is unusable ({name}), JSON-LD has the time",
        "15 18.11",
        AT,
        time=time_tag(None, epoch, ""),
        ld=json_ld(news_article(TITLE, datePublished=AT)),
    )
times(
    "time_future",
    "published_time is three days after the page was fetched (scheduled): kept, and a problem",
    "15 18.11",
    "2026-12-04T06:00:00+07:00",
    published="2026-12-04T06:00:00+07:00",
    checks={"problems": True},
)
times(
    "time_older_than_id",
    "published_time is years earlier than the id suggests (backdated): kept",
    "15 18.11",
    "2011-03-01T06:00:00+07:00",
    published="2011-03-01T06:00:00+07:00",
)
NO_TIME = "no time of the article anywhere: null and a problem, not the fetch time"
times("time_none", NO_TIME, "15 18.11", None, checks={"problems": True})
FOREIGN = story(QUAIS[1], QUAIS[0], when=time_tag("2026-11-30T10:00:00+0700", "1796007600", "30/11/2026 10:00"))
times(
    "time_only_of_other_stories",
    "only other stories and the page header have a time: null and a problem",
    "15",
    None,
    before=f'<div class="box-content">{FOREIGN}</div>',
    related=TWO_STORIES + f'<div class="box-content">{FOREIGN}</div>',
    checks={"problems": True},
)
times(
    "time_only_of_preloaded_article",
    "only the preloaded next article has a time: null and a problem",
    "15",
    None,
    after='<div class="main-col content-col"><h1 class="article__title cms-title">Suite</h1><div class="article__meta">'
    + time_tag("2026-11-30T10:00:00+0700", "1796007600", "30/11/2026 10:00")
    + '</div><div class="article__body cms-body"><p>Texte suivant.</p></div></div>',
    checks={"problems": True},
)
DATED = "Le 02/01/2026 à 08:00, le premier navire de l’année a accosté au quai 3."
DATED_PICTURE = "https://mediafr.vietnamplus.vn/t660/uploaded/wbxx/2026_01_02/quai.jpg"
case(
    "time_in_body_text",
    article_page(f"<p>{P1}</p><p>{DATED}</p>{figure(DATED_PICTURE)}<p>{P3}</p>", published=None, time=""),
    "dates in the body text and in a picture's URL are not the publication time: null and a problem",
    "15",
    STANDARD
    | {"published_at": None}
    | body(p(P1), p(DATED), img(DATED_PICTURE, alt="", caption=None, credit=None), p(P3)),
    problems=True,
)
case(
    "modified_meta",
    article_page(extra='<meta property="article:modified_time" content="2025-04-30T09:15:00+07:00">'),
    "article:modified_time is present",
    "4",
    STANDARD | {"modified_at": "2025-04-30T09:15:00+07:00"},
)
case(
    "modified_json_ld",
    article_page(ld=json_ld(news_article(TITLE, datePublished=PUBLISHED, dateModified="2025-04-30T09:15:00+0700"))),
    "JSON-LD dateModified, offset without colon",
    "4",
    STANDARD | {"modified_at": "2025-04-30T09:15:00+07:00"},
)
