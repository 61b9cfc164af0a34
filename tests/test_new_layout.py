"""The walkthrough of docs/new-layout.md: the site changes its layout, a markup file is added, stored pages are parsed."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from crawler.cli.main import app
from crawler.sim.site import FakeSite, Options, Serving, build, serve
from crawler.sim.site.story import SECTIONS
from crawler.types import ImageBlock, TextBlock

ROOT = Path(__file__).parent.parent
BROKEN = 'name = "redesign-1"\n[article]\ntitle = ["h1["]\nbody = "p"\n'


@pytest.fixture
def site() -> Serving:
    small = Options(sections=SECTIONS[:2], section_size=8, feed_size=8, home_size=10, no_samples=True)

    def make(url: str) -> FakeSite:
        return build(url, seeds_dir=ROOT / "seeds", articles=9, now=lambda: datetime.now(UTC), options=small)

    with serve(make) as serving:
        yield serving


@pytest.fixture
def vna(site: Serving, tmp_path: Path):
    settings = tmp_path / "config" / "crawler.toml"
    settings.parent.mkdir()
    settings.write_text('[markups]\ndir = "config/markups"\n')
    (tmp_path / "config" / "markups").mkdir()

    def run(*arguments: str) -> tuple[int, str, str]:
        options = ["--config", str(settings), "--archive", str(tmp_path / "archive"), "--site", site.url, "--rate", "0"]
        result = CliRunner().invoke(app, [*options, *arguments])
        return result.exit_code, result.stdout, f"{result.exception}"

    return run


def test_a_new_layout_from_alarm_to_archive(site: Serving, vna, tmp_path: Path) -> None:
    assert vna("poll")[0] == 0
    site.fake_site.redesign()
    new = site.fake_site.publish(2)
    alarm, output, _ = vna("poll", "--all", "--json")
    assert alarm == 5
    assert json.loads(output)["new"] == 0

    # Archived articles are unchanged; new pages are in state drift.
    held = json.loads(vna("status", "--json")[1])
    assert held["pages"]["drift"] == len(new)
    assert held["articles"] == len(site.fake_site.ids()) - len(new)

    # Without the new layout, no new page can be parsed, but none is lost.
    before = json.loads(vna("reparse", "--json")[1])
    assert (before["newly_read"], before["still_unread"]) == (0, len(new))

    layout = tmp_path / "config" / "markups" / "redesign.toml"
    layout.write_text(BROKEN)
    code, _, message = vna("reparse")
    assert code == 1
    assert "h1[" in message
    assert "article.body" in message

    shutil.copy(ROOT / "docs" / "example-layout.toml", layout)
    code, output, message = vna("reparse", "--dry-run", "--json")
    assert code == 0, message
    rehearsal = json.loads(output)
    assert rehearsal["newly_read"] == len(new)
    assert vna("show", str(new[0]))[0] == 1  # a dry run writes nothing

    done = json.loads(vna("reparse", "--json")[1])
    assert (done["newly_read"], done["still_unread"], done["differing"]) == (len(new), 0, 0), done["samples"]
    for post_id in new:
        story, shown = site.fake_site.story(post_id), json.loads(vna("show", str(post_id), "--format", "json")[1])
        assert shown["title"] == story.title
        assert shown["lead"] == story.lead
        assert shown["markup"] == "redesign-1"
        assert [b["text"] for b in shown["blocks"] if b["type"] != "image"] == [
            b.text for b in story.blocks if isinstance(b, TextBlock)
        ]
        assert [b["caption"] for b in shown["blocks"] if b["type"] == "image"] == [
            b.caption for b in story.blocks if isinstance(b, ImageBlock)
        ]

    # The archived articles are parsed from pages in the new layout, and none counts as revised.
    _, output, _ = vna("poll", "--all", "--json")
    report = json.loads(output)
    assert (report["new"], report["revised"], report["rejected"]) == (0, 0, 0)
