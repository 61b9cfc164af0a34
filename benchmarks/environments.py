"""Environments of their own for the peers of a benchmark, so that their packages never meet those of the project."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
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
