"""Reads the configuration file and the data files of the package, checks them, and reports all mistakes at once.

Boundary: reads files, never writes them; no network, no database.
"""

from __future__ import annotations

import codecs
import difflib
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import time
from importlib import resources
from pathlib import Path
from typing import Any

from crawler import files, local_http, markup, site, types, urls
from crawler.config import checks
from crawler.errors import ConfigError
from crawler.markup import Markup
from crawler.pictures.values import Keep

DEFAULT_FILE = Path("config/crawler.toml")
_MOST_BYTES = 1_000_000  # of a file; `config/crawler.toml` has about 10 kB
_SAVE_AS_UTF8 = "save the file as UTF-8"
_MAX_RATE = 2.0  # requests a second; politeness towards the web server of a news agency
_CONTACT = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+|https?://\S+\.\S+")
# contacts copied from an example, such as you@your.domain
_PLACEHOLDER = re.compile(r"/(?:you|your[^@]*|changeme|todo)@|[@/.](?:example|your)[^@/]*\.", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Config:
    """All settings; the comments in `config/crawler.toml` explain each of them and its unit."""

    root: str = site.ROOT
    contact: str = ""
    rate: float = 1.0
    timeout: float = 30.0
    attempts: int = 3
    max_retry_after: float = 3600.0
    max_body: int = 10_000_000
    connections: int = 2
    quiet_hours: tuple[time, time] | None = None
    daily_cap: int = 0
    list_pages: int = 20
    add: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    floor: float = 300.0
    ceiling: float = 21_600.0
    articles_per_poll: float = 2.0
    list_api: bool = False
    api_hosts: tuple[str, ...] = ()
    id_probes: int = 2000
    archive: Path = Path("archive")
    timestamp_url: str = field(default="", repr=False)
    timestamp_roots: Path | None = None
    publish_seals: Path | None = None
    warc_max_bytes: int = 1_000_000_000
    reserve: int = 2_000_000_000
    backup: Path | None = None
    backup_hours: float = 24.0
    health: str = "127.0.0.1:8017"
    hosts: tuple[str, ...] = ()
    log: str = "human"
    gap_hours: float = 48.0
    drift_share: float = 0.2
    alerts: tuple[str, ...] = field(default=(), repr=False)
    watches: Mapping[str, str] = field(default_factory=dict)
    watch_every: str = "day"
    markups_dir: Path | None = None
    adopt: str = "ask"
    keep_pictures: Keep = "none"
    picture_hosts: tuple[str, ...] = ()
    file: Path | None = None
    markups: tuple[Markup, ...] = field(default=(), repr=False)

    @property
    def loopback(self) -> bool:
        """Whether the root URL of the site is on this machine, as for a fake site."""
        return urls.is_loopback(self.root)

    @property
    def contact_is_real(self) -> bool:
        """Whether the contact is an e-mail address or a web address, and not a placeholder from an example."""
        return bool(_CONTACT.fullmatch(self.contact)) and not _PLACEHOLDER.search(f"/{self.contact}")


@dataclass(frozen=True, slots=True)
class Overrides:
    """Settings from the command line or the environment; a value other than None replaces that of the file."""

    archive: Path | None = None
    site: str | None = None
    rate: float | None = None


def load(file: Path | None = None, overrides: Overrides = Overrides()) -> Config:
    """Read the configuration file, apply the overrides, and check everything.

    If `file` is None, read `config/crawler.toml` in the current folder; if that file does not exist, use the defaults.

    Raises:
        ConfigError: the file cannot be read or has mistakes; the message lists all mistakes, each with file and key.

    """
    config, mistakes = _from_file(file)
    config, more = _override(config, overrides)
    mistakes += more
    try:
        config = replace(config, markups=load_markups(config.markups_dir))
    except ConfigError as error:
        mistakes.append(str(error))
    if mistakes:
        hint = "correct these settings, then try again; config/crawler.toml explains every key"
        raise ConfigError("\n".join(mistakes), hint)
    return config


def load_markups(folder: Path | None = None) -> tuple[Markup, ...]:
    """Return the page layouts of the package and, if `folder` is given, the user's own layouts in that folder.

    Raises:
        ConfigError: the folder does not exist, or files have mistakes; the message lists all mistakes.

    """
    package = resources.files("crawler") / "markups"
    found = [
        (f"crawler/markups/{f.name}", f.read_text("utf-8"))
        for f in sorted(package.iterdir(), key=lambda f: f.name)
        if f.name.endswith(".toml")
    ]
    if folder is not None:
        if not folder.is_dir():
            raise ConfigError(
                f"[markups] dir: folder {folder} does not exist", "create the folder, or leave the key empty"
            )
        found += [(str(f), _text_of(f)) for f in sorted(folder.glob("*.toml"))]
    return markup.load_all(found)


def _from_file(file: Path | None) -> tuple[Config, list[str]]:
    path = file or DEFAULT_FILE
    if file is None and not (path.is_symlink() or path.exists()):  # a broken link is a mistake
        return Config(), []
    values, mistakes = _values(_parsed(path))
    base = path.resolve().parent.parent  # relative paths start from the folder above config/
    for key in ("archive", "markups_dir", "backup", "timestamp_roots", "publish_seals"):
        if values.get(key) is not None:
            values[key] = base / values[key]
    return Config(**values, file=path), [f"{path}: {mistake}" for mistake in mistakes]


def _parsed(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(_text_of(path))
    except (tomllib.TOMLDecodeError, RecursionError) as error:  # RecursionError: thousands of nested lists
        raise ConfigError(f"{path}: not valid TOML: {error}", "correct the file, then try again") from error


def _text_of(path: Path) -> str:
    """Return the content of a text file, with or without a byte order mark, and with line ends of any system."""
    try:
        content = files.read_named(path, _MOST_BYTES)
    except OSError as error:
        hint = "check the path (--config or VNA_CONFIG) and its permissions"
        raise ConfigError(f"{path}: cannot be read: {error.strerror}", hint) from error
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in content[:4]:
        raise ConfigError(f"{path}: not valid TOML: UTF-16 or UTF-32, not UTF-8", _SAVE_AS_UTF8)
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        before = error.object[: error.start]  # without the byte order mark
        line = len((before + b"x").splitlines())
        raise ConfigError(f"{path}: not valid TOML: not UTF-8 (at line {line})", _SAVE_AS_UTF8) from error


def _values(data: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    values: dict[str, Any] = {}
    mistakes: list[str] = []
    for table, content in data.items():
        known = _KEYS.get(table)
        if known is None or not isinstance(content, dict):
            mistakes.append(f"[{table}]: unknown table{_suggestion(table, _KEYS)}")
            continue
        for key, value in content.items():
            if key not in known:
                mistakes.append(f"[{table}] {key}: unknown key{_suggestion(key, known)}")
                continue
            name, check = known[key]
            try:
                values[name] = check(value)
            except ValueError as error:
                shown = "" if table in _SECRET_TABLES else f" = {value!r}"
                mistakes.append(f"[{table}] {key}{shown}: {error}")
    return values, mistakes


def _override(config: Config, overrides: Overrides) -> tuple[Config, list[str]]:
    mistakes: list[str] = []
    if overrides.archive is not None:
        config = replace(config, archive=overrides.archive)
    if overrides.site is not None:
        try:
            config = replace(config, root=checks.root(overrides.site))
        except ValueError as error:
            mistakes.append(f"--site {overrides.site}: {error}")
    if overrides.rate is not None:
        try:
            config = replace(config, rate=checks.number(0, None)(overrides.rate))
        except ValueError as error:
            mistakes.append(f"--rate {overrides.rate}: {error}")
    if config.floor > config.ceiling:
        mistakes.append(f"[poll] floor = {config.floor:g} is larger than ceiling = {config.ceiling:g}")
    if config.rate == 0 and not config.loopback:
        mistakes.append(f"rate 0 (no delay) is only allowed for a site on this machine, not for {config.root}")
    if config.rate > _MAX_RATE and not config.loopback:
        limit = f"the maximum is {_MAX_RATE:g} requests a second"
        mistakes.append(f"rate {config.rate:g} is too fast for {config.root}: {limit}")
    return config, mistakes


def _suggestion(word: str, known: Mapping[str, Any]) -> str:
    close = difflib.get_close_matches(word, known, n=1)
    return f"; did you mean {close[0]}?" if close else f"; expected one of: {', '.join(known)}"


_KEYS: dict[str, dict[str, tuple[str, Callable[[Any], Any]]]] = {
    "site": {"root": ("root", checks.root), "contact": ("contact", checks.contact)},
    "politeness": {
        "rate": ("rate", checks.number(0, None)),
        "timeout": ("timeout", checks.number(1, 600)),
        "attempts": ("attempts", checks.number(1, 10, whole=True)),
        "max_retry_after": ("max_retry_after", checks.number(0, 86_400)),
        "max_body": ("max_body", checks.number(10_000, types.MAX_BODY, whole=True)),
        "connections": ("connections", checks.number(1, 4, whole=True)),
        "quiet_hours": ("quiet_hours", checks.hours),
        "daily_cap": ("daily_cap", checks.number(0, None, whole=True)),
    },
    "poll": {
        "list_pages": ("list_pages", checks.number(1, 1000, whole=True)),
        "add": ("add", checks.texts),
        "exclude": ("exclude", checks.texts),
        "names": ("names", checks.names),
        "floor": ("floor", checks.number(60, 86_400)),
        "ceiling": ("ceiling", checks.number(300, 604_800)),
        "articles_per_poll": ("articles_per_poll", checks.number(0.1, 50)),
        "list_api": ("list_api", checks.flag),
        "api_hosts": ("api_hosts", checks.texts),
    },
    "backfill": {"id_probes": ("id_probes", checks.number(0, 86_400, whole=True))},
    "archive": {
        "dir": ("archive", checks.folder),
        "warc_max_bytes": ("warc_max_bytes", checks.number(1_000_000, None, whole=True)),
        "reserve": ("reserve", checks.number(0, None, whole=True)),
    },
    "backup": {"dir": ("backup", checks.path), "every_hours": ("backup_hours", checks.number(1, 8760))},
    "seals": {
        "timestamp_url": ("timestamp_url", checks.optional_address),
        "timestamp_roots": ("timestamp_roots", checks.path),
        "publish": ("publish_seals", checks.path),
    },
    "service": {
        "health": ("health", checks.address),
        "hosts": ("hosts", local_http.host_names),
        "log": ("log", checks.one_of("human", "json")),
        "gap_hours": ("gap_hours", checks.number(1, 8760)),
        "drift_share": ("drift_share", checks.number(0, 1)),
    },
    "alerts": {"to": ("alerts", checks.services)},
    "watch": {"searches": ("watches", checks.searches), "every": ("watch_every", checks.one_of("hour", "day"))},
    "markups": {"dir": ("markups_dir", checks.path)},
    "images": {
        "keep": ("keep_pictures", checks.one_of("none", "lead", "all")),
        "hosts": ("picture_hosts", checks.origins),
    },
    "heal": {"adopt": ("adopt", checks.one_of("ask", "auto"))},
}
_SYNONYM_KEYS: dict[str, type] = {"groups": list, "use": list, "option": dict}
_SECRET_TABLES = frozenset({"alerts", "seals"})  # their values contain passwords, so that no message may show them


def load_synonyms(config_file: Path | None = None) -> list[list[str]]:
    """Return the groups of synonyms in `synonyms.toml` next to the configuration file; no groups if it does not exist.

    Raises:
        ConfigError: the file has mistakes; the message lists all of them.

    """
    file = (config_file or DEFAULT_FILE).parent / "synonyms.toml"
    if not (file.is_symlink() or file.exists()):
        return []
    data = _parsed(file)
    mistakes = [f"{key}: unknown key{_suggestion(key, _SYNONYM_KEYS)}" for key in data if key not in _SYNONYM_KEYS]
    mistakes += [
        f"{key}: must be a {'table' if kind is dict else 'list'}"
        for key, kind in _SYNONYM_KEYS.items()
        if not isinstance(data.get(key, kind()), kind)
    ]
    groups: list[Any] = []
    if not mistakes:
        options, use = data.get("option", {}), data.get("use", [])
        known = list(options)  # not a dict: an entry of `use` may be a value that cannot be hashed
        mistakes = [f"use: unknown group {name!r}: it is not in [option]" for name in use if name not in known]
        groups = [*data.get("groups", []), *(options[name] for name in use if name in known)]
        mistakes += [f"{group!r} is not a list of at least two strings" for group in groups if not _is_group(group)]
    if mistakes:
        text = "\n".join(f"{file}: {mistake}" for mistake in mistakes)
        raise ConfigError(text, 'correct the file; a group is a list such as ["Hanoï", "Hà Nội"]')
    return groups


def _is_group(value: Any) -> bool:
    return isinstance(value, list) and len(value) > 1 and all(isinstance(v, str) and v.strip() for v in value)
