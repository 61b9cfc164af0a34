"""The part of the configuration that determines how the site is requested.

Boundary: turns the configuration into values, and reads the rate limit. It sends nothing and does not load the HTTP client.
"""

from __future__ import annotations

from crawler import site, urls
from crawler.clock import Clock, SystemClock
from crawler.config import Config
from crawler.fetch.budget import budget_for
from crawler.fetch.settings import Settings
from crawler.rate_limit import RateLimitStatus


def request_settings(config: Config, *, probing: bool = False) -> Settings:
    """Return the settings of the HTTP client. `probing` also allows requests to the hosts that may have the list API."""
    return Settings(
        contact=config.contact,
        timeout=config.timeout,
        attempts=config.attempts,
        max_retry_after=config.max_retry_after,
        max_body=config.max_body,
        rate=config.rate,
        connections=config.connections,
        quiet_hours=config.quiet_hours,
        daily_cap=config.daily_cap,
        root=config.root,
        api=list_hosts(config) or (site.api_hosts(config.root) if probing else ()),
        pictures=picture_hosts(config),
    )


def rate_limit_status(config: Config, clock: Clock | None = None) -> RateLimitStatus:
    """Return the current rate limit of the site, shared by all processes of the archive. Nothing is sent or written."""
    return budget_for(request_settings(config), config.archive / "state", config.root, clock or SystemClock()).status()


def list_hosts(config: Config) -> tuple[str, ...]:
    """Return the origins of the hosts whose list API may be requested; none if the API is not configured."""
    if not config.list_api:
        return ()
    named = (urls.absolute(config.root, host) for host in config.api_hosts)
    return tuple(urls.origin(host) for host in named if host is not None) or site.api_hosts(config.root)


def picture_hosts(config: Config) -> tuple[str, ...]:
    """Return the origins from which pictures may be requested, besides that of the site; none if none are kept."""
    if config.keep_pictures == "none":
        return ()
    return config.picture_hosts or site.picture_hosts(config.root)
