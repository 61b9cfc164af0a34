"""Extract the text of pages with the default settings of trafilatura: WORKER FOLDER.

For each line of the standard input, all pages are extracted, and the seconds of CPU time are printed.
"""

import sys
import time
from pathlib import Path

import trafilatura


def main() -> None:
    """Run the rounds."""
    pages = [file.read_bytes() for file in sorted(Path(sys.argv[1]).iterdir())]
    for _ in sys.stdin:
        start = time.process_time()
        found = sum(trafilatura.extract(page) is not None for page in pages)
        seconds = time.process_time() - start
        if found < 0.9 * len(pages):
            sys.exit(f"trafilatura found a text on {found} of {len(pages)} pages only")
        print(seconds, flush=True)


if __name__ == "__main__":
    main()
