"""What changed between two revisions of an article: the changed words with their offsets, and the kinds of each change.

Sentences are aligned first, then the words of each pair of sentences, so that a moved or new paragraph does not hide a
changed digit. What `identity.comparable` ignores (spaces, quote styles, Unicode normalisation) is not a change here either.

Boundary: pure functions; two articles in, changes out. Nothing is stored: better rules apply to all revisions at once.
"""

from crawler.changes.compare import Change, changes_between, field_texts, is_silent, kinds_of
from crawler.changes.kinds import Kind
from crawler.changes.show import ChangedPassage, changed_passages, marked_words

__all__ = [
    "Change",
    "ChangedPassage",
    "Kind",
    "changed_passages",
    "changes_between",
    "field_texts",
    "is_silent",
    "kinds_of",
    "marked_words",
]
