"""Give an archive to other tools: warcio, cdxj-indexer, the WACZ validator and pywb, each in an environment of its own.

./run.sh bench handover            installs the tools into a temporary folder, which takes some minutes
./run.sh bench handover --into DIR keeps them there for the next time
"""

from __future__ import annotations

import argparse
import json
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.poll import SEEDS
from crawler import app, collect, config, opening
from crawler.evidence import write_wacz
from crawler.pipeline import Silent
from crawler.sim.site import build, serve

PAGES = 50


def installed(folder: Path, name: str, *packages: str) -> Path:
    """Return the folder of the programs of an environment with some packages."""
    bin_ = folder / name / "bin"
    if not bin_.exists():
        subprocess.run([sys.executable, "-m", "venv", folder / name], check=True)
        subprocess.run([bin_ / "pip", "install", "--quiet", *packages], check=True)
    return bin_


def archived(folder: Path) -> config.Config:
    """Return the configuration of an archive with renamed articles."""
    with serve(lambda url: build(url, seeds_dir=SEEDS, articles=30, now=lambda: datetime.now(UTC))) as site:
        settings = config.load(None, config.Overrides(archive=folder, site=site.url, rate=0))
        for renamed in (False, True):
            for post_id in sorted(site.fake_site.ids())[-5:] if renamed else ():
                site.fake_site.revise(post_id, title=f"Un autre titre {post_id}")
            with app.working(settings, "bench", Silent()) as work:
                collect.poll(work, ignore_due=True)
    return settings


def replayed(bin_: Path, folder: Path, files: list[Path], lines: list[dict[str, str]]) -> Counter[object]:
    """Replay pages in pywb; return the statuses."""
    folder.mkdir()
    for words in (["init", "vna"], ["add", "vna", *map(str, files)]):
        subprocess.run([bin_ / "wb-manager", *words], cwd=folder, check=True, capture_output=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [bin_ / "wayback", "-b", "127.0.0.1", "-p", str(port)]
    statuses: Counter[object] = Counter()
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            for _ in range(120):
                try:
                    urllib.request.urlopen(f"http://127.0.0.1:{port}/")
                    break
                except urllib.error.URLError:
                    time.sleep(0.5)
            for line in lines:
                try:
                    with urllib.request.urlopen(
                        f"http://127.0.0.1:{port}/vna/{line['time']}mp_/{line['url']}"
                    ) as response:
                        statuses[response.status] += 1
                except urllib.error.HTTPError as error:
                    statuses[error.code] += 1
        finally:
            server.terminate()
    return statuses


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--into", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tools = options.into or folder
        warc_tools = installed(tools, "warc-tools", "warcio", "cdxj-indexer", "wacz")
        pywb = installed(tools, "pywb", "pywb", "setuptools")
        settings = archived(folder / "archive")
        with opening.auditing(settings) as (archive, warc):
            index = opening.cdxj_index(settings, warc)
            index.update()
            target = folder / "archive.wacz"
            write_wacz(archive, warc, index, target, since=None, until=None, now=datetime.now(UTC), software="bench")
            files = [settings.archive / "warc" / one for one in warc.names()]
        own = (settings.archive / "index.cdxj").read_text("utf-8")
        check = subprocess.run([warc_tools / "warcio", "check", *files], check=False)
        print(f"warcio check: exit code {check.returncode}")
        reference = subprocess.run(
            [warc_tools / "cdxj-indexer", "--sort", *files], check=True, capture_output=True, text=True
        ).stdout
        print(f"cdxj-indexer: {len(reference.splitlines())} lines, equal to the own index: {reference == own}")
        valid = subprocess.run(
            [warc_tools / "wacz", "validate", "-f", target], check=False, capture_output=True, text=True
        )
        print(f"wacz validate: exit code {valid.returncode}, {valid.stdout.strip().splitlines()[-1]}")
        lines = [
            json.loads(fields) | {"time": at} for _, at, fields in (line.split(" ", 2) for line in own.splitlines())
        ]
        pages = [line for line in lines if "-post" in line["url"] and line["status"] == "200"]
        renamed = [line for line in pages if "un-autre-titre" in line["url"]]
        chosen = [*renamed, *(line for line in pages if line not in renamed)][:PAGES]
        statuses = replayed(pywb, folder / "replay", files, chosen)
        print(f"pywb: {len(chosen)} pages, {len(renamed)} of them renamed: {dict(statuses)}")
    return int(check.returncode or valid.returncode or reference != own or set(statuses) != {200})
