"""The only package that sends requests; it handles request budgets, robots.txt, retries, redirects and size limits.

Import from its modules: `client` loads the HTTP library, `budget` and `settings` do not.
"""

import sys

# Keep httpx from importing its command line, and with it rich, pygments and click: 3 MB in the service, and 45 ms at the
# start of each command that sends requests. httpx itself leaves the command line out if it cannot be imported.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]
