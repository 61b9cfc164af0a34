"""Profiles for goals that are missed: own time by unit of the package and by function, in per cent.

The time of built-in functions, such as the methods of strings or a statement of SQLite, counts for the Python function
that calls them, because it says more than the name of the built-in function.
"""

from __future__ import annotations

import cProfile
import json
import pstats
import re
import subprocess
import sys
import sysconfig
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

import crawler
from benchmarks.report import Profile

PACKAGE = Path(crawler.__file__).parent
UNIT = "% of own time"
MOST = 10  # parts and functions in a profile
_SITE = Path(sysconfig.get_paths()["purelib"])
_Place = tuple[str, int, str]  # file, line and function, as pstats stores them


def of_call(title: str, run: Callable[[], object]) -> Profile:
    """Return the profile of a call."""
    profiler = cProfile.Profile()
    profiler.runcall(run)
    return _profile(title, pstats.Stats(profiler))


def of_module(title: str, module: str, arguments: Sequence[str]) -> Profile:
    """Return the profile of a Python module that runs as a process of its own, such as a command.

    Raises:
        subprocess.CalledProcessError: the process failed.

    """
    with tempfile.TemporaryDirectory() as folder:
        file = str(Path(folder) / "profile")
        command = [sys.executable, "-m", "cProfile", "-o", file, "-m", module, *arguments]
        subprocess.run(command, check=True, capture_output=True)
        return _profile(title, pstats.Stats(file))


def _profile(title: str, found: pstats.Stats) -> Profile:
    own: defaultdict[_Place, float] = defaultdict(float)
    for place, (_, _, seconds, _, callers) in found.stats.items():  # type: ignore[attr-defined]
        if place[0] == "~" and callers:
            for caller, (_, _, from_caller, _) in callers.items():
                own[caller] += from_caller
        else:
            own[place] += seconds
    parts, functions = Counter[str](), Counter[str]()
    for place, seconds in own.items():
        parts[unit(place[0])] += seconds
        functions[f"{_module(place[0])}: {place[2]}"] += seconds
    total = sum(own.values())
    return Profile(title, UNIT, _shares(parts, total), _shares(functions, total))


def of_imports(title: str, arguments: Sequence[str]) -> Profile:
    """Return the shares of packages and modules in the time that a command of the program needs for its imports.

    Raises:
        subprocess.CalledProcessError: the command failed.

    """
    command = [sys.executable, "-X", "importtime", "-m", "crawler", *arguments]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    modules: Counter[str] = Counter()
    for own, name in re.findall(r"^import time: +(\d+) \| +\d+ \| +(\S+)$", done.stderr, re.MULTILINE):
        modules[name] += int(own)
    parts: Counter[str] = Counter()
    for name, own in modules.items():
        parts[_package(name)] += own
    return Profile(title, "% of import time", _shares(parts, modules.total()), _shares(modules, modules.total()))


#: Imports modules and prints by how many kB each of them, without the modules that it imports, makes the process larger.
_MEMORY = """
import importlib, importlib.machinery as machinery, json, sys
def kb(): return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmRSS"))
found, nested = {}, [0]
def measured(run):
    def exec_module(loader, module):
        before = kb()
        nested.append(0)
        try:
            run(loader, module)
        finally:  # an import of an optional package fails
            whole, inner = kb() - before, nested.pop()
            nested[-1] += whole
            found[module.__name__] = whole - inner
    return exec_module
for loader in (machinery.SourceFileLoader, machinery.ExtensionFileLoader):
    loader.exec_module = measured(loader.exec_module)
for name in sys.argv[1].split(","): importlib.import_module(name.strip())
print(json.dumps(found))
"""


def of_memory(title: str, modules: str) -> Profile:
    """Return by how many MB the imports of modules, separated by commas, make a process larger, by package and module.

    Raises:
        subprocess.CalledProcessError: a module cannot be imported.

    """
    done = subprocess.run([sys.executable, "-c", _MEMORY, modules], check=True, capture_output=True, text=True)
    found = Counter({name: kb / 1024 for name, kb in json.loads(done.stdout).items()})
    parts: Counter[str] = Counter()
    for name, mb in found.items():
        parts[_package(name)] += mb
    return Profile(title, "MB", _shares(parts, 100), _shares(found, 100))


def _package(module: str) -> str:
    """Return the part that a module belongs to, as `unit` does for a file."""
    first, *rest = module.split(".")
    if first == "crawler":
        return ".".join([first, *rest[:1]])
    return "Python" if first in sys.stdlib_module_names or first in sys.builtin_module_names else first


def _shares(found: Counter[str], total: float) -> list[tuple[str, float]]:
    """Return the largest values in per cent of the total, without those that are rounded to nothing."""
    shares = [(name, round(100 * value / (total or 1), 1)) for name, value in found.most_common(MOST)]
    return [(name, share) for name, share in shares if share]


def _module(file: str) -> str:
    """Return the name of the module of a source file, or the part that it belongs to if that is not this program."""
    path = Path(file)
    if not path.is_relative_to(PACKAGE):
        return unit(file)
    return ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")


def unit(file: str) -> str:
    """Return the part of the program that a source file belongs to: a unit of the package, a library, or Python."""
    path = Path(file)
    if path.is_relative_to(PACKAGE):
        return f"crawler.{path.relative_to(PACKAGE).parts[0].removesuffix('.py')}"
    if path.is_relative_to(_SITE):
        return path.relative_to(_SITE).parts[0].removesuffix(".py")
    return "Python" if path.is_absolute() or file.startswith("<frozen") else "built-in functions"
