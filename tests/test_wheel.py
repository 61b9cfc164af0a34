"""The wheel: built from the source distribution, installed outside the checkout, run in an empty folder."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import sysconfig
import time
import urllib.error
import urllib.request
import venv
from contextlib import contextmanager
from pathlib import Path
from zipfile import ZipFile

import pytest
from support import ROOT

import crawler
from crawler import config, installation

#: Calls a build hook (PEP 517), as pip does, which would start three more processes.
BUILD = "import sys; from setuptools import build_meta; getattr(build_meta, sys.argv[1])(sys.argv[2])"
SECRET = "mailto://user:secret@your.domain"


def run(*command, cwd):
    done = subprocess.run([*map(str, command)], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Build in a copy of the checkout: an earlier `build/` would add its files, and the build must not leave one."""
    folder = tmp_path_factory.mktemp("build")
    source, dist = folder / "source", folder / "dist"
    for name in ("crawler", "config", "seeds"):
        shutil.copytree(ROOT / name, source / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE", "NOTICE"):
        shutil.copy(ROOT / name, source)
    (source / "config" / "crawler.toml").write_text(f'[alerts]\nto = ["{SECRET}"]\n')
    run(sys.executable, "-c", BUILD, "build_sdist", dist, cwd=source)
    (sdist,) = dist.glob("*.tar.gz")
    shutil.unpack_archive(sdist, folder, filter="data")
    run(sys.executable, "-c", BUILD, "build_wheel", dist, cwd=folder / sdist.name.removesuffix(".tar.gz"))
    (built,) = dist.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """Return the `vna` of a new environment that has the packages of this one, but not the checkout."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, symlinks=True)
    scheme = {"base": str(folder), "platbase": str(folder)}
    packages = Path(sysconfig.get_path("purelib", "venv", scheme))
    # Python processes no .pth files of a folder that is itself named by one: the editable install stays out.
    (packages / "packages.pth").write_text(sysconfig.get_path("purelib"))
    pip = (folder / "bin" / "python", "-m", "pip", "install", "--no-index", "--no-deps", "--ignore-installed")
    run(*pip, "--no-compile", "--quiet", wheel, cwd=folder)  # most modules are not used here
    return folder / "bin" / "vna"


def assert_complete(wheel):
    """Assert that a wheel has all data files and no configuration of the user."""
    with ZipFile(wheel) as archive:
        names = set(archive.namelist())
        assert not [name for name in names if SECRET.encode() in archive.read(name)]
    data = [ROOT / "config" / "datasette.yaml", *(ROOT / "config" / "datasette").glob("*.py")]
    data += (ROOT / "seeds").glob("*.txt")
    assert {f"crawler/data/{path.relative_to(ROOT)}" for path in data} <= names
    room = [
        path
        for path in (ROOT / "crawler" / "room").rglob("*")
        if path.suffix in (".html", ".css", ".js", ".svg", ".mo")
    ]
    assert {str(path.relative_to(ROOT)) for path in room} <= names
    assert wheel.name.startswith(f"vna_archive-{crawler.__version__}-")


def test_the_wheel_is_complete_and_works_in_an_empty_folder_outside_the_checkout(wheel, installed, tmp_path):
    """One test, because parallel processes would each build the wheel."""
    assert_complete(wheel)

    def vna(*words):
        return run(installed, *words, cwd=tmp_path)

    program = "import sys, crawler; print(crawler.__file__, *sys.path, sep='\\n')"
    assert str(ROOT / "crawler") not in run(installed.with_name("python"), "-c", program, cwd=tmp_path)
    assert vna("--version") == f"vna {crawler.__version__}\n"

    assert vna("demo").count("   ok: ") == 5

    program = "from crawler import open_archive\nwith open_archive('archive/demo') as a: print(len(list(a.articles('Vietnam'))))"
    assert int(run(installed.with_name("python"), "-c", program, cwd=tmp_path)) > 0

    assert len(vna("init", "new").split()) == len(installation.FILES)
    assert config.load(tmp_path / "new" / "config" / "crawler.toml").archive == tmp_path / "new" / "archive"
    assert (tmp_path / "new" / "config" / "vna.service").read_text() == (ROOT / "config" / "vna.service").read_text()

    with browsing(installed, tmp_path) as url:
        found = json.loads(urllib.request.urlopen(f"{url}/vna/search.json?query=etrangeres&_shape=array").read())
        assert "30 derniers jours" in urllib.request.urlopen(f"{url}/?lang=fr").read().decode("utf-8")
    assert found, "a canned query that uses the plugin"


@contextmanager
def browsing(vna, folder):
    """Run `vna browse` on the demo's archive; yield its address once it answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [vna, "--archive", "archive/demo", "browse", "--port", str(port)]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
        try:
            url = f"http://127.0.0.1:{port}"
            wait_for(url, running)
            yield url
        finally:
            running.terminate()


def wait_for(url, running):
    until = time.monotonic() + 30
    while True:
        try:
            urllib.request.urlopen(url).close()
        except urllib.error.URLError:
            assert running.poll() is None, "Datasette has ended"
            assert time.monotonic() < until, "Datasette does not answer"
            time.sleep(0.1)
        else:
            return
