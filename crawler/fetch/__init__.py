"""The only door to the network: budget, robots, retries, redirects, limits, bodies as received."""

from crawler.fetch.client import Fetcher, Settings

__all__ = ["Fetcher", "Settings"]
