"""The composition root: configuration to working parts.

Boundary: wiring only; what the parts do is theirs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path

from crawler import urls
from crawler.clock import Clock, StoppableClock, SystemClock, to_text
from crawler.config import Config
from crawler.errors import BadInput, ConfigError, StorageError
from crawler.fetch import Fetcher, Settings, budget_of, look_up
from crawler.lexicon import load as load_lexicon
from crawler.pipeline import Context, Progress
from crawler.pipeline.stored_pages import Reader, Repairer
from crawler.rate_limit import Pace
from crawler.repair import repair
from crawler.repair.lexicon import Lexicon
from crawler.replay import recover
from crawler.site import Site, api_hosts
from crawler.storage import FILE, Archive, disk, open_archive, replace_db
from crawler.storage.crash_marker import InHand
from crawler.storage.locks import Role, holding
from crawler.types import Article, Reading
from crawler.warc import WarcStore


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
) -> Iterator[Context]:
    """Open everything that a writing command needs, and hold its role in the archive; `since` is when it began (now).

    Raises:
        StopError: the archive is in use, cannot be written, or was written by a newer version.

    """
    clock = clock or SystemClock()
    site = Site(config.root, _list_hosts(config))
    with (
        holding(config.archive, role, command, to_text(since or clock.now())),
        open_archive(config.archive) as archive,
        InHand(config.archive, role) as in_hand,
        WarcStore(config.archive / "warc", max_bytes=config.warc_max_bytes, known_end=archive.known_end) as warc,
        Fetcher(
            _politeness(config),
            config.archive / "state",
            site.may_ask,
            clock,
            guard=disk.guard(config.archive, config.reserve, free),
        ) as fetcher,
    ):
        yield Context(
            site=site,
            archive=archive,
            warc=warc,
            fetcher=fetcher,
            markups=config.markups,
            repair=repairer(lexicon),
            clock=clock,
            progress=progress,
            list_pages=config.list_pages,
            floor=config.floor,
            ceiling=config.ceiling,
            id_probes=config.id_probes,
            add=config.add,
            exclude=config.exclude,
            names=config.names,
            stopping=lambda: isinstance(clock, StoppableClock) and clock.stopped,
            measure=lambda day: disk.measured(config.archive, day, free),
            recover=recover,
            in_hand=in_hand,
            make_reader=partial(reader, config, repairing=lexicon is not None),
        )


def patience(config: Config, clock: Clock | None = None) -> Pace:
    """Give how the site is treated at the moment by all processes of the archive; nothing is asked or written."""
    return budget_of(_politeness(config), config.archive / "state", config.root, clock or SystemClock()).pace()


def _list_hosts(config: Config) -> tuple[str, ...]:
    """Give the hosts whose list API may be asked, as origins; none unless the configuration opts in."""
    if not config.list_api:
        return ()
    named = (urls.absolute(config.root, host) for host in config.api_hosts)
    return tuple(urls.origin(host) for host in named if host is not None) or api_hosts(config.root)


def _politeness(config: Config) -> Settings:
    return Settings(
        contact=config.contact,
        timeout=config.timeout,
        attempts=config.attempts,
        max_retry_after=config.max_retry_after,
        max_body=config.max_body,
        rate=config.rate,
        connections=config.connections,
        quiet_hours=config.quiet_hours,
        daily_cap=config.daily_cap,
        root=config.root,
    )


def require_contact(config: Config) -> None:
    """Refuse to call on the real site without saying who we are.

    Raises:
        ConfigError: no contact, or a placeholder.
        SiteUnavailable: that too, but the site cannot be reached from here anyway, which is the first thing to mend.

    """
    if not config.loopback and not config.contact_is_real:
        look_up(config.root)
        raise ConfigError(
            f"no contact is configured, and {config.root} must be able to reach whoever calls on it",
            'set [site] contact = "you@your.domain" in config/crawler.toml; `vna demo` needs no contact and no internet',
        )


def reading_archive(folder: Path) -> Archive:
    """Open the archive for reading.

    Raises:
        StorageError: there is none, or it cannot be read.

    """
    return open_archive(folder, read_only=True)


def writing_archive(folder: Path) -> Archive:
    """Open the archive for writing rows beside whoever works on it; no role is needed for what belongs to nobody else.

    Raises:
        StorageError: there is none, or it cannot be opened.

    """
    reading_archive(folder).close()  # none is made where there was none
    return open_archive(folder)


def reader(config: Config, *, repairing: bool) -> Reader:
    """Make what reads stored answers, in a process of its own."""
    words = load_lexicon() if repairing else None
    return Reader(WarcStore(config.archive / "warc"), Site(config.root), config.markups, repairer(words))


def repairer(lexicon: Lexicon | None) -> Repairer:
    """Make the function that gives an article its repaired reading; its clean parts serve as hints."""

    def read(article: Article) -> Reading:
        return repair(article.text, lexicon, hints=hints(article))

    return read


def hints(article: Article) -> Sequence[str]:
    """Give the texts of a page that arrive unbroken: title, lead, captions, the stories under `Voir plus`."""
    captions = [image.caption for image in article.images if image.caption]
    stories = [text for story in article.related for text in (story.title, story.summary, story.caption or "") if text]
    return [article.title, *([article.lead] if article.lead else []), *captions, *stories]


@contextmanager
def rebuilding(
    config: Config, into: Path, progress: Progress, *, clock: Clock | None = None, lexicon: Lexicon | None = None
) -> Iterator[Context]:
    """Open a new archive over the WARC files of the configured one, in which nobody else works meanwhile.

    Raises:
        StopError: somebody does, the folder has an archive already, or cannot be written.

    """
    clock = clock or SystemClock()
    warc = config.archive / "warc"
    if not warc.is_dir():
        raise StorageError(f"no WARC files at {warc}", "check --archive; a database is made from them alone")
    if (into / FILE).exists():
        raise BadInput(f"{into} holds a database already", "move it away, or name another folder with --into")
    anew = replace(config, archive=into)
    with (
        holding(config.archive, "alone", "rebuild", to_text(clock.now())),
        replace_db.made(into, warc),
        working(anew, "rebuild", progress, role="alone", clock=clock, lexicon=lexicon) as context,
    ):
        yield context


@contextmanager
def auditing(config: Config) -> Iterator[tuple[Archive, WarcStore]]:
    """Open an archive and its evidence to look at them, beside whoever works there.

    Raises:
        StorageError: there is none, or it cannot be opened.

    """
    reading_archive(config.archive).close()  # looking must not make a new one
    with open_archive(config.archive) as archive, WarcStore(config.archive / "warc") as warc:
        yield archive, warc
