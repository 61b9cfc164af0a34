"""Export articles to files: JSON Lines, CSV, seed texts or TEI.

Boundary: takes articles and writes files. `formats` and `tei` write the formats; `replacing` handles the files.
"""

from crawler.export.formats import JSON_FIELDS, article_files, excel_table, jsonl, table, texts
from crawler.export.replacing import replacing
from crawler.export.tei import corpus
from crawler.files import open_descriptor

__all__ = [
    "JSON_FIELDS", "article_files", "corpus", "excel_table", "jsonl", "open_descriptor", "replacing", "table",
    "texts",
]  # fmt: skip
