"""Print texts of the program drawn at random, to be read by somebody who does not know the code.

    .venv/bin/python docs/sample_texts.py [--seed N] [--docstrings 100] [--messages 40] [--shown 40]

`--messages` are errors and hints, `--shown` are help texts, alerts and log lines. A text that has to be read twice needs
another wording (CONTRIBUTING.md). The same seed draws the same texts from the same code.
"""

from __future__ import annotations

import argparse
import ast
import random
import textwrap
from collections.abc import Iterator
from pathlib import Path

from crawler import errors

PACKAGE = Path(errors.__file__).parent
EXCEPTIONS = {name for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, Exception)}
SHOWN_BY = {
    "Option",
    "Argument",
    "note",
    "text",
    "info",
    "warning",
    "error",
    "debug",
    "Condition",
    "_passing",
    "_failing",
}
SHOWN_KEYS = {"help", "message", "action"}


def literal(node: ast.AST) -> str | None:
    """Return a string literal or an f-string with `{…}` for its values; None for anything else."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "{…}" for part in node.values)
    return None


def texts(tree: ast.Module) -> Iterator[tuple[str, int, str]]:
    """Yield the kind, the line and the text of each docstring, message and shown text of a module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            if text := ast.get_docstring(node):
                yield "docstrings", node.body[0].lineno, text
        elif isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            kind = "messages" if name in EXCEPTIONS else "shown" if name in SHOWN_BY else None
            values = [*node.args, *(k.value for k in node.keywords if name in EXCEPTIONS or k.arg in SHOWN_KEYS)]
            for value in values if kind else ():
                text = literal(value)
                if text and len(text.split()) > 2:
                    yield kind, value.lineno, text


def main() -> None:
    """Draw and print the texts."""
    options = argparse.ArgumentParser()
    options.add_argument("--seed", type=int, default=1)
    for kind, count in (("docstrings", 100), ("messages", 40), ("shown", 40)):
        options.add_argument(f"--{kind}", type=int, default=count)
    wanted = vars(options.parse_args())
    found: dict[str, list[tuple[str, int, str]]] = {"docstrings": [], "messages": [], "shown": []}
    for path in sorted(PACKAGE.rglob("*.py")):
        for kind, line, text in texts(ast.parse(path.read_text("utf-8"))):
            found[kind].append((str(path.relative_to(PACKAGE.parent)), line, text))
    chance = random.Random(wanted["seed"])
    print(f"seed {wanted['seed']}")
    for kind, all_texts in found.items():
        drawn = chance.sample(all_texts, min(wanted[kind], len(all_texts)))
        print(f"\n=== {len(drawn)} of {len(all_texts)} {kind}")
        for number, (path, line, text) in enumerate(drawn, 1):
            print(f"\n{number}. {path}:{line}\n{textwrap.indent(text, '   ')}")


if __name__ == "__main__":
    main()
