"""Reads the pages of captures of other collections ahead, in several processes, while their file is imported.

Boundary: only the pages are read here; `captures` decides and writes, capture by capture, in the order of the file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial

from crawler.errors import FetchError
from crawler.pipeline.prepared import PageInputs, PreparedPage, Preparer
from crawler.pipeline.run import Run
from crawler.pipeline.stored_pages import Reader, response_of
from crawler.site import Site
from crawler.types import Fetched
from crawler.warc import Record
from crawler.warc.foreign import ForeignCapture
from crawler.worker_processes import Workers

_OK = 200
_CHUNK = 16  # captures that a process receives at once
_CHUNK_BYTES = 2_000_000  # of their responses, except the last one

#: Yields captures with their pages; None for a page that was not read ahead.
Ahead = Callable[[Iterable[ForeignCapture]], Iterator[tuple[ForeignCapture, PreparedPage | None]]]


@dataclass(frozen=True, slots=True)
class CaptureChunk:
    """Captures whose pages a process reads."""

    captures: Sequence[ForeignCapture]
    inputs: PageInputs


def one_by_one(captures: Iterable[ForeignCapture]) -> Iterator[tuple[ForeignCapture, PreparedPage | None]]:
    """Yield captures without their pages."""
    return ((capture, None) for capture in captures)


@contextmanager
def preparing(run: Run, jobs: int) -> Iterator[Ahead]:
    """Yield the function that reads pages ahead in `jobs` processes; with one job, nothing is read ahead.

    Raises:
        StopError: no process can be started.

    """
    if jobs == 1:
        yield one_by_one
        return
    with Workers(jobs, partial(_chunk_preparer, run.make_reader)) as workers:
        yield partial(_ahead, run, workers)


def response_at_site(record: Record, site: Site) -> Fetched:
    """Return the response in a record under the address under which it is archived.

    Raises:
        FetchError: its body cannot be decoded.

    """
    return replace(response_of(record), url=site.address(record.url, record.url) or record.url)


def _ahead(
    run: Run, workers: Workers[CaptureChunk, list[PreparedPage | None]], captures: Iterable[ForeignCapture]
) -> Iterator[tuple[ForeignCapture, PreparedPage | None]]:
    for chunk, pages in workers.in_order(_chunks(run, captures), lambda chunk: [None] * len(chunk.captures)):
        keys = run.prepared.add([page for page in pages if page is not None], chunk.inputs)
        yield from zip(chunk.captures, pages, strict=True)
        run.prepared.remove(keys)


def _chunks(run: Run, captures: Iterable[ForeignCapture]) -> Iterator[CaptureChunk]:
    """Yield the captures in chunks; if reading them fails, those before the error first."""
    chunk: list[ForeignCapture] = []
    size = 0
    try:
        for capture in captures:
            chunk.append(capture)
            size += len(capture.record.body)
            if len(chunk) == _CHUNK or size >= _CHUNK_BYTES:
                yield CaptureChunk(chunk, PageInputs(run.layouts, run.site))
                chunk, size = [], 0
    except Exception:
        yield CaptureChunk(chunk, PageInputs(run.layouts, run.site))
        raise
    yield CaptureChunk(chunk, PageInputs(run.layouts, run.site))


def _chunk_preparer(make_reader: Callable[[], Reader]) -> Callable[[CaptureChunk], list[PreparedPage | None]]:
    return partial(_prepare, Preparer(make_reader().repair))


def _prepare(preparer: Preparer, chunk: CaptureChunk) -> list[PreparedPage | None]:
    return [_prepared(preparer, capture.record, chunk.inputs) for capture in chunk.captures]


def _prepared(preparer: Preparer, record: Record, inputs: PageInputs) -> PreparedPage | None:
    if record.status != _OK or record.warc_type == "revisit":
        return None
    try:
        return preparer.prepare(response_at_site(record, inputs.site), inputs)
    except FetchError:  # it is reported when the capture is imported
        return None
