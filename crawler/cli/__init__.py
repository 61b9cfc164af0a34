"""The command `vna`: arguments in, data on stdout, messages and progress on stderr, an exit code.

Boundary: the only package that knows typer and rich. Slow imports stay inside the commands that need them.
Exit codes: 0 fine, 1 expected failure with a hint, 2 usage, 3 not an article, 4 markup drift, 5 needs a look.
"""

from crawler.cli.main import main

__all__ = ["main"]
