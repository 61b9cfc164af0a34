"""The environment of the command: streams, signals, unusual paths, read-only archives. Real processes and files."""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import json
import os
import select
import shlex
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from forked_commands import ForkedCommand, command_server
from support import ROOT, SEEDS, copy_archive, process, run_process, vna

from crawler import export
from crawler.dataset import folder
from crawler.errors import BadInput, StorageUnavailable
from crawler.query import parse
from crawler.storage import FILE, open_archive
from crawler.storage.base import is_immutable

WORD = "Vietnam"


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """An archive of the five sample articles. Tests must not change it."""
    path = tmp_path_factory.mktemp("environment") / "archive"
    assert vna("--archive", path, "import", *sorted(SEEDS.glob("*.txt"))).code == 0
    return path


@pytest.fixture(scope="module")
def damaged(tmp_path_factory):
    """An archive of one article in which `vna verify` finds a fault. Tests must not change it."""
    path = tmp_path_factory.mktemp("damaged") / "archive"
    assert vna("--archive", path, "import", min(SEEDS.glob("*.txt"))).code == 0
    with open_archive(path) as opened, opened.transaction():
        opened.db.conn.execute("UPDATE articles SET revision = 9 WHERE id = -1")
    return path


def shell(script, *words, **env):
    """Run a bash script in which `vna` is the command; return the completed process."""
    command = f'vna() {{ "{sys.executable}" -m crawler "$@"; }}; set -o pipefail; {script}'
    return subprocess.run(
        ["bash", "-c", command, "bash", *map(str, words)],
        cwd=ROOT, env=os.environ | env, capture_output=True, check=False, timeout=60,
    )  # fmt: skip


def forked(*lines, prepare=None, cwd=ROOT, **env):
    """Run commands one after the other; return their exit codes, and what all of them printed on stdout and stderr.

    With `prepare` or other variables, the interpreter from which they are forked starts under these conditions, in `cwd`.
    """
    is_new = bool(prepare or env)
    variables = {**os.environ, "PYTHONPATH": str(ROOT), **env}
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    codes, out, err = [], b"", b""
    with command_server(cwd=cwd, prepare=prepare, **env) if is_new else contextlib.nullcontext() as server:
        for line in lines:
            command = ForkedCommand(
                shlex.split(line), cwd=Path() if is_new else cwd, env=variables, server=server, **pipes
            )
            with command as running:
                printed = running.communicate(timeout=60)
            codes.append(running.returncode)
            out, err = out + printed[0], err + printed[1]
    return codes, out, err


def unread_pipe():
    """Return the writing end of a pipe that nobody reads, as after `| true`."""
    reading, writing = os.pipe()
    os.close(reading)
    return writing


def full_disk():
    """Return a descriptor to which nothing can be written because the disk is full."""
    return os.open("/dev/full", os.O_WRONLY)


def run_with(streams, *words):
    """Run a command with some streams, which are functions that open a descriptor; return its exit code and stderr."""
    opened = {name: stream() for name, stream in streams.items()}
    with process(*words, **{"stdout": subprocess.DEVNULL, **opened}) as running:
        for descriptor in opened.values():
            os.close(descriptor)
        code = running.wait(60)
        return code, running.stderr.read().decode() if running.stderr else ""


# --- streams ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252:strict"])
def test_a_stdout_that_cannot_show_every_character(archive, encoding):
    options = f"--archive {archive}"
    words = ("search stratégie", "show -1 --format json", "export --format csv", "show É")
    codes, out, err = forked(*(f"{options} {one}" for one in words), PYTHONIOENCODING=encoding)
    assert codes == [0, 0, 0, 1]
    found, _, rest = out.partition(b"{\n")
    shown, _, exported = rest.partition(b"\n}\n")
    assert b"\\u2026" in found or b"\x85" in found, "an ellipsis, as an escape or in the encoding"
    assert "stratégie" in json.loads(b"{" + shown + b"}")["title"], "JSON in ASCII"
    assert "stratégie" in exported.decode("utf-8"), "an export is always UTF-8"
    assert b"Traceback" not in err
    assert b"neither an id" in err


@pytest.mark.parametrize(
    ("words", "streams"),
    [
        (["verify"], {"stdout": unread_pipe}),
        (["verify", "--json"], {"stdout": unread_pipe}),
        (["verify"], {"stdout": full_disk}),
        (["verify"], {"stderr": full_disk}),
    ],
)
def test_the_exit_code_does_not_depend_on_who_reads_the_output(damaged, words, streams):
    code, err = run_with(streams, "--archive", damaged, *words)
    assert code == 5
    assert "Traceback" not in err


@pytest.mark.parametrize("closed", [">&-", "<&- >&- 2>&-"])
def test_the_exit_code_does_not_depend_on_closed_streams(damaged, closed):
    done = shell(f'vna --archive "$1" verify {closed}', damaged)
    assert done.returncode == 5
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize("words", [["search", WORD], ["export", "--format", "jsonl"], ["--help"]], ids=" ".join)
def test_output_on_a_full_disk(archive, words):
    code, err = run_with({"stdout": full_disk}, *(() if words == ["--help"] else ("--archive", archive)), *words)
    assert code == 1
    assert "No space left" in err
    assert err.count("vna: ") == 1
    assert "Traceback" not in err


@pytest.mark.parametrize("words", [["--format", "jsonl"], ["--format", "csv", "--out", "/dev/stdout"]], ids=" ".join)
def test_an_export_whose_reader_stops(archive, words):
    """The reader stops as `head -c 1` does, while the rest does not fit into the pipe."""
    with process("--archive", archive, "export", *words) as running:
        fcntl.fcntl(running.stdout, fcntl.F_SETPIPE_SZ, 4096)
        assert os.read(running.stdout.fileno(), 1)
        running.stdout.close()
        assert running.wait(60) == 0
        assert running.stderr.read() == b""


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ('vna --archive "$1" show -1 >&-', "Bad file descriptor"),
        ("vna repair <&-", "Bad file descriptor"),
        ('vna --archive "$1" show -99 2>&-', ""),
    ],
)
def test_a_closed_stream_that_is_needed(archive, script, said):
    done = shell(script, archive)
    assert done.returncode == 1
    assert said in done.stderr.decode()
    assert done.stderr.count(b"vna: ") == (said != "")
    assert b"Traceback" not in done.stderr


def test_a_run_does_its_work_without_stderr_and_stdout(tmp_path):
    """A closed descriptor must not be given to a file of the archive: messages would be written into that file."""
    done = shell(
        'vna --archive "$1" import "$3"/*.txt 2>/dev/full | wc -l; vna --archive "$2" import "$3"/*.txt <&- >&- 2>&-',
        tmp_path / "full", tmp_path / "closed", SEEDS,
    )  # fmt: skip
    assert done.stdout.split() == [b"5"]
    assert done.returncode == 1, "the output could not be written"
    for name in ("full", "closed"):
        assert vna("--archive", tmp_path / name, "verify", "--json").code == 0
        assert json.loads(vna("--archive", tmp_path / name, "status", "--json").out)["articles"] == 5


def test_unusual_environments(archive, tmp_path):
    words = [f"--archive {archive} {one}" for one in (f"search {WORD}", "coverage", "changes")]
    expected = ([0, 0, 0], forked(*words)[1])
    variables = {"TERM": "dumb", "COLUMNS": "20", "TZ": "Nowhere/+99", "LANG": "tr_TR.UTF-8", "PYTHONUTF8": "0"}
    assert forked(*words, HOME="", PYTHONWARNINGS="error", **variables)[:2] == expected
    (gone := tmp_path / "gone").mkdir()
    assert forked(*words, cwd=gone, prepare=gone.rmdir)[:2] == expected, "the current folder is deleted"


def test_names_that_are_not_utf_8(archive, tmp_path):
    commands = (
        f"--archive {archive} export --format csv --out x\udcff", "--archive none\udcff status", "repair y\udcff",
        "--config z\udcff status", f"--archive {archive} search 'Viet\udcff nam'",
    )  # fmt: skip
    _, _, err = forked(*commands, cwd=tmp_path)
    assert b"Traceback" not in err
    assert err.count(b"\\udcff") == 5
    assert [os.fsencode(path.name) for path in tmp_path.iterdir()] == [b"x\xff"]


# --- signals ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_ends_a_command_with_one_line(archive, tmp_path, name):
    """The command waits for a reader of the pipe, in the middle of its output."""
    out = tmp_path / "pipe"
    os.mkfifo(out)
    number = getattr(signal, name)
    with process("--archive", archive, "export", "--format", "csv", "--out", out, stdin=subprocess.DEVNULL) as running:
        reader = os.open(out, os.O_RDWR)
        fcntl.fcntl(reader, fcntl.F_SETPIPE_SZ, 4096)
        while not select.select([reader], [], [], 0.01)[0]:
            assert running.poll() is None
        running.send_signal(number)
        assert running.wait(30) == 128 + number
        os.close(reader)
        assert running.stderr.read().decode() == f"vna: stopped by {name}\n"
    assert stat.S_ISFIFO(out.stat().st_mode)


@pytest.mark.parametrize("ends", [False, True])
def test_an_interrupted_output_does_not_wait_for_its_reader(tmp_path, ends):
    """More is in the buffer than fits into the pipe: writing it lasts until somebody reads.

    The first alarm is the signal that ends the command, `ends` at the end of its output. At the second one, somebody reads.
    """
    out, alarms = tmp_path / "pipe", []
    os.mkfifo(out)
    reader = os.open(out, os.O_RDWR)
    size = fcntl.fcntl(reader, fcntl.F_SETPIPE_SZ, 4096)

    def ring(*_):
        alarms.append(os.read(reader, size) if alarms else b"")
        raise ZeroDivisionError

    signal.signal(signal.SIGALRM, ring)
    with pytest.raises(ZeroDivisionError), export.replacing(out) as file:  # noqa: PT012
        file.write("x" * size)
        file.flush()
        file.write("buffered")
        signal.setitimer(signal.ITIMER_REAL, 0.5, 5)
        if not ends:
            time.sleep(10)
    signal.setitimer(signal.ITIMER_REAL, 0)
    assert alarms == [b""]
    assert os.read(reader, 2 * size) == b"x" * size
    os.close(reader)


def test_a_signal_while_modules_are_imported(tmp_path):
    (tmp_path / "typer.py").write_text("import os, signal; os.kill(os.getpid(), signal.SIGINT)\n")
    done = run_process("status", env={"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}, new=True)
    assert (done.code, done.err) == (130, "vna: stopped by SIGINT\n")


def test_an_ignored_signal_stays_ignored(archive):
    done = shell(
        'trap "" HUP; vna --archive "$1" export --format csv --out >(read -r; kill -HUP $(pgrep -P $$ -f "[e]xport") '
        "2>/dev/null; cat >/dev/null)",
        archive,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", ["reparse", "rebuild"])
def test_a_signal_ends_the_worker_processes(archive, name):
    command = ("--archive", archive, name, "--jobs", 2)
    with process(*command, new=True, start_new_session=True) as running:
        time.sleep(0.8)
        running.send_signal(signal.SIGTERM)
        running.wait(30)
        assert b"Traceback" not in running.stderr.read()
    for _ in range(100):
        if not subprocess.run(["pgrep", "-s", str(running.pid)], capture_output=True, check=False).stdout:
            return
        time.sleep(0.1)
    pytest.fail("a worker process is still running")


# --- writing files ----------------------------------------------------------------------------------------------------


def written(path, text="new"):
    with export.replacing(path) as out:
        out.write(text)


def test_replacing_a_file_keeps_its_mode_owner_and_links(tmp_path):
    file, link, hard = tmp_path / "file", tmp_path / "link", tmp_path / "hard"
    file.write_text("old")
    file.chmod(0o640)
    link.symlink_to("file")
    hard.hardlink_to(file)
    if os.geteuid() == 0:
        os.chown(file, 65534, 65534)
    before = file.stat()
    written(link)
    after = file.stat()
    assert (file.read_text(), hard.read_text(), link.is_symlink()) == ("new", "old", True)
    assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)
    assert {path.name for path in tmp_path.iterdir()} == {"file", "link", "hard"}


def test_a_new_file_follows_the_umask_and_a_link_to_nothing(tmp_path):
    (tmp_path / "link").symlink_to("new")
    before = os.umask(0o027)
    try:
        written(tmp_path / "link")
        written(tmp_path / ("é" * 127))  # the longest name: 254 bytes
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o640
    assert (tmp_path / "link").is_symlink()


def test_devices_and_pipes_are_written_directly(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    received = []
    reader = threading.Thread(target=lambda: received.append(pipe.read_text()))
    reader.start()
    written(pipe)
    reader.join()
    assert (received, pipe.is_fifo()) == (["new"], True)
    written(Path("/dev/null"))
    with pytest.raises(BadInput, match="No space left"):
        written(Path("/dev/full"))
    assert all(Path(name).is_char_device() for name in ("/dev/null", "/dev/full"))
    with (tmp_path / "file").open("w") as out:
        out.write("first ")
        out.flush()
        written(Path(f"/dev/fd/{out.fileno()}"))
        (tmp_path / "link").symlink_to(f"/proc/self/fd/{out.fileno()}")
        written(tmp_path / "link", " last")
    assert (tmp_path / "file").read_text() == "first new last"


@pytest.mark.parametrize("name", ["", "none/x", "file/x", "x" * 256, "broken"])
def test_a_path_that_cannot_be_written(tmp_path, name):
    (tmp_path / "file").write_text("old")
    (tmp_path / "broken").symlink_to("none/y")
    with pytest.raises(BadInput, match="cannot write"):
        written(tmp_path / name)
    assert {path.name for path in tmp_path.iterdir()} == {"file", "broken"}
    assert (tmp_path / "file").read_text() == "old"


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError, ValueError])
def test_an_interrupted_export_leaves_the_old_file(tmp_path, error):
    (tmp_path / "file").write_text("old")
    with pytest.raises((error, BadInput)), export.replacing(tmp_path / "file") as out:  # noqa: PT012
        out.write("new")
        raise error
    assert [path.read_text() for path in tmp_path.iterdir()] == ["old"]


def test_folders_are_exchanged_in_one_step(tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    for path in (one, other):
        path.mkdir()
        (path / "name").write_text(path.name)
    if not folder.exchange(one, other):
        pytest.skip("this file system cannot exchange folders")
    assert ((one / "name").read_text(), (other / "name").read_text()) == ("other", "one")
    with pytest.raises(FileNotFoundError):
        folder.exchange(one, tmp_path / "none")


@pytest.mark.parametrize("can_exchange", [True, False])
def test_a_dataset_exists_at_any_time_or_is_restored(tmp_path, monkeypatch, can_exchange):
    """The process is killed before each step that changes the folders."""
    if not can_exchange:
        monkeypatch.setattr(folder, "exchange", lambda *_: False)
    place = tmp_path / "data"

    def export_again(text):
        with folder.replacing(place, lambda *_: True) as unfinished:
            (unfinished / "part").mkdir()
            (unfinished / "part" / "file").write_text(text)

    export_again("old")
    place.chmod(0o750)
    (tmp_path / "left").mkdir()
    for step in range(2):
        killed = tmp_path / f"killed{step}"
        shutil.copytree(place, killed / "data")
        if step and not can_exchange:
            (killed / "data").rename(killed / ".data.replaced")
        (killed / ".data.unfinished" / "part").mkdir(parents=True)
        place = killed / "data"
        with contextlib.suppress(ZeroDivisionError), folder.replacing(place, lambda *_: True):
            raise ZeroDivisionError
        assert (place / "part" / "file").read_text() == "old"
        export_again("new")
        assert (place / "part" / "file").read_text() == "new"
        assert stat.S_IMODE(place.stat().st_mode) == 0o750
        assert [path.name for path in killed.iterdir()] == ["data"]
        export_again("old")


# --- paths ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a#b?c=d&e%20f", "%zz 'x' \"y\"\n", ":memory:", "file:x?mode=memory", "-é越~"])
def test_a_folder_with_an_unusual_name(archive, tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    copy_archive(archive, Path(name))
    assert "Vietnam" in vna("--archive", name, "search", WORD).out
    assert vna("--archive", name, "export", "--format", "jsonl", "--out", f"{name}.jsonl").code == 0
    assert vna("--archive", name, "verify").code == 0
    assert vna("--archive", name, "backup", "--warc", "--", f"{name}.b").code == 0
    assert vna("--archive", f"{name}.r", "restore", "--", f"{name}.b").code == 0
    assert vna("--archive", f"{name}.n", "import", *SEEDS.glob("000*")).code == 0
    assert vna("--archive", f"{name}.n", "rebuild", "--into", f"{name}.i").code == 0
    files = {f"{name}{end}" for end in ("", ".jsonl", ".b", ".r", ".n", ".i")}
    assert {path.name for path in tmp_path.iterdir()} == files
    assert len(Path(f"{name}.jsonl").read_text("utf-8").splitlines()) == 5


def test_browse_opens_a_folder_with_an_unusual_name(archive, tmp_path):
    pytest.importorskip("datasette")
    name = tmp_path / "a#b?c=d&e%20f"
    copy_archive(archive, name)
    (name / "json.py").write_text("raise SystemExit('imported from the archive')\n")
    with process("--archive", name, "browse", "--port", 0, new=True) as running:
        lines = []
        while not any("running on" in line for line in lines):
            lines.append(running.stderr.readline().decode())
            assert lines[-1], lines
        running.terminate()
        running.wait(30)


# --- read-only archives -----------------------------------------------------------------------------------------------


def without_privileges():
    """Make permissions apply to the root user, too, in a child process (capabilities(7))."""
    for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
        ctypes.CDLL(None).prctl(24, capability)  # PR_CAPBSET_DROP


@contextlib.contextmanager
def read_only(path):
    entries = [path, *path.rglob("*")]
    for entry in entries:
        entry.chmod(entry.stat().st_mode & ~0o222)
    try:
        yield
    finally:
        for entry in entries:
            entry.chmod(entry.stat().st_mode | 0o200)


def checkpointed(archive, target):
    """Copy an archive as it is while no process has it open: without a WAL file."""
    copy_archive(archive, target)
    with contextlib.closing(sqlite3.connect(target / FILE)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for file in target.glob(f"{FILE}-*"):
        file.unlink()
    return target


def test_a_read_only_archive_can_be_read(archive, tmp_path):
    place = checkpointed(archive, tmp_path / "archive")
    pictures = tmp_path / "pictures.toml"
    pictures.write_text('[images]\nkeep = "all"\n')
    readers = ["show -1", f"search {WORD}", "history -1", "changes", "coverage", "status", "verify"]
    readers += [
        "export --format csv",
        "backfill --captures",
        f"backup {tmp_path}/b",
        f"export --format csv --out {tmp_path}/c",
        "reparse --dry-run",
        f"rebuild --into {tmp_path}/r",
        f"--config {pictures} backfill --images --dry-run",
    ]
    writers = [f"import {next(SEEDS.glob('000*'))}", "rebuild", "rebuild --replace", "reparse", "poll"]
    writers += ["verify --reindex", "verify --seal"]
    words = [f"--archive {place} --site http://127.0.0.1:9 {line}" for line in (*readers, *writers)]
    before = {file.name for file in place.iterdir()}
    with read_only(place):
        codes, _, err = forked(*words, prepare=without_privileges)
    assert codes == [0] * len(readers) + [1] * len(writers), err.decode()
    assert err.count(b"hint: ") == len(writers)
    assert err.count(b"not checked, because the archive cannot be written: articles_fts") == 1
    assert err.count(f"the archive folder {place} cannot be written: permission denied".encode()) >= 2
    assert f"the folder {place}/rebuilt cannot be written: Permission denied".encode() in err
    assert b"choose another folder with --into" in err
    assert {file.name for file in place.iterdir()} == before
    with open_archive(tmp_path / "r") as rebuilt, open_archive(place) as old:
        assert rebuilt.article(-1).article == old.article(-1).article
    assert b"Traceback" not in err


@pytest.mark.parametrize(
    ("name", "message", "advice"),
    [
        ("vna.db", "attempt to write a readonly database", "correct the permissions or the owner of this file"),
        ("vna-text.lock", "cannot be written: Permission denied", "fix its permissions"),
        ("state/in-hand-text", "cannot be written: Permission denied", "fix its permissions"),
    ],
)
def test_a_file_of_the_archive_that_cannot_be_written_is_named(archive, tmp_path, name, message, advice):
    place = checkpointed(archive, tmp_path / "archive")
    for entry in (place, *place.rglob("*")):
        entry.chmod(0o777 if entry.is_dir() else 0o666)
    file = place / name
    file.parent.mkdir(exist_ok=True)
    file.touch()
    file.chmod(0o444)
    words = [f"--archive {place} import {next(SEEDS.glob('000*'))}"]
    codes, _, err = forked(*words, prepare=without_privileges)
    assert codes == [1]
    assert f"{file}{':' if name == 'vna.db' else ''} {message}".encode() in err, err.decode()
    assert advice.encode() in err


class Refusing:
    """Behaves like an SQLite connection that cannot create the files beside the database, as root always can."""

    def execute(self, _):
        error = sqlite3.OperationalError("unable to open database file")
        error.sqlite_errorcode = sqlite3.SQLITE_CANTOPEN
        raise error

    def close(self):
        pass


def test_changes_in_a_wal_file_are_not_dropped(archive, tmp_path, monkeypatch):
    file = checkpointed(archive, tmp_path / "archive") / FILE
    monkeypatch.setattr("crawler.storage.base._connect_by_uri", lambda *_: Refusing())
    with pytest.raises(sqlite3.OperationalError):
        is_immutable(file)  # the folder can be written: something else is wrong
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert is_immutable(file)
    (wal := file.with_name(f"{FILE}-wal")).touch()
    assert is_immutable(file)
    wal.write_bytes(b"changes")
    with pytest.raises(StorageUnavailable, match="contains changes"):
        is_immutable(file)


# --- queries ----------------------------------------------------------------------------------------------------------

WORDS = [f"mot{number}" for number in range(1000)]


@pytest.mark.parametrize(
    ("query", "count"),
    [
        (" ".join([WORD, *(f"-{word}" for word in WORDS)]), 5),
        (" ".join([WORD, *(f'-"{word} x"' for word in WORDS)]), 5),
        (" ".join([WORD, *(f"-title:{word}" for word in WORDS)]), 5),
        (" ".join([WORD, *(f"-{word}*" for word in WORDS)]), 5),
        (" OR ".join([WORD, *WORDS]), 5),
        (" ".join(WORDS), 0),
        (f'"{" ".join(WORDS * 15)}"', 0),
        (f"{WORD} NEAR AND NOT", None),
        (f"{WORD}\0 \ud800 -\udcff", 5),
        ("v*", 5),
    ],
)
def test_a_large_or_unusual_query(archive, query, count):
    with open_archive(archive, read_only=True) as opened:
        found = opened.search(parse(query).match, since=None, until=None, section=None, limit=20, rank=False)
    assert count is None or len(found) == count
