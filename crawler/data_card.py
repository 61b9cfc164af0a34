"""Describe exported files: a Data Package (Frictionless), a data card (README with the metadata of Hugging Face), a citation.

Boundary: values in, strings and JSON values out; `handover` writes the files.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from crawler import citation, visible
from crawler.article_fields import ArticleField, FieldType
from crawler.coverage import Ledger
from crawler.selection import KINDS, STATES
from crawler.site import ROOT

PACKAGE, README, CITATION = "datapackage.json", "README.md", "CITATION.cff"
TITLE = "Articles of the Vietnam News Agency in French"
UNDATED = "no date"
RIGHTS = (
    "The articles and pictures belong to the Vietnam News Agency and to those whom it credits. This dataset gives no licence"
    " to them. Keep it private: use it for your own research and reading, quote with the source, and ask the agency before"
    " you pass texts on or publish them."
)
_COVERAGE = (
    "The table is about the whole archive, not about this selection. `known` are articles that a list of the site has named,"
    " `held` those of which the archive has a version, `missing` those that it could not fetch or read, `gone` those that the"
    " agency has removed. Articles that no list has named are not counted."
)
_LIMITS = (
    "A text is what the archive read from the page at the time of its revision. Revisions between two visits are not known."
    " The repaired text (`clean`) corrects lost spaces by rules and may be wrong; `text` is as published."
)
_LICENCE = {"name": "other-closed", "title": "Rights of the Vietnam News Agency; for private use"}
_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))

_TYPES: dict[FieldType, str] = {
    FieldType.INTEGER: "integer",
    FieldType.SMALL_INTEGER: "integer",
    FieldType.INSTANT: "datetime",
    FieldType.DAY: "date",
    FieldType.TEXT_LIST: "array",
    FieldType.TEXT_MAP: "object",
    FieldType.DATELINE: "object",
    FieldType.BLOCKS: "array",
    FieldType.RELATED: "array",
    FieldType.REPAIRS: "array",
}
_FORMS: dict[FieldType, str] = {
    FieldType.INSTANT: "UTC, ISO 8601",
    FieldType.SITE_INSTANT: "ISO 8601 with the offset of the site; not always valid",
    FieldType.DAY: "day in Hanoi, ISO 8601",
}
_UNITS = {"word_count": "words"}
_VALUES = {"kind": KINDS, "state": STATES}
_ALWAYS = (FieldType.INTEGER, FieldType.SMALL_INTEGER, FieldType.INSTANT)
_MEDIA = {"jsonl": "application/jsonl", "csv": "text/csv", "parquet": "application/vnd.apache.parquet"}
_SHOWN = 200  # characters of a section, a condition or a cell
_DIGEST = "vna:sha256"
_NO_DIGEST = "0" * 64


@dataclass(frozen=True, slots=True)
class DataFile:
    """A file of the export: its path in the folder, its size in bytes and the SHA-256 of its content."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Coverage:
    """What the whole archive has of one year: articles that are known, held, missing and removed by the agency."""

    year: str
    known: int
    held: int
    missing: int
    gone: int


@dataclass(frozen=True, slots=True)
class Contents:
    """The articles of an export, counted by year, section, kind and state."""

    years: Mapping[str, int]
    sections: Mapping[str, int]
    kinds: Mapping[str, int]
    states: Mapping[str, int]

    @property
    def count(self) -> int:
        """The number of articles, or of revisions."""
        return sum(self.years.values())


@dataclass(frozen=True, slots=True)
class Card:
    """What the three files say.

    `format` is that of the files with rows: `jsonl`, `csv` or `parquet`; texts have a table `metadata.csv`. `texts` is the
    format of files with one article each, None if there are none. `conditions` describe the selection, in words.
    `created` is an instant (UTC, ISO 8601), `software` the name and version of this program.
    """

    format: str
    texts: str | None
    columns: tuple[ArticleField, ...]
    files: tuple[DataFile, ...]
    contents: Contents
    conditions: tuple[str, ...]
    revisions: bool
    coverage: tuple[Coverage, ...]
    gaps: tuple[tuple[str, str, str], ...]
    archive: str
    created: str
    software: str
    bom: bool = False


def coverage_by_year(ledger: Ledger) -> tuple[Coverage, ...]:
    """Return the coverage of the whole archive by year; articles without a known year come last, with the year `no date`."""
    sums: dict[str, Counter[str]] = {}
    for row in ledger.months:
        if not row.section:
            counts = sums.setdefault(row.month[:4] or UNDATED, Counter())
            counts.update(known=row.known, held=row.held, missing=row.missing, gone=row.gone)
    return tuple(
        Coverage(year, counts["known"], counts["held"], counts["missing"], counts["gone"])
        for year, counts in sorted(sums.items())
        if counts["known"]
    )


# --- Data Package -----------------------------------------------------------------------------------------------------


def datapackage(card: Card, others: Mapping[str, str]) -> str:
    """Return the Data Package; `others` has the SHA-256 of the other files of the folder, by their paths."""
    described = {
        "profile": "data-package",
        "name": "vna-articles",
        "id": f"urn:uuid:{card.archive}",
        "title": TITLE,
        "description": f"{card.contents.count} {_noun(card)} of the agency's French edition. {RIGHTS}",
        "homepage": ROOT,
        "version": card.created[:10],
        "created": card.created,
        "keywords": ["news", "Vietnam", "French"],
        "licenses": [_LICENCE],
        "sources": [{"title": f"{citation.AGENCY}, French edition", "path": ROOT}],
        "contributors": [{"title": citation.AGENCY, "role": "author"}],
        "resources": [_resource(card, file) for file in card.files],
        "vna:software": card.software,
        "vna:conditions": list(card.conditions),
        "vna:files": dict(others),
        **({"vna:schema": _schema(card)} if card.format == "parquet" else {}),
        _DIGEST: _NO_DIGEST,
    }
    text = visible.json_text(described, indent=2) + "\n"
    return text.replace(_NO_DIGEST, digest_of(text), 1)


def recorded_files(text: str, sha256: str) -> dict[str, str]:
    """Return the SHA-256 of the files that a Data Package lists, by their paths, or nothing if it is not unchanged.

    `sha256` is the digest of its text with zeros instead of the digest in it: see `without_digest`.
    """
    try:
        package = json.loads(text)
        if package[_DIGEST] != sha256:
            return {}
        found: dict[str, str] = {one["path"]: one["hash"].removeprefix("sha256:") for one in package["resources"]}
        found |= package["vna:files"]
    except (ValueError, TypeError, KeyError, AttributeError):
        return {}
    return found


def without_digest(text: str) -> str:
    """Return the text of a Data Package with zeros instead of its own digest."""
    return re.sub(rf'("{_DIGEST}": ")[0-9a-f]{{64}}', rf"\g<1>{_NO_DIGEST}", text)


def digest_of(text: str) -> str:
    """Return the SHA-256 of a text."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _resource(card: Card, file: DataFile) -> dict[str, Any]:
    stem = re.sub(r"[^a-z0-9]+", "-", file.path.lower()).strip("-")
    resource: dict[str, Any] = {
        "name": stem,
        "path": file.path,
        "format": card.format,
        "mediatype": _MEDIA[card.format],
        "bytes": file.size,
        "hash": f"sha256:{file.sha256}",
    }
    if (
        card.format == "parquet"
    ):  # Frictionless reads no lists and structures of Parquet, so it checks size and digest only
        return resource | {"type": "file", "profile": "data-resource"}
    resource |= {"profile": "tabular-data-resource", "encoding": "utf-8-sig" if card.bom else "utf-8"}
    if card.format == "csv":
        resource["dialect"] = {"delimiter": ",", "lineTerminator": "\r\n", "quoteChar": '"', "doubleQuote": True}
    return resource | {"schema": _schema(card)}


def _schema(card: Card) -> dict[str, Any]:
    names = [field.name for field in card.columns]
    key = ["id", "revision"] if card.revisions else ["id"]
    fields = [_field(card, field) for field in card.columns]
    if card.texts is not None:
        fields += [
            {"name": "file", "type": "string", "description": "the file with the text of the article"},
            {"name": "sha256", "type": "string", "description": "the SHA-256 of this file"},
        ]
    return {"fields": fields} | ({"primaryKey": key} if set(key) <= set(names) else {})


def _field(card: Card, field: ArticleField) -> dict[str, Any]:
    described: dict[str, Any] = {
        "name": field.name,
        "type": column_type(card.format, field),
        "description": field.description,
    }
    constraints: dict[str, Any] = {}
    if field.required and field.type in _ALWAYS:
        constraints["required"] = True
    if field.name in _VALUES:
        constraints |= {"required": True, "enum": list(_VALUES[field.name])}
    return described | ({"constraints": constraints} if constraints else {})


def column_type(format_: str, field: ArticleField) -> str:
    """Return the type of a column in the Table Schema of Frictionless."""
    if format_ == "parquet":
        if field.type is FieldType.SITE_INSTANT:
            return "datetime"
        if field.type is FieldType.TEXT_MAP:
            return "array"
    if format_ == "csv" and field.name == "tags":
        return "string"
    return _TYPES.get(field.type, "string")


# --- data card --------------------------------------------------------------------------------------------------------


def readme(card: Card) -> str:
    """Return the data card, with the metadata that Hugging Face reads."""
    places = {"jsonl": "data/articles.jsonl", "csv": "data/articles.csv", "parquet": "data/**/*.parquet"}
    place = "data/metadata.csv" if card.texts else places[card.format]
    size = next((name for limit, name in _SIZES if card.contents.count < limit), "1M<n<10M")
    metadata = (
        f"---\nlanguage:\n- fr\nlicense: other\nlicense_name: rights-of-the-agency\nlicense_link: {README}\n"
        f"pretty_name: {TITLE}\nsize_categories:\n- {size}\ntags:\n- news\n- vietnam\n"
        f"configs:\n- config_name: default\n  data_files: {place}\n---"
    )
    origin = (
        f"{card.contents.count:,} {_noun(card)} of the French edition of the Vietnam News Agency (VNA, in French"
        f" {citation.AGENCY}), {ROOT}. Exported on {card.created[:10]} from the archive {card.archive} with {card.software}."
    )
    parts = [
        metadata,
        f"# {TITLE}",
        origin,
        "## Rights",
        RIGHTS,
        "## Selection",
        _list(card.conditions) if card.conditions else "All articles of the archive.",
        "## Files",
        _files(card),
        "## Fields",
        _fields(card),
        "## Counts",
        _counts(card),
        "## Coverage and its limits",
        _limits(card),
    ]
    return "\n\n".join(parts) + "\n"


def _noun(card: Card) -> str:
    return "revisions of articles" if card.revisions else "articles"


def _files(card: Card) -> str:
    size = f" {sum(file.size for file in card.files):,} bytes." if card.texts is None else ""
    texts = {
        "text": "One file per article in `data/`, in the format that `vna import` reads; `data/metadata.csv` lists them.",
        "tei": "One TEI P5 file per article in `data/`; `data/metadata.csv` lists them.",
    }
    kinds = {
        "jsonl": f"`{card.files[0].path}`: one JSON object per line, UTF-8." if card.files else "",
        "csv": f"`{card.files[0].path}`: RFC 4180, UTF-8{' with a byte order mark' * card.bom}." if card.files else "",
        "parquet": "`data/year=Y/month=M/*.parquet`: one folder for each month of publication in Hanoi.",
    }
    main = texts[card.texts] if card.texts else kinds[card.format]
    return (
        f"{main}{size} `{PACKAGE}` describes the columns for programs, with the size and the SHA-256 of each file;"
        f" `{CITATION}` says how to cite the dataset."
    )


def _fields(card: Card) -> str:
    rows = [
        (f"`{field.name}`", column_type(card.format, field), _unit(card.format, field), field.description)
        for field in card.columns
    ]
    if card.texts is not None:
        rows += [
            ("`file`", "string", "", "the file with the text of the article"),
            ("`sha256`", "string", "", "of this file"),
        ]
    return _table(("field", "type", "unit or form", "description"), rows)


def _unit(format_: str, field: ArticleField) -> str:
    if format_ == "parquet" and field.type is FieldType.SITE_INSTANT:
        return "UTC"
    if format_ == "csv" and field.name == "tags":
        return "joined by `;`"
    return _UNITS.get(field.name) or _FORMS.get(field.type, "")


def _counts(card: Card) -> str:
    contents = card.contents
    counted = (
        ("year of publication", contents.years), ("section", contents.sections), ("kind", contents.kinds),
        ("state", contents.states),
    )  # fmt: skip
    return "\n\n".join(
        _table((name, _noun(card)), [(key, f"{n:,}") for key, n in counts.items()]) for name, counts in counted
    )


def _limits(card: Card) -> str:
    rows = [(c.year, f"{c.known:,}", f"{c.held:,}", f"{c.missing:,}", f"{c.gone:,}") for c in card.coverage]
    gaps = [f"{since} to {until}: {source}" for since, until, source in card.gaps]
    missing = (
        f"Open gaps, in which articles may have appeared unseen: {len(gaps)}." if gaps else "There are no open gaps."
    )
    parts = [_COVERAGE, _table(("year", "known", "held", "missing", "gone"), rows), missing, _list(gaps), _LIMITS]
    return "\n\n".join(part for part in parts if part)


def _list(lines: Iterable[str]) -> str:
    return "\n".join(f"- {_line(line)}" for line in lines)


def _table(names: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = list(names)
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(_line(cell) for cell in line)} |" for line in lines)


def _line(text: str) -> str:
    return visible.line(" ".join(text.split()), _SHOWN).replace("|", "\\|").replace("<", "\\<")


# --- citation ---------------------------------------------------------------------------------------------------------


def citation_cff(card: Card) -> str:
    """Return how to cite the dataset, in the Citation File Format."""
    abstract = f"{card.contents.count} {_noun(card)} of the agency's French edition. {RIGHTS}"
    lines = [
        "cff-version: 1.2.0",
        "message: If you use this dataset, cite it and the articles that you quote, each with its address and day.",
        "type: dataset",
        f"title: {json.dumps(TITLE)}",
        "authors:",
        f"  - name: {json.dumps(citation.AGENCY)}",
        f"    website: {ROOT}",
        f"version: {json.dumps(card.created[:10])}",
        f"date-released: {card.created[:10]}",
        f"abstract: {json.dumps(abstract)}",
        "identifiers:",
        "  - type: other",
        f"    value: {json.dumps('urn:uuid:' + card.archive)}",
        "    description: The archive from which the dataset was exported",
        "keywords:",
        "  - news",
        "  - Vietnam",
        "  - French",
    ]
    return "\n".join(lines) + "\n"
