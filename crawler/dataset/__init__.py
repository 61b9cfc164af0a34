"""The corpus as a Parquet dataset: a folder of files by year and month, for DuckDB, Spark, Trino, polars, pandas.

Boundary: articles in, a folder out, which takes its name only when it is whole (`folder`); PyArrow, which writes it, is
an extra and is loaded when there is something to write (`table`).
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

from crawler.dataset.folder import replacing
from crawler.errors import StopError
from crawler.types import StoredArticle


def write(articles: Iterable[StoredArticle], path: Path) -> int:
    """Write a dataset in the place of the one that is there, if any; give the number of articles.

    Articles of one month should follow one another: each time that a month comes again, it gets another file.

    Raises:
        StopError: the library is missing.
        BadInput: the folder cannot be written, or holds something else.

    """
    if find_spec("pyarrow") is None:
        raise StopError("PyArrow, which writes Parquet, is not installed", "pip install '.[parquet]' brings it")
    from crawler.dataset import table  # noqa: PLC0415 - an extra, and slow

    with replacing(path, table.is_ours) as unfinished:
        return table.write(articles, unfinished)
