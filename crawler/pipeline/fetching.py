"""Fetch an address and archive the response. All requests of the pipeline are sent from here.

The response is in the WARC, on disk, before `fetch` returns; its row is written by the next `Run.transaction`.

Boundary: no decision is made here; retries, limits and robots.txt belong to `crawler.fetch`.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from crawler.errors import BadStatus, FetchError
from crawler.pipeline.run import PendingCapture, Run
from crawler.purpose import ROBOTS, Purpose, PurposeKind
from crawler.schedule.conditional import NO_VALIDATORS, Validators
from crawler.types import Fetched, RawRef


class Capture(NamedTuple):
    """A response and its location in the WARC."""

    fetched: Fetched
    ref: RawRef

    @property
    def at(self) -> datetime:
        """When the request was sent, in UTC."""
        return self.fetched.fetched_at


class FetchFailure(NamedTuple):
    """The error of a request that got no usable response, and the time of the failure in UTC."""

    error: FetchError
    at: datetime


def fetch(
    run: Run,
    url: str,
    purpose: Purpose,
    validators: Validators = NO_VALIDATORS,
    *,
    failure_purpose: Purpose | None = None,
) -> Capture | FetchFailure:
    """Fetch an address and archive the response or, if the request fails, a note about the failure.

    Return a `Capture` or a `FetchFailure`. `failure_purpose` is the purpose of the note, if it differs from `purpose`.

    Raises:
        StopError: the site cannot be reached or asks clients to wait, or the WARC cannot be written.

    """
    try:
        fetched = run.fetcher.get(
            url,
            etag=validators.etag,
            last_modified=validators.last_modified,
            is_picture=purpose.kind is PurposeKind.IMAGE,
        )
    except FetchError as error:
        return note_failure(run, url, error, failure_purpose or purpose)
    return archive_response(run, fetched, purpose)


def archive_response(run: Run, fetched: Fetched, purpose: Purpose) -> Capture:
    """Append a response to the WARC, after the redirects and the robots.txt responses that preceded it."""
    for rules in run.fetcher.take_robots():
        _append(run, rules, ROBOTS)
    for hop in fetched.hops:
        _append(run, hop, purpose)
    return Capture(fetched, _append(run, fetched, purpose))


def note_failure(run: Run, url: str, error: FetchError, purpose: Purpose) -> FetchFailure:
    """Write a WARC metadata record about a failed request, so that a rebuild knows of it."""
    at = run.clock.now()
    status = {"status": str(error.status)} if isinstance(error, BadStatus) else {}
    run.warc.note(url, at, str(purpose), {"outcome": type(error).__name__, "error": str(error), **status})
    return FetchFailure(error, at)


def _append(run: Run, fetched: Fetched, purpose: Purpose) -> RawRef:
    ref = run.warc.append(fetched, str(purpose))
    run.pending.append(PendingCapture(fetched, ref, purpose))
    return ref
