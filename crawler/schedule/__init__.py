"""When to come back, and what an answer means for a row. Arithmetic, with a table of examples in its tests.

Boundary: pure; now, ages and answers in, instants and states out. Chance comes in as a value.
"""

from crawler.schedule.backoff import retry_at
from crawler.schedule.gaps import (
    GapFound,
    MonthSitemap,
    gap_closed_by,
    gap_found,
    gap_waits_for,
    halves,
    may_page,
    months,
)
from crawler.schedule.pages import ask_again, failed, gone, hinted, next_check, removed, unhinted
from crawler.schedule.publication_rate import (
    Arrival,
    Habit,
    Habits,
    Shown,
    Slot,
    Week,
    lead,
    learned,
    use,
    watched_since,
)
from crawler.schedule.selection import Changes, follow, is_excluded, list_hosts
from crawler.schedule.sources import (
    Bounds,
    Look,
    chance,
    interval,
    past_month,
    source_failed,
    source_polled,
    source_silent,
)

__all__ = [
    "Arrival",
    "Bounds",
    "Changes",
    "GapFound",
    "Habit",
    "Habits",
    "Look",
    "MonthSitemap",
    "Shown",
    "Slot",
    "Week",
    "ask_again",
    "chance",
    "failed",
    "follow",
    "gap_closed_by",
    "gap_found",
    "gap_waits_for",
    "gone",
    "halves",
    "hinted",
    "interval",
    "is_excluded",
    "lead",
    "learned",
    "list_hosts",
    "may_page",
    "months",
    "next_check",
    "past_month",
    "removed",
    "retry_at",
    "source_failed",
    "source_polled",
    "source_silent",
    "unhinted",
    "use",
    "watched_since",
]
