"""Draw the coverage ledger as an SVG bar chart, with one bar per month.

The colours are those of Okabe and Ito (2008), which most colour-blind readers can distinguish. Missing articles are
also hatched, so that they remain recognisable in black and white.

Boundary: numbers in, SVG text out.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from html import escape

from crawler import visible
from crawler.coverage.ledger import NO_MONTH, LedgerMonth

_LEFT, _RIGHT = 76, 24
_TOP, _HIGH = 108, 280  # pixels: top and height of the upper plot
_GAP, _LOW = 42, 84  # pixels: distance to the lower plot, and its height
_BASE = _TOP + _HIGH
_FLOOR = _BASE + _GAP + _LOW
_HEIGHT = _FLOOR + 92
_NARROWEST, _WIDEST = 720, 1900
_WIDEST_BAR = 46
_EACH_MONTH = 30  # up to this many months, each has a label; with more, only each January has one, the year
_EACH_NUMBER = 36  # up to this many months, the number of missing articles is written on its bar

#: Name, fill and count of each layer, from bottom to top.
_LAYERS: tuple[tuple[str, str, Callable[[LedgerMonth], int]], ...] = (
    ("held", "#0072B2", lambda m: m.held - m.gone_held),
    ("held, since removed by the agency", "#56B4E9", lambda m: m.gone_held),
    ("missing", "url(#missing)", lambda m: m.missing),
    ("removed before it was held", "#999999", lambda m: m.gone - m.gone_held),
)
_DEFINITIONS = (
    '<defs><pattern id="missing" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<rect width="6" height="6" fill="#E69F00"/><rect width="2" height="6" fill="#7A3E00"/></pattern>'
    '<pattern id="nothing" width="8" height="8" patternUnits="userSpaceOnUse">'
    '<rect width="8" height="8" fill="#F2F2F2"/><circle cx="2" cy="2" r="1" fill="#B0B0B0"/></pattern></defs>'
)


def chart(months: Sequence[LedgerMonth], title: str) -> str:
    """Return the chart of one section, or of all sections together, as SVG text.

    `months` are the ledger's rows for this chart, oldest first. A note below the chart states the number of articles
    whose month is unknown.
    """
    drawn = [month for month in months if month.month != NO_MONTH]
    undated = sum(month.known for month in months if month.month == NO_MONTH)
    width = min(max(_NARROWEST, _LEFT + _RIGHT + 9 * len(drawn)), _WIDEST)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{_HEIGHT}" viewBox="0 0 {width} {_HEIGHT}"',
        f'  font-family="sans-serif" font-size="12" role="img" aria-label="{escape(visible.line(title))}">',
        _DEFINITIONS,
        f'<rect width="{width}" height="{_HEIGHT}" fill="#FFFFFF"/>',
        f'<text x="{_LEFT}" y="28" font-size="18" font-weight="bold">{escape(visible.line(title))}</text>',
        *_legend(),
        *_Plot(drawn, width).lines(),
        *([_text(_LEFT, _HEIGHT - 10, _note(undated))] if undated else ()),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


class _Plot:
    """The two plots of the chart, with the same months: all articles above, missing articles below."""

    def __init__(self, months: Sequence[LedgerMonth], width: int) -> None:
        self.months = months
        self.right = width - _RIGHT
        self.slot = (self.right - _LEFT) / max(len(months), 1)
        self.bar = min(self.slot * (0.72 if self.slot > 12 else 0.86), _WIDEST_BAR)
        self.most = _axis_maximum(max((max(m.known, m.high or 0) for m in months), default=1))
        self.most_missing = _axis_maximum(max((m.missing for m in months), default=1))

    def lines(self) -> Iterator[str]:
        """Yield the SVG elements of both plots."""
        yield from self._axis("articles", _TOP, _BASE, self.most)
        yield from self._axis("missing", _FLOOR - _LOW, _FLOOR, self.most_missing)
        for n, month in enumerate(self.months):
            yield from self._month(_LEFT + (n + 0.5) * self.slot, month)
        yield from self._month_labels()
        yield _text((_LEFT + self.right) / 2, _FLOOR + 62, "month of publication (Hanoi)", "middle")

    def _month(self, x: float, month: LedgerMonth) -> Iterator[str]:
        yield f"<g><title>{escape(_tooltip(month))}</title>"
        if not month.known:
            yield _rect(x - self.slot / 2, _TOP, self.slot, _HIGH, "url(#nothing)")
        below = 0
        for _, fill, count in _LAYERS:
            if number := count(month):
                y = _scaled(below + number, self.most, _BASE, _HIGH)
                yield _rect(x - self.bar / 2, y, self.bar, _scaled(below, self.most, _BASE, _HIGH) - y, fill)
                below += number
        yield from self._interval(x, month)
        if month.missing:
            # At least two pixels, so that one missing article is visible beside a thousand.
            y = min(_scaled(month.missing, self.most_missing, _FLOOR, _LOW), _FLOOR - 2)
            yield _rect(x - self.bar / 2, y, self.bar, _FLOOR - y, "url(#missing)")
            if len(self.months) <= _EACH_NUMBER:
                yield _text(x, y - 3, f"{month.missing}", "middle", "11")
        yield "</g>"

    def _interval(self, x: float, month: LedgerMonth) -> Iterator[str]:
        """Yield the SVG line that shows the interval of a month's estimate, with crossbars at `low` and `high`."""
        if month.low is None or month.high is None or month.low == month.high:
            return
        low, high = (_scaled(end, self.most, _BASE, _HIGH) for end in (month.low, month.high))
        arm = min(self.bar / 2, 5)
        yield (
            f'<path d="M{x:.1f} {low:.1f}V{high:.1f}M{x - arm:.1f} {low:.1f}h{2 * arm:.1f}'
            f'M{x - arm:.1f} {high:.1f}h{2 * arm:.1f}" stroke="#000000" fill="none"/>'
        )

    def _axis(self, name: str, top: float, base: float, most: int) -> Iterator[str]:
        steps = 4 if base - top > _LOW else 2
        for n in range(steps + 1):
            number = most * n / steps
            if number != int(number):
                continue
            y = _scaled(number, most, base, base - top)
            yield f'<path d="M{_LEFT} {y:.1f}H{self.right}" stroke="{"#DDDDDD" if n else "#000000"}"/>'
            yield _text(_LEFT - 8, y + 4, f"{int(number):,}", "end")
        middle = (top + base) / 2
        yield (
            f'<text x="18" y="{middle:.1f}" text-anchor="middle" transform="rotate(-90 18 {middle:.1f})">{name}</text>'
        )

    def _month_labels(self) -> Iterator[str]:
        for n, month in enumerate(self.months):
            x = _LEFT + (n + 0.5) * self.slot
            if len(self.months) <= _EACH_MONTH:
                yield (
                    f'<text x="{x:.1f}" y="{_FLOOR + 16}" text-anchor="end"'
                    f' transform="rotate(-40 {x:.1f} {_FLOOR + 16})">'
                    f"{month.month}</text>"
                )
            elif month.month.endswith("-01"):
                left = x - self.slot / 2
                yield f'<path d="M{left:.1f} {_FLOOR}v7" stroke="#000000"/>'
                yield _text(left + 2, _FLOOR + 20, month.month[:4])


def _legend() -> Iterator[str]:
    x = float(_LEFT)
    for name, fill, _ in _LAYERS:
        yield from _key(x, 46, name, fill)
        x += 36 + 6.6 * len(name)
    yield from _key(_LEFT, 68, "nothing known", "url(#nothing)")
    x = _LEFT + 122
    yield f'<path d="M{x + 7} 67v14m-5 0h10m-10 -14h10" stroke="#000000" fill="none"/>'
    yield _text(x + 20, 79, "estimated number of articles, listed or not (95 % interval)")


def _key(x: float, y: float, name: str, fill: str) -> Iterator[str]:
    yield f'<rect x="{x:.0f}" y="{y:.0f}" width="14" height="12" fill="{fill}" stroke="#666666" stroke-width="0.5"/>'
    yield _text(x + 20, y + 11, name)


def _note(undated: int) -> str:
    return f"not shown: {undated} article{'' if undated == 1 else 's'} without a known month"


def _tooltip(month: LedgerMonth) -> str:
    counts = f"{month.month}: {month.known} known, {month.held} held, {month.missing} missing, {month.gone} removed"
    return counts if month.low is None else f"{counts}; between {month.low} and {month.high} exist"


def _axis_maximum(number: int) -> int:
    """Return the smallest round number that is not below `number`, as the top of an axis."""
    power = int(10 ** int(math.log10(max(number, 1))))
    return next(step * power for step in (1, 2, 4, 6, 8, 10) if step * power >= number)


def _scaled(number: float, most: int, base: float, height: float) -> float:
    return base - number * height / most


def _rect(x: float, y: float, width: float, height: float, fill: str) -> str:
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{fill}"/>'


def _text(x: float, y: float, text: str, anchor: str = "start", size: str = "12") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}">{escape(text)}</text>'
