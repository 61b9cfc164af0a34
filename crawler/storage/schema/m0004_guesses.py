"""Schema 4 marks the steps of backfill plans whose list is only guessed.

Until then, a plan requested the sitemap of each month at its usual address if the sitemap index did not name it, and
counted a missing one as a failure. A row in `sources` tells them apart: each list that an index names has one.
"""

from __future__ import annotations

FOURTH = """
-- 1: the usual address of a list that the site does not name. It is requested once; without a list there, nothing fails.
ALTER TABLE plan_steps ADD COLUMN guessed INTEGER NOT NULL DEFAULT 0;
UPDATE plan_steps SET guessed = 1
  WHERE kind = 'sitemap' AND target NOT IN (SELECT url FROM sources)
    AND EXISTS (SELECT 1 FROM plan_steps i WHERE i.plan = plan_steps.plan AND i.kind = 'index' AND i.state = 'done' AND i.found > 0);
"""
