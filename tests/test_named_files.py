"""Files that the user names and that are read whole: devices, pipes, folders and files without end are refused at once."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from threading import Thread

import pytest
from foreign_records import members, warc
from support import vna

from crawler import files
from crawler.backup.contents import read_manifests
from crawler.config import load, load_markups, load_synonyms
from crawler.errors import BadInput, ConfigError

NOT_REGULAR = "it is a pipe, socket or device, not a regular file"
#: What a name may denote, and a part of the message.
UNSUITABLE = {
    "a device": NOT_REGULAR,
    "a pipe": NOT_REGULAR,
    "a folder": "it is a folder",
    "a large file": "bytes",
}


def make(path, what, *, linked=False):
    """Create what the name of a file may denote, `linked` as a symbolic link to it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    target = path.with_name(f"{path.name} elsewhere") if linked else path
    if what == "a device":
        path.symlink_to("/dev/zero")  # only root may create a device
        return
    if what == "a pipe":
        os.mkfifo(target)
    elif what == "a folder":
        target.mkdir()
    else:
        with target.open("wb") as file:
            file.truncate(1 << 30)
    if linked:
        path.symlink_to(target)


@pytest.fixture(params=UNSUITABLE)
def what(request):
    return request.param


@pytest.mark.parametrize("linked", [False, True])
def test_a_named_file_is_regular_and_of_bounded_size(tmp_path, what, linked):
    make(tmp_path / "x", what, linked=linked)
    with pytest.raises(OSError, match=r"it (is|has)") as caught:
        files.read_named(tmp_path / "x", 1000)
    assert UNSUITABLE[what] in caught.value.strerror
    assert caught.value.filename == str(tmp_path / "x")


def test_a_named_file_may_have_the_largest_size_and_be_a_link(tmp_path):
    (tmp_path / "x").write_bytes(b"12345")
    (tmp_path / "link").symlink_to("x")
    assert files.read_named(tmp_path / "link", 5) == b"12345"
    with pytest.raises(OSError, match="more than 4 bytes") as caught:
        files.read_named(tmp_path / "link", 4)
    assert caught.value.errno == errno.EFBIG


def test_a_pipe_that_replaces_a_named_file_is_not_waited_for(tmp_path, monkeypatch):
    """The name is examined before and after it is opened: another program may replace the file in between."""
    (tmp_path / "x").write_bytes(b"12345")
    regular = (tmp_path / "x").stat()
    make(tmp_path / "pipe", "a pipe")
    monkeypatch.setattr(Path, "stat", lambda *_, **__: regular)
    with pytest.raises(OSError, match=NOT_REGULAR):
        files.open_named(tmp_path / "pipe")


def test_the_configuration(tmp_path, what):
    file = tmp_path / "config" / "crawler.toml"
    make(file, what)
    with pytest.raises(ConfigError, match=UNSUITABLE[what]) as caught:
        load(file)
    assert "--config" in caught.value.hint
    refused = vna("--config", file, "status")
    assert refused.code == 1
    assert f"{file}: cannot be read: it " in refused.err


def test_the_configuration_from_a_command_of_the_shell():
    """A shell replaces `<(command)` by the name of an open pipe."""
    reading, writing = os.pipe()
    os.write(writing, b"[archive]\ndir = '/named'")
    os.close(writing)
    assert load(Path(f"/dev/fd/{reading}")).archive == Path("/named")
    os.close(reading)


def test_an_empty_configuration():
    assert load(Path(os.devnull)).archive.name == "archive"


def test_layouts_and_synonyms(tmp_path, what):
    make(tmp_path / "markups" / "mine.toml", what)
    with pytest.raises(ConfigError, match=UNSUITABLE[what]):
        load_markups(tmp_path / "markups")
    make(tmp_path / "config" / "synonyms.toml", what)
    with pytest.raises(ConfigError, match=UNSUITABLE[what]):
        load_synonyms(tmp_path / "config" / "crawler.toml")


def test_the_manifest_of_a_backup(tmp_path):
    """A pipe, a device and a link are refused anywhere in a backup; see `test_backup`."""
    make(tmp_path / "manifest.json", "a large file")
    with pytest.raises(BadInput, match=r"manifest\.json: it has more than \d+ bytes"):
        read_manifests(tmp_path)


def test_lines_to_repair_have_a_limit():
    refused = vna("repair", "/dev/zero")
    assert refused.code == 1
    assert "over the limit of 100000000 bytes" in refused.err


def test_captures_come_from_a_file_or_a_pipe(tmp_path):
    """A device has no end. A pipe is read: `curl ... | vna backfill --warc /dev/stdin`."""
    refused = vna("--archive", tmp_path / "a", "backfill", "--warc", "/dev/zero")
    assert refused.code == 1
    assert f"cannot read /dev/zero: {NOT_REGULAR}" in refused.err
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = Thread(target=pipe.write_bytes, args=[members(warc())])
    writer.start()
    done = vna("--archive", tmp_path / "a", "backfill", "--warc", pipe, "--json")
    writer.join()
    assert (done.code, json.loads(done.out)["verdicts"]) == (0, {"new": 1})
