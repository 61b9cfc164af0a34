"""Run `vna` with the given arguments, and write the CPU seconds of this process and of its workers to stderr as JSON."""

import json
import resource
import sys

from crawler.cli.main import main


def used(who: int) -> float:
    """Return the seconds of CPU time of this process, or of those that it has started and that have ended."""
    found = resource.getrusage(who)
    return found.ru_utime + found.ru_stime


if __name__ == "__main__":
    try:
        main()
    finally:
        figures = {"main": used(resource.RUSAGE_SELF), "workers": used(resource.RUSAGE_CHILDREN)}
        print(json.dumps(figures), file=sys.stderr)
