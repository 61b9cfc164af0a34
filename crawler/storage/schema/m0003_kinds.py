"""Schema 3 adds the kind of an error, in addition to its message, and the number of words of an article.

Existing rows have only a message. The migration derives the kinds on which code depends (`bug`, `layout-drift` and
`empty-source`) from the wording of the message. Other kinds are NULL until the next visit.

The SQL function `word_count_of` is `word_count.count_words`; the migration registers it for its connection.
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
