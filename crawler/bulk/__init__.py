"""Reparse all WARC files of a folder or of an object store into a Parquet dataset, in one process or on many machines.

```
files → partitions (file, byte offsets)                      addresses, values
partition → visits: records, parsed and repaired pages       partition      in the workers
visits of an article → its current revision                  article_history (pure)
articles of a month → bytes of a Parquet file                months         in the workers
```
`reparse` is the driver; `local` and `on_dask` are the engines that run the tasks; `careful` reads a
partition that has killed its worker. No database is read or written.

Boundary: reads WARC files and writes a dataset. Parsing, repairing and deciding is done by the units below.
"""

from crawler.bulk.engine import Engine
from crawler.bulk.local import LocalEngine
from crawler.bulk.on_dask import dask_engine
from crawler.bulk.reparse import BulkReport, reparse_files
from crawler.bulk.tasks import code_version, run_task
from crawler.bulk.values import BulkSettings, CodeVersion

__all__ = [
    "BulkReport",
    "BulkSettings",
    "CodeVersion",
    "Engine",
    "LocalEngine",
    "code_version",
    "dask_engine",
    "reparse_files",
    "run_task",
]
