"""Fill an archive from the fake site, and take the screenshots in docs/images/ of the pages of `vna browse`.

./run.sh screenshots               needs Chromium and the packages of the extra `browser` (docs/reading-room.md)
./run.sh screenshots --keep DIR    keeps the archive there, and uses it again
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from crawler.sim.site import build, serve

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "docs" / "images"
ARTICLES = 900  # about three weeks of the site
VNA = (sys.executable, "-m", "crawler")
PAGES = {
    "front": "/",
    "article": "/article/{repaired}",
    "changes": "/changes",
    "diff": "/article/{revised}#versions",
    "search": "/find?q=%22affaires+%C3%A9trang%C3%A8res%22+OR+d%C3%A9fense",
    "timeline": "/timeline?q=Chine&q=Laos&q=tourisme&since={month_ago}",
    "coverage": "/coverage",
}


def vna(archive: Path, *words: str) -> None:
    """Run a command of the program on the archive."""
    subprocess.run([*VNA, "--archive", str(archive), *words], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)  # noqa: S603


def fill(archive: Path) -> None:
    """Archive the fake site; then let the agency edit articles silently and openly, and remove one."""
    with serve(
        lambda url: build(url, seeds_dir=ROOT / "seeds", articles=ARTICLES, now=lambda: datetime.now(UTC))
    ) as site:
        polling = ("--site", site.url, "--rate", "0")
        vna(archive, *polling, "poll")
        days = ("--since", "2018-01-01", "--until", datetime.now(UTC).date().isoformat())
        vna(archive, *polling, "backfill", *days)
        ids = sorted(site.fake_site.ids())
        for number in ids[-9:-3]:
            site.fake_site.revise(number, silent=number % 2 == 0)
        site.fake_site.unpublish(ids[-12])
        site.fake_site.publish(9)
        vna(archive, *polling, "poll", "--all")
        vna(archive, "coverage")


@contextmanager
def browsing(archive: Path) -> Iterator[str]:
    """Run `vna browse` on the archive; yield its address."""
    command = [*VNA, "--archive", str(archive), "browse", "--port", "0"]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as running:  # noqa: S603
        try:
            assert running.stderr is not None
            for line in running.stderr:
                if found := re.search(r"running on (http://127\.0\.0\.1:\d+)", line):
                    yield found[1]
                    break
        finally:
            running.terminate()


def subjects(archive: Path) -> dict[str, object]:
    """Return the ids of an article with many repairs and of a revised one."""
    import sqlite3  # noqa: PLC0415

    with sqlite3.connect(archive / "vna.db") as db:
        (repaired,) = db.execute("SELECT article FROM repairs GROUP BY 1 ORDER BY count(*) DESC LIMIT 1").fetchone()
        (revised,) = db.execute("SELECT article FROM revisions WHERE revision > 1 LIMIT 1").fetchone()
    return {"repaired": repaired, "revised": revised}


def main() -> None:
    """Take all screenshots at 1280 and 390 pixels, and the front page in the dark scheme."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args()
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary, sync_playwright() as playwright:
        archive = options.keep or Path(temporary) / "archive"
        if not (archive / "vna.db").exists():
            fill(archive)
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        with browsing(archive) as address:
            found = subjects(archive) | {"month_ago": (datetime.now(UTC) - timedelta(days=27)).date().isoformat()}
            for name, path in PAGES.items():
                for width, height in ((1280, 860), (390, 844)):
                    context = browser.new_context(
                        viewport={"width": width, "height": height}, locale="fr-FR", reduced_motion="reduce"
                    )
                    page = context.new_page()
                    page.goto(address + path.format(**found))
                    page.screenshot(path=IMAGES / f"room-{name}-{width}.png")
                    context.close()
        browser.close()


if __name__ == "__main__":
    main()
