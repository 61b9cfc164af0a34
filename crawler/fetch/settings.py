"""The settings of the HTTP client.

Boundary: values only. This module does not load the HTTP client, so a command that only reads the rate limit starts fast.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time

from crawler.rate_limit import RateLimits


@dataclass(frozen=True, slots=True)
class Settings:
    """What the client needs from the configuration; times in seconds, sizes in bytes, `rate` in requests a second.

    `root` is the root URL of the site; `api` lists the origins of its list API, and `pictures` those of its pictures,
    which only requests for pictures may reach. No other origin is ever connected to. If the site is unavailable, the
    run ends; if the list API is, only the request fails. The run also ends if a request must wait longer than
    `max_wait` for the budget. `timeout` limits one wait; a whole request may take four times as long.
    """

    contact: str
    timeout: float
    attempts: int
    max_retry_after: float
    max_body: int
    rate: float
    connections: int = 2
    quiet_hours: tuple[time, time] | None = None
    daily_cap: int = 0
    root: str = ""
    api: tuple[str, ...] = ()
    pictures: tuple[str, ...] = ()
    max_wait: float = 120.0  # `vna run` starts a new run by itself when the pause is over

    def limits(self) -> RateLimits:
        """Return the limits that the shared request budget applies, taken from these settings."""
        return RateLimits(
            interval=1 / self.rate if self.rate else 0.0,
            max_pause=self.max_retry_after,
            quiet_hours=self.quiet_hours,
            daily_cap=self.daily_cap,
            trial_wait=2 * self.timeout,
        )
