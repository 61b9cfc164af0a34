"""One page for each layout, which is chosen by the fetch date."""

from __future__ import annotations

from chrome import time_tag
from kit import BODY, LEAD, STANDARD, TITLE, article_page, case

case(
    "layout_current",
    article_page(),
    "a page fetched in December 2026 is read with the current layout",
    "5",
    STANDARD | {"markup": "cms-2024", "problems": []},
)

OLD_TIME = "2018-09-19T09:12:00+07:00"
case(
    "layout_before_mid_2022",
    article_page(
        f'<div class="cms-body">\n{BODY}</div>\n',
        title_html=f'<h1 class="article__header cms-title">{TITLE}</h1>\n',
        lead_html=f'<h2 class="cms-desc">{LEAD}</h2>\n',
        time=time_tag("2018-09-19T09:12:00+0700", "1537323120", "19/09/2018 09:12"),
        published=OLD_TIME,
        body_tag='<div class="article__body">',
    ),
    "a capture of 2018 is read with the layout of that time: nested body, h1.article__header, lead in h2",
    "5 6 18.2",
    STANDARD | {"markup": "cms-2016", "published_at": OLD_TIME, "problems": []},
    fetched_at="2018-09-20T02:00:00+00:00",
)
