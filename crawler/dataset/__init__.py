"""Export articles as a Parquet dataset: a folder of files by year and month, for DuckDB, Spark, polars and the like.

Boundary: takes articles and writes a folder. `folder` replaces the old dataset as a whole; `table` writes the files.
PyArrow is an optional dependency (extra `parquet`) and is imported only here, when a dataset is written.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

from crawler.article_fields import ArticleField, In, fields_in
from crawler.dataset.folder import replacing
from crawler.errors import StopError
from crawler.types import StoredArticle


def write(
    articles: Iterable[StoredArticle], path: Path, columns: Sequence[ArticleField] = fields_in(In.PARQUET)
) -> int:
    """Write a dataset to the folder `path`, replacing the dataset that is there; return the number of articles.

    Articles of the same month should be consecutive: each group of consecutive articles of one month becomes a file.

    Raises:
        StopError: PyArrow is not installed.
        BadInput: the folder cannot be written, or contains something that is not part of a dataset.

    """
    table = _table()
    with replacing(path, table.is_ours) as unfinished:
        count: int = table.write(articles, unfinished, columns)
    return count


def write_files(
    articles: Iterable[StoredArticle], folder: Path, columns: Sequence[ArticleField] = fields_in(In.PARQUET)
) -> int:
    """Write the files of a dataset into an empty folder; return the number of articles.

    Raises:
        StopError: PyArrow is not installed.

    """
    count: int = _table().write(articles, folder, columns)
    return count


def _table() -> ModuleType:
    """Return the module that writes Parquet, which needs PyArrow."""
    if find_spec("pyarrow") is None:
        raise StopError("PyArrow is not installed", "install it with: pip install 'vna-archive[parquet]'")
    from crawler.dataset import table  # noqa: PLC0415 - optional, and slow to import

    return table
