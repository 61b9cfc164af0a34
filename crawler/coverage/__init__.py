"""The coverage ledger: which articles are known, held, missing or gone, and how many others may exist in no list.

`docs/coverage.md` describes the formulas, their assumptions, and how to read the result.

Boundary: pure; rows in, rows out.
"""

from crawler.coverage.chart import chart
from crawler.coverage.dating import Dating
from crawler.coverage.ledger import Ledger, LedgerMonth, Missing, take_stock
from crawler.coverage.posts import Post, channel_of

__all__ = ["Dating", "Ledger", "LedgerMonth", "Missing", "Post", "channel_of", "chart", "take_stock"]
