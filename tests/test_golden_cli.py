"""`vna parse` on every golden page: exit code, JSON or seed text on stdout, the reason on stderr."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from crawler.cli.main import app

PAGES = Path(__file__).parent / "golden" / "pages"
NAMES = sorted(path.stem for path in PAGES.glob("*.json"))


@pytest.mark.parametrize("name", NAMES)
def test_parse_prints_the_article_or_the_reason(name: str) -> None:
    about = json.loads((PAGES / f"{name}.json").read_text("utf-8"))
    arguments = ["parse", str(PAGES / f"{name}.html.gz"), "--url", about["url"], "--fetched-at", about["fetched_at"]]
    if about["content_type"]:
        arguments += ["--content-type", about["content_type"]]
    as_json, as_text = (CliRunner().invoke(app, [*arguments, "--format", form]) for form in ("json", "text"))
    assert as_json.exit_code == as_text.exit_code == about["exit"]
    if about["exit"] == 3:
        assert as_json.stdout == as_text.stdout == ""
        assert about.get("reason_contains", "not an article").lower() in as_json.stderr.lower()
    else:
        found = json.loads(as_json.stdout)
        assert found["title"] == about["expect"].get("title", found["title"])
        assert as_text.stdout.startswith(found["title"])
