"""The only package that uses the network: request budget, robots.txt, retries, redirects, size limits, raw bodies."""

from crawler.fetch.client import Fetcher, Settings, budget_for, resolve_host

__all__ = ["Fetcher", "Settings", "budget_for", "resolve_host"]
