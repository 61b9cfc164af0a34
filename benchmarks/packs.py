"""Change single bytes of an evidence pack, and count the changes that its check finds and names.

The check runs from the script in the pack, with the Python of the system, isolated from all installed packages.

./run.sh bench packs                    1,000 changes
./run.sh bench packs --changes 100000   many more
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.poll import SEEDS
from crawler import app, collect, config, opening
from crawler.evidence import check_pack, collected, packed
from crawler.pipeline import Silent
from crawler.sim.site import build, serve
from crawler.warc.seals import Seals


def pack(folder: Path) -> bytes:
    """Return a pack of two articles, one of which was revised; a seal covers what was there before."""
    with serve(lambda url: build(url, seeds_dir=SEEDS, articles=6, now=lambda: datetime.now(UTC))) as site:
        settings = config.load(None, config.Overrides(archive=folder, site=site.url, rate=0))
        ids = sorted(site.fake_site.ids())[-2:]
        for title in (None, "Un autre titre"):
            if title:
                site.fake_site.revise(ids[0], title=title)
            with app.working(settings, "bench", Silent()) as work:
                collect.poll(work, ignore_due=True)
                if not title:
                    Seals(folder).append(
                        work.warc, work.archive.identity(), datetime.now(UTC), work.archive.rows_to_seal
                    )
    with opening.auditing(settings) as (archive, warc):
        return packed(*collected(archive, warc, ids, program="bench", seals=opening.sound_seals(settings)))


#: Runs the script for one changed byte after another, in one process: starting Python 1,000 times would take minutes.
_DRIVER = """
import importlib.util, json, pathlib, sys
spec = importlib.util.spec_from_file_location("check_pack", sys.argv[1])
check_pack = importlib.util.module_from_spec(spec)
spec.loader.exec_module(check_pack)
path, original = pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[2]).read_bytes()
for line in sys.stdin:
    place, value = map(int, line.split())
    path.write_bytes(original[:place] + bytes([value]) + original[place + 1:])
    try:
        print(json.dumps(check_pack.check(path)[1]))
    except check_pack.NotAPack as error:
        print(json.dumps([f"not a pack: {error}"]))
"""


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--changes", type=int, default=1000)
    parser.add_argument("--python", default="/usr/bin/python3" if Path("/usr/bin/python3").exists() else sys.executable)
    options = parser.parse_args()
    rng = random.Random(3)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        content = pack(folder / "archive")
        file = folder / "pack.zip"
        file.write_bytes(content)
        script = folder / "check_pack.py"
        script.write_bytes(Path(check_pack.__file__).read_bytes())
        clean = [options.python, "-I", "-S"]
        whole = subprocess.run([*clean, script, file], capture_output=True, text=True, env={}, check=False)
        print(f"{len(content)} bytes; {' '.join(clean)}: exit code {whole.returncode}, {whole.stdout.strip()}")
        changes = []
        for _ in range(options.changes):
            place = rng.randrange(len(content))
            changes.append((place, rng.choice([value for value in range(256) if value != content[place]])))
        lines = "".join(f"{place} {value}\n" for place, value in changes)
        run = subprocess.run(
            [*clean, "-c", _DRIVER, script, file], input=lines, capture_output=True, text=True, env={}, check=False
        )
        if run.returncode:
            print(run.stderr)
            return 1
        import json

        found = [json.loads(line) for line in run.stdout.splitlines()]
    named = Counter(
        " ".join(word for word in faults[0].split() if not any(c.isdigit() for c in word)) for faults in found if faults
    )
    print(f"{sum(map(bool, found))} of {len(changes)} changes of one byte are found and named:")
    for text, count in named.most_common(20):
        print(f"  {count:5}  {text}")
    return int(whole.returncode != 0 or not all(found))
