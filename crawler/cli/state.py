"""The global options, and the configuration and archive that they select.

Boundary: turns options into values; `app` opens files and connections.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from crawler.cli import output, streams

if TYPE_CHECKING:
    from crawler.config import Config
    from crawler.repair import Lexicon
    from crawler.storage import Archive

DEMO = Path("archive/demo")


@dataclass(frozen=True, slots=True)
class Globals:
    """The global options, which precede the command. None means that the option was not given."""

    config: Path | None = None
    archive: Path | None = None
    site: str | None = None
    rate: float | None = None
    verbose: int = 0

    def load(self) -> Config:
        """Read the configuration with these options applied.

        Raises:
            ConfigError: the configuration has mistakes; the message lists all of them.

        """
        from crawler import config, known_secrets

        loaded = config.load(self.config, config.Overrides(self.archive, self.site, self.rate))
        streams.redact_secrets(known_secrets.secrets(loaded))
        return loaded

    def load_for_requests(self) -> Config:
        """Read the configuration for a command that requests the site; with `--verbose`, print the proxy if there is one.

        Raises:
            ConfigError: the configuration has mistakes or no contact, or the environment names an invalid proxy.
            SiteUnavailable: the host of the site cannot be resolved.

        """
        from crawler import app, proxies

        config = self.load()
        app.require_contact(config)
        if self.verbose and (proxy := proxies.proxy_for(config.root)) is not None:
            output.note(f"requests go through the proxy {proxy}")
        return config

    def folder(self) -> Path:
        """Return the archive folder.

        If no archive is named and the default archive does not exist, return the folder of the demo archive and print a
        note on stderr. That way, a command that reads the archive works right after `vna demo`.
        """
        from crawler import storage

        folder = self.load().archive
        named = self.archive or self.config
        if not named and not (folder / storage.FILE).exists() and (DEMO / storage.FILE).exists():
            output.note(f"(no archive at {folder} yet: using the demo archive, {DEMO})")
            return DEMO
        return folder

    def reading(self) -> AbstractContextManager[Archive]:
        """Open the archive for reading.

        Raises:
            StorageError: there is no archive, or it cannot be read.

        """
        from crawler import opening

        return opening.reading_archive(self.folder())


def lexicon() -> Lexicon:
    """Return the lexicon for the repair of glued words."""
    from crawler.lexicon import load

    return load()


def of(context: typer.Context) -> Globals:
    """Return the global options that are stored in the context of a command."""
    found = context.find_object(Globals)
    assert found is not None
    return found
