"""The only package that sends requests; it handles request budgets, robots.txt, retries, redirects and size limits."""

from crawler.fetch.client import Fetcher, Settings, budget_for, resolve_host
from crawler.fetch.proxies import ProxyServer, proxy_for, proxy_secrets

__all__ = ["Fetcher", "ProxyServer", "Settings", "budget_for", "proxy_for", "proxy_secrets", "resolve_host"]
