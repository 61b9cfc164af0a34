"""When to come back, and what an answer means for a row. Arithmetic, with a table of examples in its tests.

Boundary: pure; now, ages and answers in, instants and states out. Chance comes in as a value.
"""

from crawler.policy.pages import failed, gone, next_check
from crawler.policy.retries import retry_at
from crawler.policy.sources import source_due, source_failed

__all__ = ["failed", "gone", "next_check", "retry_at", "source_due", "source_failed"]
