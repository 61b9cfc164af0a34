"""Write an export that can be handed over: a folder with the data and three files that describe it.

```
README.md          data card, with the metadata of Hugging Face
datapackage.json   columns, sizes and digests, for Frictionless and other programs
CITATION.cff       how to cite the dataset
data/              the files of the export
```
The folder is replaced as a whole, and only if no file in it was added or changed since it was written.

Boundary: handles the folder and the digests; `export` and `dataset` write the data, `data_card` the texts.
"""

from __future__ import annotations

import csv
import hashlib
import io
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

from crawler import data_card, export, files, records
from crawler.article_fields import CSV_FIELDS, ArticleField
from crawler.coverage import take_stock
from crawler.data_card import Card, Contents, DataFile
from crawler.dataset.folder import IsOurs, replacing
from crawler.storage import Archive
from crawler.types import StoredArticle

DATA, METADATA = "data", "metadata.csv"
_MOST_BYTES = 100_000_000  # of datapackage.json
_LONG = ("text", "clean")  # columns that the files with texts contain themselves


@dataclass
class _Tally:
    years: Counter[str] = field(default_factory=Counter)
    sections: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)

    def counted(self, articles: Iterable[StoredArticle]) -> Iterator[StoredArticle]:
        """Yield the articles and count them."""
        for stored in articles:
            day = records.day_in_hanoi(stored.article.published_at)
            self.years[day[:4] if day else data_card.UNDATED] += 1
            self.sections[stored.article.section or "no section"] += 1
            self.kinds[stored.article.kind] += 1
            self.states[stored.state] += 1
            yield stored

    def contents(self) -> Contents:
        return Contents(
            dict(sorted(self.years.items())),
            dict(self.sections.most_common()),
            dict(self.kinds.most_common()),
            dict(self.states.most_common()),
        )


def blank_card(archive: Archive, created: str, software: str) -> Card:
    """Return a card that describes the archive alone, without the contents of an export."""
    with archive.posts() as posts:
        ledger = take_stock(posts)
    gaps = tuple((row["since"], row["until"], row["source"]) for row in archive.open_gap_rows())
    empty = Contents({}, {}, {}, {})
    coverage = data_card.coverage_by_year(ledger)
    return Card("csv", None, (), (), empty, (), False, coverage, gaps, archive.identity(), created, software)


def write(
    articles: Iterable[StoredArticle], out: Path, card: Card, write_data: Callable[[Iterable[StoredArticle], Path], int]
) -> int:
    """Write the folder `out`; return the number of articles. `write_data` writes the data into a folder.

    Raises:
        BadInput: the folder cannot be written, or has a file that was added or changed.

    """
    tally = _Tally()
    with replacing(out, _unchanged(out)) as unfinished:
        data = unfinished / DATA
        data.mkdir()
        count = write_data(tally.counted(articles), data)
        listed = [data / METADATA] if card.texts else sorted(path for path in data.rglob("*") if path.is_file())
        described = tuple(_data_file(path, unfinished) for path in listed)
        full = replace(card, files=described, contents=tally.contents())
        texts = {data_card.README: data_card.readme(full), data_card.CITATION: data_card.citation_cff(full)}
        others = {name: data_card.digest_of(text) for name, text in texts.items()}
        texts[data_card.PACKAGE] = data_card.datapackage(full, others)
        for name, text in texts.items():
            _write(unfinished / name, text)
    return count


def texts_with_metadata(
    articles: Iterable[StoredArticle],
    data: Path,
    suffix: str,
    render_one: Callable[[StoredArticle], str],
    *,
    revisions: bool,
) -> int:
    """Write each article to a file of its own in the folder `data`, and the table that lists them; return their number."""
    columns = metadata_columns()
    count = 0
    with export.replacing(data / METADATA) as out:
        writer = csv.writer(out, lineterminator="\r\n")
        writer.writerow([*(column.name for column in columns), "file", "sha256"])
        for stored, name in export.article_files(articles, data, suffix, render_one, revisions=revisions):
            count += 1
            writer.writerow([*_cells(stored, columns), name, _sha256(data / name)])
    return count


def metadata_columns() -> tuple[ArticleField, ...]:
    """Return the columns of an article in `metadata.csv`."""
    return tuple(column for column in CSV_FIELDS if column.name not in _LONG)


def _cells(stored: StoredArticle, columns: Sequence[ArticleField]) -> list[str]:
    line = io.StringIO()
    export.table([stored], line, columns)
    return list(csv.reader(io.StringIO(line.getvalue(), newline="")))[1]


def _write(path: Path, text: str) -> None:
    with files.create(path) as file:
        file.write(text.encode("utf-8"))
        file.flush()
        os.fsync(file.fileno())


def _data_file(path: Path, folder: Path) -> DataFile:
    return DataFile(path.relative_to(folder).as_posix(), path.stat().st_size, _sha256(path))


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _unchanged(folder: Path) -> IsOurs:
    """Return the test whether a file of the folder is as an export wrote it."""

    @cache
    def recorded() -> dict[str, str]:
        try:
            text = files.read_named(folder / data_card.PACKAGE, _MOST_BYTES).decode("utf-8")
        except (OSError, ValueError):
            return {}
        found = data_card.recorded_files(text, data_card.digest_of(data_card.without_digest(text)))
        listing = f"{DATA}/{METADATA}"
        if listing in found and _sha256(folder / listing) == found[listing]:
            with (folder / listing).open(encoding="utf-8", newline="") as file:
                found |= {f"{DATA}/{row['file']}": row["sha256"] for row in csv.DictReader(file)}
        return found | ({data_card.PACKAGE: _sha256(folder / data_card.PACKAGE)} if found else {})

    return lambda path, name: recorded().get(name) == _sha256(path)
