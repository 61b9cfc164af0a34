"""Read an export with one tool, in the tool's own environment; print the rows and a digest of ids, titles and texts as JSON.

python reader_worker.py TOOL PATH
"""

from __future__ import annotations

import hashlib
import json
import sys
import time
from collections.abc import Callable, Iterable

Rows = Iterable[tuple[int, str, str]]


def pandas_parquet(path: str) -> Rows:
    import pandas as pd

    frame = pd.read_parquet(path)
    return zip(frame["id"], frame["title"], frame["clean"], strict=True)


def pandas_csv(path: str) -> Rows:
    import pandas as pd

    frame = pd.read_csv(path, keep_default_na=False)
    return zip(frame["id"], frame["title"], frame["clean"], strict=True)


def polars(path: str) -> Rows:
    import polars as pl

    return pl.scan_parquet(path).select("id", "title", "clean").collect().iter_rows()


def duckdb(path: str) -> Rows:
    import duckdb

    return duckdb.sql(f"SELECT id, title, clean FROM '{path}/*/*/*.parquet'").fetchall()


def datasets(path: str) -> Rows:
    import tempfile

    from datasets import load_dataset

    with tempfile.TemporaryDirectory() as cache:
        loaded = load_dataset(path, split="train", cache_dir=cache)
        return [(row["id"], row["title"], row["clean"]) for row in loaded]


def spark(path: str) -> Rows:
    from pyspark.sql import SparkSession

    session = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    return [tuple(row) for row in session.read.parquet(path).select("id", "title", "clean").collect()]


def interface_pandas(path: str) -> Rows:
    from crawler import open_archive

    with open_archive(path) as archive:
        frame = archive.articles().to_pandas()
    return zip(frame["id"], frame["title"], frame["clean"], strict=True)


def interface_polars(path: str) -> Rows:
    from crawler import open_archive

    with open_archive(path) as archive:
        return archive.articles().to_polars().select("id", "title", "clean").rows()


TOOLS: dict[str, Callable[[str], Rows]] = {
    "pandas": pandas_parquet,
    "pandas csv": pandas_csv,
    "polars": polars,
    "duckdb": duckdb,
    "datasets": datasets,
    "spark": spark,
    "open_archive pandas": interface_pandas,
    "open_archive polars": interface_polars,
}


def digest(rows: Rows) -> tuple[int, str]:
    """Return the number of rows, and a digest that does not depend on their order."""
    lines = sorted(json.dumps([int(key), title, text]) for key, title, text in rows)
    return len(lines), hashlib.sha256("\n".join(lines).encode()).hexdigest()


if __name__ == "__main__":
    start = time.perf_counter()
    count, found = digest(TOOLS[sys.argv[1]](sys.argv[2]))
    print(json.dumps({"rows": count, "digest": found, "seconds": time.perf_counter() - start}))
