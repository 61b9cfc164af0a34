"""The only package that sends requests; it handles request budgets, robots.txt, retries, redirects and size limits."""

from crawler.fetch.client import Fetcher, Settings, budget_for, resolve_host

__all__ = ["Fetcher", "Settings", "budget_for", "resolve_host"]
