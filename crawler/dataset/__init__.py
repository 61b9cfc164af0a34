"""Export articles as a Parquet dataset: a folder of files by year and month, for DuckDB, Spark, polars and the like.

Boundary: takes articles and writes a folder. `folder` replaces the old dataset as a whole; `table` writes the files.
PyArrow is an optional dependency (extra `parquet`) and is imported only here, when a dataset is written.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

from crawler.article_fields import ArticleField, In, fields_in
from crawler.dataset.folder import replacing
from crawler.errors import StopError
from crawler.types import Article, StoredArticle


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


@contextmanager
def replaced(path: Path) -> Iterator[MonthFiles]:
    """Yield the writer of a new dataset, which replaces the dataset at `path` when the block ends without an exception.

    Raises:
        StopError: PyArrow is not installed.
        BadInput: the folder cannot be written, or contains something that is not part of a dataset.

    """
    table = _table()
    with replacing(path, table.is_ours) as unfinished:
        yield MonthFiles(unfinished, table)


class MonthFiles:
    """Writes the files of a dataset that other processes have made.

    `scratch` is a folder for temporary files, which is deleted with an unfinished dataset.
    """

    def __init__(self, folder: Path, table: ModuleType) -> None:
        self._folder = folder
        self._table = table
        self.scratch = folder / ".scratch"
        self.scratch.mkdir()

    def add(self, month: str, data: bytes) -> None:
        """Write the file of a month; `month` comes from `month_of`, `data` from `file_bytes`."""
        path = self._folder / self._table.file_name(month)
        path.parent.mkdir(parents=True)
        with path.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())

    def finish(self) -> None:
        """Remove the temporary files; write an empty file if no month has one."""
        shutil.rmtree(self.scratch)
        if not any(self._folder.glob("year=*")):
            self._table.write((), self._folder)


def file_bytes(articles: Iterable[StoredArticle]) -> bytes:
    """Return the bytes of the file of one month; the articles must be in the order of the day and the id.

    Raises:
        StopError: PyArrow is not installed.

    """
    data: bytes = _table().file_bytes(articles)
    return data


def month_of(article: Article) -> str:
    """Return the folder of the month in which an article was published.

    Raises:
        StopError: PyArrow is not installed.

    """
    month: str = _table().partition(article)
    return month


def _table() -> ModuleType:
    """Return the module that writes Parquet, which needs PyArrow."""
    if find_spec("pyarrow") is None:
        raise StopError("PyArrow is not installed", "install it with: pip install 'vna-archive[parquet]'")
    from crawler.dataset import table  # noqa: PLC0415 - optional, and slow to import

    return table
