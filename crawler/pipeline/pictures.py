"""Request the pictures of articles: fetch → archive → decode → compare → store, the last three in one transaction.

The pictures of an article are requested after its page. An address is requested again when a failure may have passed, or to
see whether the picture there was replaced.

Boundary: only calls other modules in the right order; `schedule` decides when an address is requested again.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime

from crawler.errors import BadStatus, NotAPicture, PageError, SiteUnavailable
from crawler.outcome import Outcome, OutcomeKind
from crawler.parser_process import decode_picture
from crawler.pictures import Picture, PictureForFetch, PictureProblem, picture_address, read_header
from crawler.pipeline.fetching import Capture, FetchFailure, fetch
from crawler.pipeline.picture_places import show_picture
from crawler.pipeline.quarantine import guarded
from crawler.pipeline.run import Run
from crawler.purpose import Purpose
from crawler.schedule.conditional import NO_VALIDATORS, Validators
from crawler.schedule.pictures import is_due, picture_failed, picture_held
from crawler.types import ErrorKind, Fetched, RawRef

_OK = 200
_NOT_MODIFIED = 304
_CLAIMS = 1 << 52  # addresses are claimed by numbers above those of plans


def visit_pictures_of(run: Run, key: int) -> None:
    """Request the pictures of an article that were never requested from their address, or are due again.

    They belong to the visit of the page, so that they are not reported as steps of the run. If the host of the pictures is
    not available, this run requests no more of them: articles do not wait for pictures.

    Raises:
        StopError: the run cannot continue.

    """
    if _is_wanted(run):
        urls = run.archive.image_urls(key, only_lead=run.settings.pictures.only_lead)
        _visit_all(run, urls, lambda _: None)


def visit_due_pictures(run: Run) -> None:
    """Request the pictures that are due again, until a source is due, because news comes first.

    Raises:
        StopError: the run cannot continue.

    """
    if _is_wanted(run):
        due = run.archive.due_pictures(run.clock.now(), only_lead=run.settings.pictures.only_lead)
        if due:
            run.progress.phase("pictures", len(due))
            before_news = itertools.takewhile(lambda _: not run.archive.source_is_due(run.clock.now()), due)
            _visit_all(run, before_news, run.progress.step)


def _is_wanted(run: Run) -> bool:
    return run.settings.pictures.keep != "none" and not run.pictures_unavailable


def _visit_all(run: Run, urls: Iterable[str], report: Callable[[Outcome], None]) -> None:
    for url in urls:
        address = wanted_address(run, url)
        if address is None:
            continue
        if run.stopping():
            return
        try:
            report(visit_picture(run, address))
        except SiteUnavailable as error:
            if run.site.owns(address):
                raise
            run.pictures_unavailable = True
            run.progress.step(Outcome(OutcomeKind.PROGRESS, detail=f"no more pictures in this run: {error}"))
            return


def wanted_address(run: Run, url: str, *, retry_given_up: bool = False) -> str | None:
    """Return the address from which a picture is to be requested now; None if it is not; see `schedule.pictures.is_due`."""
    address = picture_address(url, run.site.root, run.settings.pictures.hosts)
    if address is None:
        return None
    known = run.archive.picture_row(address)
    return address if is_due(known, run.clock.now(), retry_given_up=retry_given_up) else None


def visit_picture(run: Run, address: str) -> Outcome:
    """Request a picture, unless another process is requesting it; store it, and what it means for its articles.

    Raises:
        SiteUnavailable: the host is not available, or no request is allowed now.
        StopError: the run cannot continue.

    """
    number = int.from_bytes(hashlib.sha256(address.encode()).digest()[:6], "big")
    with run.archive.claim(_CLAIMS + number) as claimed:
        if not claimed:
            return Outcome(OutcomeKind.SKIPPED, url=address, detail="another process is requesting it")

        def quarantine(message: str, at: datetime, _raw_id: int | None) -> Outcome:
            return _save_failure(run, address, message, ErrorKind.BUG, at)

        return guarded(run, Purpose.image(address), lambda: _fetch_and_store(run, address), quarantine)


def _fetch_and_store(run: Run, address: str) -> Outcome:
    purpose = Purpose.image(address)
    known = run.archive.picture_row(address)
    is_held = known is not None and known.digest is not None
    validators = Validators(known.etag, known.last_modified) if known is not None and is_held else NO_VALIDATORS
    response = fetch(run, address, purpose, validators)
    if isinstance(response, FetchFailure):
        return _failed(run, address, response.error, response.at)
    with run.crash_marker.processing(str(purpose)):
        return _handle_response(run, address, response)


def _handle_response(run: Run, address: str, response: Capture) -> Outcome:
    fetched = response.fetched
    known = run.archive.picture_row(address)
    received = Validators(fetched.header("ETag"), fetched.header("Last-Modified"))
    if fetched.status == _NOT_MODIFIED and known is not None and known.digest is not None:
        with run.transaction():
            outcome = picture_held(response.at, _newest_use(run, address, response.at), known.digest, None, received)
            run.archive.save_picture_row(address, outcome, response.at)
        return Outcome(OutcomeKind.UNCHANGED, url=address)
    if fetched.status != _OK:
        return _failed(run, address, BadStatus(address, fetched.status), response.at)
    picture = _picture_of(fetched, response.ref)
    if picture is None:
        return _failed(run, address, NotAPicture(address, "the response is not a picture"), response.at)
    with run.transaction():
        raw_id = run.capture_ids[response.ref]
        run.archive.add_picture(picture, len(fetched.body), raw_id)
        due = _newest_use(run, address, response.at)
        outcome = picture_held(response.at, due, picture.digest, raw_id, received)
        run.archive.save_picture_row(address, outcome, response.at)
        places = run.archive.picture_places(address)
        shown = [show_picture(run.archive, place, picture.digest, response.at) for place in places]
    replaced = [place.article for place, one in zip(places, shown, strict=True) if one in ("replaced", "revised")]
    run.report.revised += shown.count("revised")
    return _told(address, known, picture.digest, replaced)


def _told(address: str, known: PictureForFetch | None, digest: str, articles: list[int]) -> Outcome:
    if articles:
        return Outcome(OutcomeKind.REVISED, url=address, detail=f"another picture in article {articles[0]}")
    if known is not None and known.digest == digest:
        return Outcome(OutcomeKind.UNCHANGED, url=address)
    return Outcome(OutcomeKind.PICTURE, url=address)


def _picture_of(fetched: Fetched, ref: RawRef) -> Picture | None:
    """Return the picture in a response; None if it is not a picture.

    Raises:
        StopError: the library that decodes pictures is not installed.

    """
    header = read_header(fetched.content)
    if header is None:
        return None
    decoded = decode_picture(fetched.content, header)
    found = Picture(ref.digest, header.media_type, header.width, header.height)
    if isinstance(decoded, PictureProblem):
        return replace(found, problem=str(decoded))
    return replace(found, phash=decoded.phash, crops=decoded.crops)


def _newest_use(run: Run, address: str, at: datetime) -> datetime:
    return run.archive.newest_use(address) or at


def _failed(run: Run, address: str, error: PageError, at: datetime) -> Outcome:
    with run.transaction():
        return _save_failure(run, address, str(error), error.kind, at)


def _save_failure(run: Run, address: str, message: str, kind: ErrorKind, at: datetime) -> Outcome:
    known = run.archive.picture_row(address)
    run.archive.save_picture_row(address, picture_failed(known, at, message, kind), at)
    return Outcome(OutcomeKind.FAILED, url=address, detail=message)
