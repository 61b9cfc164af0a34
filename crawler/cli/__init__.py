"""The command `vna`: data on stdout, messages and progress on stderr.

Boundary: only this package and `crawler.sim.commands` import typer and rich. Slow imports are made inside the commands
that need them, so that `vna --help` and shell completion are fast.

Exit codes: 0 success, 1 expected failure with a hint, 2 wrong usage, 3 not an article, 4 layout drift, 5 finished, but
something needs attention.
"""

from crawler.cli.main import main

__all__ = ["main"]
