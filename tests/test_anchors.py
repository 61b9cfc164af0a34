"""Time stamps and published files of seals, with a local authority whose replies `openssl ts` makes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from support import FakeClock, configured, mounted, poll, sealed, vna, working

from crawler import anchors
from crawler.anchors import Anchors
from crawler.daemon import jobs
from crawler.evidence import check_pack
from crawler.sim.site import Options
from crawler.warc.seals import Seals

pytest.importorskip("rfc3161_client")
pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl")

SETTINGS = """
[req]
distinguished_name = name
[name]
[ca]
basicConstraints = critical,CA:true
keyUsage = critical,keyCertSign
subjectKeyIdentifier = hash
[stamping]
extendedKeyUsage = critical,timeStamping
keyUsage = critical,digitalSignature
[tsa]
default_tsa = tsa1
[tsa1]
serial = ./serial
default_policy = 1.2.3.4
digests = sha256
signer_digest = sha256
ess_cert_id_alg = sha256
"""


def openssl(folder, *arguments, data=b""):
    return subprocess.run(["openssl", *arguments], cwd=folder, input=data, capture_output=True, check=True).stdout


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    """A folder with the keys and certificates of an authority."""
    folder = tmp_path_factory.mktemp("tsa")
    (folder / "tsa.cnf").write_text(SETTINGS)
    (folder / "serial").write_text("01")
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-config", "tsa.cnf"]
    for name, more in (
        ("ca", ["-extensions", "ca"]),
        ("tsa", ["-extensions", "stamping", "-CA", "ca.pem", "-CAkey", "ca.key"]),
        ("other", ["-extensions", "ca"]),
    ):
        files = ["-keyout", f"{name}.key", "-out", f"{name}.pem", "-subj", f"/CN=Test {name}", "-days", "30"]
        openssl(folder, "req", "-x509", *key, *files, *more)
    return folder


def reply_of(authority, query):
    (authority / "query").write_bytes(query)
    signer = ["-signer", "tsa.pem", "-inkey", "tsa.key"]
    openssl(authority, "ts", "-reply", "-config", "tsa.cnf", "-queryfile", "query", *signer, "-out", "reply")
    return (authority / "reply").read_bytes()


@contextmanager
def serving(answer):
    """Serve an authority on this machine; `answer` returns the reply to a query. Yield its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = answer(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200 if body is not None else 503)
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/tsr"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    folder, clock = tmp_path_factory.mktemp("anchors") / "archive", FakeClock()
    with mounted(clock, options=Options(no_api=True, section_size=1)) as site:
        for post_id in site.fake_site.ids()[:-2]:
            site.fake_site.unpublish(post_id)
        poll(folder, clock)
    sealed(folder, clock)
    return folder


@pytest.fixture
def own(archive, tmp_path):
    return shutil.copytree(archive, tmp_path / "archive")


def with_config(folder, **settings):
    """Write a configuration with these settings in `[seals]`; return the options that name it and the archive."""
    config = folder.parent / "config" / "crawler.toml"
    config.parent.mkdir()
    config.write_text("[seals]\n" + "".join(f'{name} = "{value}"\n' for name, value in settings.items()))
    return "--config", config, "--archive", folder


def seals_of(folder):
    return Seals(folder).read()[0]


def test_a_seal_is_time_stamped_once_and_verified(own, authority, tmp_path):
    queries = []
    with serving(lambda query: queries.append(query) or reply_of(authority, query)) as url:
        work = Anchors(own, url, authority / "ca.pem")
        assert [work.update(seals_of(own)) for _ in range(2)] == [[], []]
    assert len(queries) == 1
    (seal,) = seals_of(own)
    assert bytes.fromhex(seal.digest) in queries[0]
    report = work.check([seal])
    assert (report.count, report.newest[1], report.wrong) == (1, seal.digest, ())
    stamp = own / "timestamps" / f"{seal.digest}.tsr"
    verified = ["ts", "-verify", "-digest", seal.digest, "-in", str(stamp), "-CAfile", "ca.pem"]
    assert b"OK" in openssl(authority, *verified)
    found = vna(*with_config(own, timestamp_roots=authority / "ca.pem"), "verify", "--sample", "1")
    assert seal.digest in found.err.partition("newest time stamp: ")[2]
    pack = tmp_path / "pack.zip"
    assert vna("--archive", own, "evidence", "Vietnam", "--out", pack).code == 0
    assert any(f"time stamp: timestamps/{seal.digest}.tsr" in note for note in check_pack.check(pack)[2])


def pipe_in(folder):
    os.mkfifo(folder / "pipe")
    return folder / "pipe"


def large_file_in(folder):
    with (folder / "large").open("wb") as file:
        file.truncate(1 << 30)
    return folder / "large"


def damaged(data, at):
    """Change one byte. It must differ from the old one, which is random in a signature."""
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def test_a_wrong_time_stamp_is_named(own, authority):
    with serving(lambda query: reply_of(authority, query)) as url:
        assert Anchors(own, url, authority / "ca.pem").update(seals_of(own)) == []
    (seal,) = seals_of(own)
    stamp = own / "timestamps" / f"{seal.digest}.tsr"
    right = stamp.read_bytes()
    digest_at = right.index(bytes.fromhex(seal.digest))
    for changed in (b"", b"x", right[:-9], damaged(right, digest_at), damaged(right, len(right) - 5)):
        stamp.write_bytes(changed)
        (wrong,) = Anchors(own, roots=authority / "ca.pem").check([seal]).wrong
        assert wrong[0] == f"timestamps/{seal.digest}.tsr"
    stamp.write_bytes(right)
    assert Anchors(own, roots=authority / "other.pem").check([seal]).wrong, "another authority is trusted"
    assert Anchors(own).check([seal]).unchecked == 1, "without certificates, nothing is proved"
    for endless in (Path("/dev/zero"), pipe_in(own)):
        (wrong,) = Anchors(own, roots=endless).check([seal]).wrong
        assert "not a regular file" in wrong[1]
    stamp.rename(stamp.with_name(f"{'0' * 64}.tsr"))
    found = vna("--archive", own, "verify", "--sample", "1")
    assert (found.code, "for a seal that the archive does not have" in found.out) == (5, True)


@pytest.mark.parametrize("reply", [None, b"", b"no reply", b"x" * 2_000_000])
def test_a_failed_time_stamp_is_reported_and_requested_again(own, authority, reply, monkeypatch):
    with serving(lambda _: reply) as url:
        (problem,) = Anchors(own, url, authority / "ca.pem").update(seals_of(own))
    assert "no time stamp from http://127.0.0.1" in problem
    assert not (own / "timestamps").exists()
    assert "no time stamp" in Anchors(own, url, authority / "ca.pem").update(seals_of(own))[0], "the authority is down"
    with serving(lambda query: reply_of(authority, query)) as url:
        assert Anchors(own, url, authority / "ca.pem").update(seals_of(own)) == []


def test_a_reply_to_another_request_is_refused(own, authority):
    """Somebody replays an earlier reply: it has another nonce."""
    first = []
    with serving(lambda query: first.append(reply_of(authority, query)) or first[0]) as url:
        work = Anchors(own, url, authority / "ca.pem")
        assert work.update(seals_of(own)) == []
        shutil.rmtree(own / "timestamps")
        assert "no time stamp" in work.update(seals_of(own))[0]


def test_without_the_library_a_time_stamp_is_neither_requested_nor_checked(own, authority, monkeypatch):
    with serving(lambda query: reply_of(authority, query)) as url:
        work = Anchors(own, url, authority / "ca.pem")
        assert work.update(seals_of(own)) == []
        monkeypatch.setattr(anchors, "find_spec", lambda _: None)
        assert work.check(seals_of(own)).unchecked == 1
        shutil.rmtree(own / "timestamps")
        assert "pip install" in work.update(seals_of(own))[0]


def test_seals_are_published_once(own, tmp_path):
    target, (seal,) = tmp_path / "seals.txt", seals_of(own)
    target.write_text("My seals")
    for _ in range(2):
        assert Anchors(own, publish=target).update(seals_of(own)) == []
    assert target.read_text() == f"My seals\n{seal.at} {seal.root} {seal.digest}\n"
    for wrong in (tmp_path / "no" / "seals.txt", Path("/dev/zero"), pipe_in(tmp_path), large_file_in(tmp_path)):
        (problem,) = Anchors(own, publish=wrong).update(seals_of(own))
        assert problem.startswith(f"[seals] publish: cannot write {wrong}: ")


def test_the_command_reports_a_failed_time_stamp(own, authority, tmp_path):
    options = with_config(
        own, timestamp_url="http://127.0.0.1:1/", timestamp_roots=authority / "ca.pem", publish="s.txt"
    )
    found = vna(*options, "verify", "--seal", "--json")
    assert (found.code, json.loads(found.out)["faults"]) == (5, [])
    assert "no time stamp from" in found.err
    assert (tmp_path / "s.txt").read_text().count("\n") == 1


def test_the_job_of_the_service_reports_a_failed_time_stamp(own, authority):
    clock = FakeClock()
    config = replace(configured(own), timestamp_url="http://127.0.0.1:1/", timestamp_roots=authority / "ca.pem")
    (job,) = (job for job in jobs.jobs(config) if job.name == "seal")
    with working(own, clock) as run:
        result = job.work(run)
    assert (result.ok, result.due_at) == (False, clock.now() + timedelta(days=1))
    assert result.outcome.startswith("nothing new to seal; no time stamp")


@pytest.mark.parametrize("value", ["ftp://x/", "x", "http://"])
def test_only_web_addresses_are_accepted(own, value):
    assert "timestamp_url" in vna(*with_config(own, timestamp_url=value), "status").err
