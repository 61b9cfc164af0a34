"""The ledger: what is known to exist, what is held, what is missing, what is gone, and how many nobody listed.

Boundary: pure; rows in, rows out. `docs/coverage.md` has the formulas, what they assume, and how to read the result.
"""

from crawler.coverage.chart import chart
from crawler.coverage.dating import Dating
from crawler.coverage.ledger import Ledger, Missing, Month, take_stock
from crawler.coverage.posts import Post, channel_of

__all__ = ["Dating", "Ledger", "Missing", "Month", "Post", "channel_of", "chart", "take_stock"]
