"""Charts as SVG: bars by day, a heat map of months, and lines of terms by month.

The charts take their colours from the style sheet (classes), so that they follow the theme and print. Each has a text
alternative; the page shows a table with the same numbers. An empty month is hatched.

Boundary: numbers in, SVG text out. The only texts are made by this package, and they are escaped.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from markupsafe import Markup, escape

from crawler.room.language import Language

_HATCH = (
    '<defs><pattern id="empty" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<rect class="hatch-ground" width="5" height="5"/><rect class="hatch" width="1.2" height="5"/></pattern></defs>'
)
STEPS = 5  # shades of the heat map
_BAR = 12  # pixels for a day
_CELL, _ROW, _LEFT, _TOP = 26, 19, 40, 18
_MONTHS_WITH_YEARS = 96  # with more months, only every second year has a label
DASHES = ("", "7 4", "2 3", "10 3 2 3")


def days_between(first: str, last: str) -> list[str]:
    """Return the days from `first` to `last`, both included."""
    start = date.fromisoformat(first)
    return [(start + timedelta(days=n)).isoformat() for n in range((date.fromisoformat(last) - start).days + 1)]


def months_between(first: str, last: str) -> list[str]:
    """Return the months from `first` to `last`, such as `2024-01`, both included."""
    start, end = (int(month[:4]) * 12 + int(month[5:7]) - 1 for month in (first, last))
    return [f"{n // 12:04}-{n % 12 + 1:02}" for n in range(start, end + 1)]


def bars(counts: Sequence[tuple[str, int]], title: str, labels: Sequence[str]) -> Markup:
    """Return a bar chart. `labels` are the texts of the bars; the number of the highest bar is written above it."""
    width, height, base = _BAR * max(len(counts), 1), 128, 104
    most = max((count for _, count in counts), default=0) or 1
    parts = [_start(width, height, title)]
    marked = False
    for n, ((name, count), label) in enumerate(zip(counts, labels, strict=True)):
        x, high = _BAR * n, count * 84 / most
        parts.append(f"<g><title>{escape(label)}</title>")
        parts.append(
            f'<rect class="bar" x="{x + 2}" y="{base - high:.1f}" width="8" height="{high:.1f}"/>'
            if count
            else f'<rect fill="url(#empty)" x="{x + 2}" y="{base - 6}" width="8" height="6"/>'
        )
        if count == most and not marked:
            parts.append(
                f'<text class="axis" x="{x + 6}" y="{base - high - 4:.1f}" text-anchor="middle">{count}</text>'
            )
            marked = True
        if name[8:] in ("01", "10", "20"):
            parts.append(f'<text class="axis" x="{x + 6}" y="{base + 16}" text-anchor="middle">{int(name[8:])}</text>')
        parts.append("</g>")
    parts.append(f'<path class="line" d="M0 {base + 0.5}H{width}"/></svg>')
    return Markup("".join(parts))  # noqa: S704 - every text above is escaped


@dataclass(frozen=True, slots=True)
class HeatMap:
    """A heat map, and the lower bound of each of its shades, for the legend."""

    svg: Markup
    bounds: tuple[int, ...]


def heat_map(counts: Mapping[str, int], missing: Mapping[str, int], first: str, last: str, chosen: Language) -> HeatMap:
    """Return a heat map with one row for each year. A month with missing articles has a dot."""
    years = range(int(first[:4]), int(last[:4]) + 1)
    step = _rounded(max(counts.values(), default=0) / STEPS)
    bounds = (1, *(step * n for n in range(1, STEPS) if step > 1))
    title = chosen.gettext("Articles by month")
    parts = [_start(_LEFT + 12 * _CELL, _TOP + _ROW * len(years), title)]
    for n in range(12):
        letter = chosen.month(f"2000-{n + 1:02}")[:1].upper()
        parts.append(f'<text class="axis" x="{_LEFT + n * _CELL + 12}" y="12" text-anchor="middle">{letter}</text>')
    for row, year in enumerate(years):
        y = _TOP + row * _ROW
        parts.append(f'<text class="axis" x="{_LEFT - 6}" y="{y + 13}" text-anchor="end">{year}</text>')
        for n in range(12):
            month = f"{year:04}-{n + 1:02}"
            if first <= month <= last:
                parts.append(_cell(_LEFT + n * _CELL, y, month, counts, missing, bounds, chosen))
    return HeatMap(Markup("".join([*parts, "</svg>"])), bounds)  # noqa: S704 - every text above is escaped


def _rounded(number: float) -> int:
    """Return a number rounded up to one digit and zeros."""
    power = int(10 ** int(math.log10(max(number, 1))))
    return math.ceil(number / power) * power


def _cell(
    x: int, y: int, month: str, counts: Mapping[str, int], missing: Mapping[str, int], bounds: Sequence[int], chosen: Language
) -> str:  # fmt: skip
    count, lacking = counts.get(month, 0), missing.get(month, 0)
    shade = sum(count >= bound for bound in bounds) if count else 0
    fill = f'class="heat{shade}"' if shade else 'fill="url(#empty)"'
    dot = f'<circle class="lack" cx="{x + 20}" cy="{y + 4.5}" r="2.5"/>' if lacking else ""
    word = chosen.gettext("missing")
    more = f", {word} {chosen.number(lacking)}" if lacking else ""
    return (
        f'<g><title>{chosen.month(month)}: {chosen.number(count)}{more}</title><rect {fill} x="{x}" y="{y}" '
        f'width="24" height="17"/>{dot}</g>'
    )


def lines(
    periods: Sequence[str], terms: Sequence[tuple[str, Mapping[str, int]]], totals: Mapping[str, int], chosen: Language
) -> Markup:
    """Return the hits of each term as lines, with all articles of the archive as bars below.

    `periods` are months such as `2024-01`, or days such as `2024-01-31`.
    """
    width, left, right, top, base = 900, 48, 12, 12, 232
    low, floor = 262, 322
    step = (width - left - right) / max(len(periods), 1)
    most = max((count for _, hits in terms for count in hits.values()), default=0) or 1
    most_total = max((totals.get(period, 0) for period in periods), default=0) or 1
    parts = [_start(width, 350, chosen.gettext("Hits by month"))]
    for share in (0, 0.5, 1):
        y = base - share * (base - top)
        parts.append(f'<path class="grid" d="M{left} {y:.1f}H{width - right}"/>')
        if share * most == int(share * most):
            parts.append(
                f'<text class="axis" x="{left - 6}" y="{y + 4:.1f}" text-anchor="end">{chosen.number(int(share * most))}</text>'
            )
    for n, period in enumerate(periods):
        x, high = left + n * step, totals.get(period, 0) * (floor - low) / most_total
        label = f"{chosen.period(period)}: {chosen.number(totals.get(period, 0))}"
        parts.append(
            f'<rect class="total" x="{x:.1f}" y="{floor - high:.1f}" width="{max(step * 0.8, 0.6):.1f}" height="{high:.1f}"><title>{label}</title></rect>'
        )
        if (tick := _tick(period, len(periods))) is not None:
            parts.append(f'<text class="axis" x="{x:.1f}" y="{floor + 18}">{tick}</text>')
    parts.append(
        f'<text class="axis" x="{left - 6}" y="{low + 6}" text-anchor="end">{chosen.number(most_total)}</text>'
    )
    for number, (_, hits) in enumerate(terms):
        points = " ".join(
            f"{left + (n + 0.4) * step:.1f},{base - hits.get(period, 0) * (base - top) / most:.1f}"
            for n, period in enumerate(periods)
        )
        dash = f' stroke-dasharray="{DASHES[number]}"' if DASHES[number] else ""
        parts.append(f'<polyline class="term term{number}" points="{points}"{dash}/>')
        if step > 6:
            parts += [
                f'<circle class="dot term{number}" r="2.6" cx="{left + (n + 0.4) * step:.1f}" cy="{base - hits.get(period, 0) * (base - top) / most:.1f}">'
                f"<title>{chosen.period(period)}: {chosen.number(hits.get(period, 0))}</title></circle>"
                for n, period in enumerate(periods)
            ]
    parts.append(
        f'<path class="line" d="M{left} {floor + 0.5}H{width - right}M{left} {base + 0.5}H{width - right}"/></svg>'
    )
    return Markup("".join(parts))  # noqa: S704 - every text above is escaped


def _tick(period: str, count: int) -> str | None:
    """Return the label of a period on the axis: a year, or the number of a day; None if it has none."""
    if len(period) == len("2024-01-31"):
        return f"{int(period[8:])}/{int(period[5:7])}" if period[8:] in ("01", "11", "21") else None
    shown = period.endswith("-01") and (count <= _MONTHS_WITH_YEARS or int(period[:4]) % 2 == 0)
    return period[:4] if shown else None


def _start(width: float, height: float, title: str) -> str:
    return (
        f'<svg class="chart" viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}" role="img" '
        f'aria-label="{escape(title)}">{_HATCH}'
    )
