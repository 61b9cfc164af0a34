"""The composition root: builds the parts of a run from the configuration.

Boundary: connects parts; decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from crawler import resources
from crawler.archive_files import WARC_FOLDER, database_files
from crawler.clock import Clock, StoppableClock, SystemClock, to_text
from crawler.config import Config
from crawler.errors import BadInput, ConfigError, OtherArchive, StorageError, WarcCorrupted
from crawler.fetch.client import Fetcher, resolve_host
from crawler.lexicon import load as load_lexicon
from crawler.opening import opened_archive, reading_archive
from crawler.parse import seedtext
from crawler.parser_process import require_decoder
from crawler.pictures import KeptPictures
from crawler.pipeline import Progress, Run, RunSettings
from crawler.pipeline.clock_check import ClockPeriods
from crawler.pipeline.recorded_settings import settings_text
from crawler.pipeline.stored_pages import Reader, Repairer, learned_layouts
from crawler.proxies import proxy_for
from crawler.repair import repair
from crawler.repair.lexicon import Lexicon
from crawler.request_settings import list_hosts, picture_hosts, request_settings
from crawler.site import Site
from crawler.storage import FILE, disk, replace_db
from crawler.storage.archive_identity import stored_identity
from crawler.storage.crash_marker import CrashMarker
from crawler.storage.locks import Role, holding
from crawler.types import Article, Reading
from crawler.warc import WarcStore
from crawler.warc.archive_id import archive_ids

_PROOFS = 20  # captures of which one must be in the WARC files
_SEED_NAME = 3  # first characters of a file name


@contextmanager
def working(
    config: Config,
    command: str,
    progress: Progress,
    *,
    role: Role = "collect",
    clock: Clock | None = None,
    lexicon: Lexicon | None = None,
    free: disk.FreeSpace = disk.free_bytes,
    since: datetime | None = None,
    probing: bool = False,
    create: bool = True,
    dry_run: bool = False,
) -> Iterator[Run]:
    """Open an archive for a command that writes, and hold the lock of `role` until the block ends.

    `probing` also allows requests to the hosts that may have the list API, even if the configuration does not use it.
    `since` is the start time of the process, by default now. It is shown to other processes that want the lock. A missing
    archive is created, unless `create` is False or the role is `read`: then it is an error. With `dry_run`, it is an error,
    too, and the archive is opened for reading, even if it cannot be written.

    Raises:
        StopError: the archive is in use, cannot be written, or was written by a newer version.

    """
    clock = clock or SystemClock()
    site, settings = Site(config.root, list_hosts(config)), run_settings(config)
    if role == "read" or dry_run:
        # Before a lock creates the folder: a wrong path must not become an archive.
        reading_archive(config.archive).close()
    with (
        holding(config.archive, role, command, to_text(since or clock.now()), read_only=dry_run),
        reading_archive(config.archive) if dry_run else opened_archive(config.archive, create=create) as archive,
        CrashMarker(config.archive, role) as crash_marker,
        WarcStore(
            config.archive / WARC_FOLDER,
            max_bytes=config.warc_max_bytes,
            identity=archive.identity(),
            known_end=archive.known_end,
            period_at=ClockPeriods(archive).at,
            settings=settings_text(settings, site),
        ) as warc,
        Fetcher(
            request_settings(config, probing=probing),
            config.archive / "state",
            site.may_request,
            clock,
            guard=disk.guard(config.archive, config.reserve, free),
        ) as fetcher,
    ):
        yield Run(
            site=site,
            archive=archive,
            warc=warc,
            fetcher=fetcher,
            markups=config.markups,
            repair=repairer(lexicon),
            clock=clock,
            progress=progress,
            make_reader=partial(reader, config, repairing=lexicon is not None),
            crash_marker=crash_marker,
            settings=settings,
            stopping=lambda: isinstance(clock, StoppableClock) and clock.stopped,
            measure=lambda day: disk.measured(config.archive, day, free),
        )


def run_settings(config: Config) -> RunSettings:
    """Return the part of the configuration that a run depends on."""
    return RunSettings(
        list_pages=config.list_pages,
        min_interval=timedelta(seconds=config.floor),
        max_interval=timedelta(seconds=config.ceiling),
        articles_per_poll=config.articles_per_poll,
        id_probes=config.id_probes,
        add=config.add,
        exclude=config.exclude,
        names=config.names,
        pictures=KeptPictures(config.keep_pictures, picture_hosts(config)),
    )


def require_contact(config: Config) -> None:
    """Raise an error unless a contact is configured, so that the operators of the real site can reach the user.

    Raises:
        ConfigError: the configured contact is missing or a placeholder, or the environment names an invalid proxy.
        SiteUnavailable: the host of the site cannot be resolved; the user should fix this before setting the contact.
        StopError: pictures are to be kept, but the library that decodes them is not installed.

    """
    if config.keep_pictures != "none":
        require_decoder()
    through = proxy_for(config.root)
    if not config.loopback and not config.contact_is_real:
        if through is None:  # behind a proxy, only the proxy must know the name of the host
            resolve_host(config.root)
        raise ConfigError(
            f"no contact is configured, but the operators of {config.root} must be able to reach you",
            'set `[site] contact = "you@your.domain"` in config/crawler.toml; `vna demo` needs no contact and no internet',
        )


def reader(config: Config, *, repairing: bool) -> Reader:
    """Return a reader of archived captures, with the lexicon if `repairing` is set. Worker processes call this too."""
    words = load_lexicon() if repairing else None
    warc = WarcStore(config.archive / WARC_FOLDER)
    with reading_archive(config.archive) as archive:
        learned = learned_layouts(archive.layout_captures(), warc)
    return Reader(warc, Site(config.root), (*config.markups, *learned), repairer(words))


def repairer(lexicon: Lexicon | None) -> Repairer:
    """Return the function that repairs the text of an article.

    Without a lexicon, only the repair rules that need none are applied. The texts from `hints` show how the words of
    the page are written when they are not glued.
    """

    def read(article: Article) -> Reading:
        return repair(article.text, lexicon, hints=hints(article))

    return read


def lexicon_repairer() -> Repairer:
    """Return the function that repairs articles with the lexicon. Workers on other machines call this too."""
    return repairer(load_lexicon())


def hints(article: Article) -> Sequence[str]:
    """Return the texts of a page that never have glued words: title, lead, tags, captions, the stories under `Voir plus`."""
    captions = [image.caption for image in article.images if image.caption]
    stories = [text for story in article.related for text in (story.title, story.summary, story.caption or "") if text]
    return [article.title, *([article.lead] if article.lead else []), *article.tags, *captions, *stories]


@contextmanager
def rebuilding(
    config: Config,
    into: Path,
    progress: Progress,
    *,
    clock: Clock | None = None,
    lexicon: Lexicon | None = None,
    overwrite: bool = False,
    read_only: bool = False,
) -> Iterator[Run]:
    """Open a new database over the WARC files of the configured archive, and lock that archive.

    The database is in the folder `into` when the block has ended. If `overwrite` is set, a database in that folder is
    deleted first, such as that of a process that was killed before it could move it. `read_only`: the archive is only
    read, so that it may be one that cannot be written.

    The new database keeps the identity of the archive.

    Raises:
        StopError: another process works in the archive, or the folder holds a database or cannot be written.
        OtherArchive: the WARC files, or the old database and the WARC files, belong to two archives.

    """
    clock = clock or SystemClock()
    warc = config.archive / WARC_FOLDER
    if not warc.is_dir():
        raise StorageError(f"no WARC files at {warc}", "check --archive: a rebuild needs the WARC files")
    if into.exists() and not into.is_dir():
        raise BadInput(f"{into} is not a folder", "choose a new or empty folder with --into")
    if database_files(into) and not overwrite:
        raise BadInput(
            f"{into} already holds a database", "move the database away, or choose another folder with --into"
        )
    with holding(config.archive, "alone", "rebuild", to_text(clock.now()), read_only=read_only):
        identity = _kept_identity(config.archive)
        if overwrite:
            replace_db.remove_database(into)
        with (
            replace_db.unfinished_folder(into, warc) as folder,
            working(
                replace(config, archive=folder), "rebuild", progress, role="alone", clock=clock, lexicon=lexicon
            ) as run,
        ):
            if identity is not None:
                run.archive.set_identity(identity)
            yield run


@contextmanager
def replaying(
    config: Config, progress: Progress, *, clock: Clock | None = None, lexicon: Lexicon | None = None
) -> Iterator[Run]:
    """Open a temporary database over the WARC files of the configured archive; delete it when the block ends.

    The archive is not locked: other processes may work in it.

    Raises:
        StorageError: the database cannot be written.

    """
    with (
        replace_db.temporary_folder(config.archive) as folder,
        working(replace(config, archive=folder), "verify", progress, role="alone", clock=clock, lexicon=lexicon) as run,
    ):
        yield run


def _kept_identity(folder: Path) -> str | None:
    """Return the identity of an archive: that of its database or, if it has none, that of its WARC files.

    If the rows of the database show that it belongs to the WARC files, but its identity is another one, the identity of
    the files is right: it is in each of them.

    Raises:
        OtherArchive: the WARC files, or the old database and the WARC files, belong to two archives.

    """
    with suppress(StorageError):
        reading_archive(folder).close()  # upgrades a database of a version without identities
    identity = stored_identity(folder / FILE)
    found = {other: name for name, other in archive_ids(folder / WARC_FOLDER)}
    if len(found) == 1 and identity not in (None, *found) and _has_rows_of_files(folder):
        identity = None
    if len({*found, identity} - {None}) > 1:
        files = ", ".join(f"{name} to {other}" for other, name in found.items())
        database = f"; {folder / FILE} belongs to archive {identity}" if identity else ""
        raise OtherArchive(
            f"{folder / WARC_FOLDER} contains WARC files of another archive, for example: {files}{database}",
            "move the WARC files of the other archive away (import them with `vna backfill --warc FILE`), then rebuild; "
            "if all WARC files are right and only the database is not, move the database away and rebuild",
        )
    return identity or next(iter(found), None)


def _has_rows_of_files(folder: Path) -> bool:
    """Whether a row of the database of an archive matches the record in the WARC files to which it refers."""
    with suppress(StorageError), reading_archive(folder) as archive, WarcStore(folder / WARC_FOLDER) as warc:
        _, rows = archive.raw_spread(_PROOFS, 0)
        for row in rows:
            with suppress(WarcCorrupted):
                return warc.read(row.ref).url == row.url
    return False


def seeds() -> dict[str, Article]:
    """Return the seeds, articles of the site whose texts are known, by the start of their file names."""
    files = sorted(resources.seeds().glob("*.txt"))
    return {path.name[:_SEED_NAME]: seedtext.read(path.read_text("utf-8")) for path in files}
