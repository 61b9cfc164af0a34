"""The global options as one value, and what commands get from them.

Boundary: options to configuration; opening things is `app`'s.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from crawler.config import Config
    from crawler.repair import Lexicon
    from crawler.storage import Archive

DEMO = Path("archive/demo")


@dataclass(frozen=True, slots=True)
class Globals:
    """What stood before the command."""

    config: Path | None = None
    archive: Path | None = None
    site: str | None = None
    rate: float | None = None
    verbose: int = 0

    def load(self) -> Config:
        """Read the configuration with these options applied.

        Raises:
            ConfigError: with every mistake.

        """
        from crawler import config

        return config.load(self.config, config.Overrides(self.archive, self.site, self.rate))

    def folder(self) -> Path:
        """Say where the archive is; a newcomer who named none and has only the demo's gets that, and is told so."""
        from crawler import storage

        folder = self.load().archive
        named = self.archive or self.config
        if not named and not (folder / storage.FILE).exists() and (DEMO / storage.FILE).exists():
            typer.echo(f"(no archive at {folder} yet: this is the demo's, {DEMO})", err=True)
            return DEMO
        return folder

    def reading(self) -> AbstractContextManager[Archive]:
        """Open the archive for reading.

        Raises:
            StorageError: there is no archive.

        """
        from crawler import app

        return app.reading_archive(self.folder())


def lexicon_or_note() -> Lexicon | None:
    """Give the lexicon; without one, say that words which lost the space between them stay as they are."""
    from crawler import lexicon

    words = lexicon.load()
    if words is None:
        typer.echo("vna: no lexicon is installed, so glued words stay; pip install '.[repair]' brings one", err=True)
    return words


def of(context: typer.Context) -> Globals:
    """Give the global options of a command's context."""
    found = context.find_object(Globals)
    assert found is not None
    return found
