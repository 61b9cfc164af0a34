"""Write `pages/`: for every case, a gzipped page and a JSON file with the expected result.

    python tests/golden/make_pages.py [DIRECTORY]

The output depends only on the cases: two runs write the same files. README.md explains how to add a case.
"""

from __future__ import annotations

import gzip
import json
import sys
from importlib import import_module
from pathlib import Path

from kit import CASES

HERE = Path(__file__).parent
FAMILIES = (
    "eras",
    "body",
    "text",
    "fields",
    "media",
    "times",
    "links",
    "encodings",
    "broken",
    "json_ld",
    "voir_plus",
    "verdicts",
    "layouts",
)


def write(directory: Path) -> int:
    """Replace the pages in `directory`; return the number of cases."""
    for family in FAMILIES:
        import_module(f"cases_{family}")
    directory.mkdir(parents=True, exist_ok=True)
    for old in (*directory.glob("*.html.gz"), *directory.glob("*.json")):
        old.unlink()
    for name, (page, about) in CASES.items():
        (directory / f"{name}.html.gz").write_bytes(gzip.compress(page, mtime=0))
        (directory / f"{name}.json").write_text(
            json.dumps(about, ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
        )
    return len(CASES)


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "pages"
    sys.stdout.write(f"{write(target)} cases in {target}\n")
