"""Write docs/commands.md from the commands' own help; with --check, say whether it is up to date."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

os.environ |= {"COLUMNS": "100", "TERMINAL_WIDTH": "100", "NO_COLOR": "1"}

import typer.main
from typer.testing import CliRunner

from crawler.cli.main import app

FILE = Path(__file__).with_name("commands.md")
HEAD = """# Commands

Made by `./run.sh docs` from the commands' own help; do not edit. Global options stand before the command. Data goes to
stdout, messages and progress to stderr. Exit codes: 0 fine · 1 expected failure, with a hint · 2 usage · 3 not an article ·
4 markup drift · 5 finished, but something needs a look.
"""


def page() -> str:
    """Give the whole page."""
    names = sorted(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
    parts = [HEAD, section("vna", ["--help"])]
    parts += [section(f"vna {name}", [name, "--help"]) for name in names]
    return "\n".join(parts)


def section(title: str, arguments: list[str]) -> str:
    """Give one command's help as it prints it."""
    result = CliRunner().invoke(app, arguments, prog_name="vna", terminal_width=100)
    text = re.sub(r"[ \t]+$", "", result.output, flags=re.MULTILINE).strip()
    return f"## {title}\n\n```\n{text}\n```\n"


def main() -> int:
    """Write the page, or compare."""
    wanted = page()
    if "--check" not in sys.argv:
        FILE.write_text(wanted, "utf-8")
        return 0
    if FILE.exists() and FILE.read_text("utf-8") == wanted:
        return 0
    sys.stderr.write("docs/commands.md is not what the commands say; run ./run.sh docs and commit it\n")
    return 1


if __name__ == "__main__":
    raise SystemExit(main())
