"""What a new installation starts from: a commented configuration and the files of a service.

Boundary: writes new files only; what stands in them is in `templates/`.
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from crawler.errors import BadInput, ConfigError

FILES = {
    "crawler.toml": "config/crawler.toml",
    "synonyms.toml": "config/synonyms.toml",
    "vna.service": "config/vna.service",
    "litestream.yml": "config/litestream.yml",
    "archive.md": "archive/README.md",
}


def write(folder: Path) -> list[Path]:
    """Write the files into a folder; none when one of them is there already. Gives their paths.

    Raises:
        BadInput: one is there.
        ConfigError: the folder cannot be written.

    """
    targets = {name: folder / place for name, place in FILES.items()}
    there = [str(path) for path in targets.values() if path.exists()]
    if there:
        raise BadInput(f"not written over: {', '.join(there)}", "choose another folder, or move these away")
    try:
        for name, path in targets.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("x", encoding="utf-8") as file:
                file.write(_template(name))
    except OSError as error:
        raise ConfigError(f"cannot write {error.filename}: {error.strerror}", "choose another folder") from error
    return list(targets.values())


def _template(name: str) -> str:
    return (resources.files("crawler") / "templates" / name).read_text("utf-8")
