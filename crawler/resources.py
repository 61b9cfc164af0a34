"""Finds the files that are part of the package: templates, the seed articles, and the configuration of Datasette.

Boundary: returns paths inside the package and opens no files. In a checkout, `data/config` and `data/seeds` are links
to the folders `config/` and `seeds/`; a wheel contains copies of the files that pyproject.toml lists.
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from crawler.errors import StopError

_REINSTALL = "install the package again: the wheel holds this file, and a checkout links to it in crawler/data/"


def template(name: str) -> Path:
    """Return the path of the file `name`, which `vna init` copies.

    The file is looked up first in `templates/`, then in `config/`.

    Raises:
        StopError: the installation lacks the file.

    """
    own = _package() / "templates" / name
    return own if own.is_file() else _existing("data", "config", name)


def seeds() -> Path:
    """Return the folder of the five seed articles.

    Raises:
        StopError: the installation lacks the folder.

    """
    return _existing("data", "seeds")


def lexicon() -> Path:
    """Return the folder of the lexicon's files.

    Raises:
        StopError: the installation lacks the folder.

    """
    return _existing("repair", "data")


def datasette_metadata() -> Path:
    """Return the path of Datasette's metadata file: titles, descriptions and canned queries.

    Raises:
        StopError: the installation lacks the file.

    """
    return _existing("data", "config", "datasette.yaml")


def datasette_plugins() -> Path:
    """Return the folder of Datasette's plugins.

    Raises:
        StopError: the installation lacks the folder.

    """
    return _existing("data", "config", "datasette")


def _existing(*parts: str) -> Path:
    path = _package().joinpath(*parts)
    if not path.exists():
        raise StopError(f"this installation is incomplete: {path} is missing", _REINSTALL)
    return path


def _package() -> Path:
    # A path and not a `Traversable`: Datasette, which is another process, needs files that have a name on the disk.
    return Path(str(resources.files("crawler")))
