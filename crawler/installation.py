"""Write the files of a new installation: a commented configuration, and the files for running the service.

Boundary: writes new files only; `crawler.resources` finds the templates that are copied.
"""

from __future__ import annotations

from pathlib import Path

from crawler import files, resources
from crawler.errors import BadInput, ConfigError

FILES = {
    "crawler.toml": "config/crawler.toml",
    "synonyms.toml": "config/synonyms.toml",
    "vna.service": "config/vna.service",
    "litestream.yml": "config/litestream.yml",
    "archive.md": "archive/README.md",
}


def write(folder: Path) -> list[Path]:
    """Write the files of a new installation into a folder and return their paths; if any of them exists, write none.

    Raises:
        BadInput: one of the files exists already.
        ConfigError: the folder cannot be written.

    """
    targets = {name: folder / place for name, place in FILES.items()}
    existing = [str(path) for path in targets.values() if path.exists() or path.is_symlink()]
    if existing:
        raise BadInput(
            f"these files already exist: {', '.join(existing)}", "choose another folder, or move these files away"
        )
    try:
        for name, path in targets.items():
            files.make_folder(path.parent)
            with files.create(path) as file:
                file.write(resources.template(name).read_bytes())
    except OSError as error:
        raise ConfigError(f"cannot write {error.filename}: {error.strerror}", "choose another folder") from error
    return list(targets.values())
