"""Schema 3: the kind of an error in addition to its message, and the number of words of an article.

Rows of older versions have a message only. The kinds on which code depends are derived from its wording: `bug`,
`layout-drift` and `empty-source`. The others stay NULL until the next visit.

`word_count_of` is `word_count.count_words`; the migration registers it for the connection.
"""

from __future__ import annotations

THIRD = """
-- The kind of the last error, for code; `error` is the message for people.
ALTER TABLE pages ADD COLUMN error_kind TEXT;
ALTER TABLE sources ADD COLUMN error_kind TEXT;
ALTER TABLE plan_steps ADD COLUMN error_kind TEXT;
UPDATE pages SET error_kind = 'bug' WHERE error LIKE 'a bug: %';
UPDATE pages SET error_kind = 'layout-drift' WHERE error LIKE 'markup drift: %';
UPDATE sources SET error_kind = 'bug' WHERE error LIKE 'a bug: %';
UPDATE sources SET error_kind = 'empty-source' WHERE error LIKE '%shows no article%';
UPDATE plan_steps SET error_kind = 'bug' WHERE error LIKE 'a bug: %';

-- The number of words of `clean`, the repaired text.
ALTER TABLE articles ADD COLUMN word_count INTEGER NOT NULL DEFAULT 0;
UPDATE articles SET word_count = word_count_of(clean);
"""
