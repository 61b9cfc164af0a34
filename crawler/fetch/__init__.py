"""The only package that sends requests; it handles request budgets, robots.txt, retries, redirects and size limits.

Import from its modules: `client` loads the HTTP library, `budget` and `settings` do not.
"""
