"""The text of `vna --help` without loading the commands, which takes longer than printing it.

`./run.sh docs` writes the text from the commands, and `./run.sh check` compares both. It is English, for a terminal of 80
columns or more; in every other case, the commands print their help themselves.

Boundary: reads the environment, the text and the size of the terminal, and writes to standard output.
"""

from __future__ import annotations

import os
import sys

FILE = os.path.join(os.path.dirname(__file__), "cli", "help.txt")  # noqa: PTH118, PTH120 - pathlib takes 8 ms to load
WIDTH = 80  # columns; the commands do not use more either
_REQUESTS = (["--help"], ["-h"])
_OTHER_TEXT = ("_VNA_COMPLETE", "COLUMNS", "TERMINAL_WIDTH")  # variables that change what is printed, or its width
_LANGUAGES = ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")  # the first that is set decides, as in gettext
_STDOUT = 1


def print_help(arguments: list[str], environment: dict[str, str] | os._Environ[str]) -> bool:
    """Print the help if `arguments`, the command line of the process, asks for this text only; return whether it did.

    If standard output cannot be written, return False, so that the commands report it.
    """
    program, *options = arguments
    if options not in _REQUESTS or os.path.basename(program) != "vna":  # noqa: PTH119 - as above
        return False
    if any(name in environment for name in _OTHER_TEXT) or not _is_english(environment) or not _is_wide():
        return False
    try:
        with open(FILE, "rb") as file:  # noqa: PTH123 - as above
            text = file.read()
        return os.write(_STDOUT, text) == len(text)
    except OSError:
        return False


def _is_english(environment: dict[str, str] | os._Environ[str]) -> bool:
    language = next((environment[name] for name in _LANGUAGES if environment.get(name)), "C")
    return language.partition(".")[0] in ("C", "POSIX") or (language.startswith("en") and ":" not in language)


def _is_wide() -> bool:
    if sys.stdout is None:  # it is closed
        return False
    try:
        columns = os.get_terminal_size(_STDOUT).columns
    except OSError:  # no terminal
        return True
    return columns == 0 or columns >= WIDTH
