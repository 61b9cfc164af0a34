"""The only door to the network: budget, robots, retries, redirects, limits, bodies as received."""

from crawler.fetch.client import Fetcher, Settings, budget_of, look_up

__all__ = ["Fetcher", "Settings", "budget_of", "look_up"]
