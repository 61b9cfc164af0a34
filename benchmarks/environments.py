"""Environments of their own for the peers of a benchmark, so that their packages never meet those of the project."""

from __future__ import annotations

import importlib
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from benchmarks.report import note

ROOT = Path(__file__).parent.parent
PEERS = ROOT / ".venv-peers"
_PIP = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check")


class InstallError(Exception):
    """Packages that a benchmark needs cannot be installed."""


def python_with(packages: Sequence[str], folder: Path) -> Path:
    """Return the Python of the environment in `folder`, which is created with the packages unless it has them.

    Raises:
        InstallError: the packages cannot be installed.

    """
    python, installed = folder / "bin" / "python", folder / "installed"
    wanted = "\n".join(packages)
    if not python.exists() or not installed.exists() or installed.read_text("utf-8") != wanted:
        note(f"installing {', '.join(packages)} into {folder.name} ...")
        shutil.rmtree(folder, ignore_errors=True)
        _install([sys.executable, "-m", "venv", str(folder)], packages)
        _install([str(python), *_PIP, *packages], packages)
        installed.write_text(wanted, "utf-8")
    return python


def install_extra(name: str, module: str) -> None:
    """Install an extra of the project into the running environment, unless it has the `module` of that extra.

    Raises:
        InstallError: the extra cannot be installed.

    """
    if find_spec(module) is None:
        note(f"installing the extra [{name}] ...")
        extra = f"{ROOT}[{name}]"
        _install(
            [sys.executable, *_PIP, "--editable", extra],
            [f"[{name}]"],
            {"PIP_CONSTRAINT": str(ROOT / "constraints.txt")},
        )
        importlib.invalidate_caches()


def _install(command: Sequence[str], packages: Sequence[str], more: dict[str, str] | None = None) -> None:
    done = subprocess.run(command, env=os.environ | (more or {}), capture_output=True, text=True, check=False)
    if done.returncode:
        reason = (done.stderr or done.stdout).strip().splitlines()
        raise InstallError(
            f"cannot install {', '.join(packages)}: {reason[-1] if reason else 'no message'};"
            " check the connection to the package index"
        )
