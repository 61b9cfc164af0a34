"""Environments of their own for the peers of a benchmark, so that their packages never meet those of the project."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).parent.parent
PEERS = ROOT / ".venv-peers"


def python_with(packages: Sequence[str], folder: Path) -> Path:
    """Return the Python of the environment in `folder`, which is created with the packages if it does not exist."""
    python = folder / "bin" / "python"
    if not python.exists():
        print(f"installing {', '.join(packages)} into {folder.name} ...", flush=True)
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([python, "-m", "pip", "install", "-qq", *packages], check=True, stderr=subprocess.DEVNULL)
    return python


def install_extra(name: str, module: str) -> None:
    """Install an extra of the project into the running environment, unless it has the `module` of that extra."""
    if find_spec(module) is None:
        print(f"installing the extra [{name}] ...", flush=True)
        constraints = os.environ | {"PIP_CONSTRAINT": str(ROOT / "constraints.txt")}
        command = [sys.executable, "-m", "pip", "install", "-qq", "--editable", f"{ROOT}[{name}]"]
        subprocess.run(command, env=constraints, check=True, stderr=subprocess.DEVNULL)
        importlib.invalidate_caches()
