"""The composition root: configuration to working parts.

Boundary: wiring only; what the parts do is theirs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from crawler.clock import Clock, StoppableClock, SystemClock, to_text
from crawler.config import Config
from crawler.errors import ConfigError
from crawler.fetch import Fetcher, Settings, look_up
from crawler.pipeline import Context, Progress
from crawler.pipeline.context import Repairer
from crawler.repair import repair
from crawler.repair.lexicon import Lexicon
from crawler.site import Site
from crawler.storage import Archive, open_archive
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
) -> Iterator[Context]:
    """Open everything that a writing command needs, and hold its role in the archive.

    Raises:
        StopError: the archive is in use, cannot be written, or was written by a newer version.

    """
    clock = clock or SystemClock()
    site = Site(config.root)
    settings = Settings(
        contact=config.contact,
        timeout=config.timeout,
        attempts=config.attempts,
        max_retry_after=config.max_retry_after,
        max_body=config.max_body,
        rate=config.rate,
    )
    with (
        holding(config.archive, role, command, to_text(clock.now())),
        open_archive(config.archive) as archive,
        WarcStore(config.archive / "warc", max_bytes=config.warc_max_bytes, known_end=archive.known_end) as warc,
        Fetcher(settings, config.archive / "state", site.owns, clock) as fetcher,
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
            add=config.add,
            exclude=config.exclude,
            stopping=lambda: isinstance(clock, StoppableClock) and clock.stopped,
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
