"""The configuration: defaults, the report of all mistakes, and overrides from the command line."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from support import ROOT

from crawler import config
from crawler.app import require_contact
from crawler.config import Config, Overrides, load, load_markups
from crawler.errors import ConfigError

SHIPPED = ROOT / "config" / "crawler.toml"


@pytest.fixture
def written(tmp_path):
    """Write a configuration file and return its path."""

    def write(text, name="crawler.toml"):
        file = tmp_path / "config" / name
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return file

    return write


def mistakes(file=None, **overrides):
    with pytest.raises(ConfigError) as caught:
        load(file, Overrides(**overrides))
    assert caught.value.hint
    return str(caught.value).splitlines()


def test_defaults_apply_without_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = load()
    assert found == Config(markups=found.markups)
    assert found.root == "https://fr.vietnamplus.vn/"
    assert {m.name for m in found.markups} >= {"cms-2016", "cms-2024"}


def test_the_shipped_file_contains_the_defaults(monkeypatch):
    monkeypatch.chdir(ROOT)
    shipped, defaults = load(), Config()
    for name in ("root", "contact", "rate", "timeout", "attempts", "max_retry_after", "max_body", "list_pages", "add",
                 "exclude", "warc_max_bytes", "markups_dir"):  # fmt: skip
        assert getattr(shipped, name) == getattr(defaults, name), name
    assert shipped.archive == ROOT / "archive"


def test_the_shipped_file_has_every_key_with_a_comment():
    text = SHIPPED.read_text("utf-8")
    named = {(table, key) for table, content in tomllib.loads(text).items() for key in content}
    known = {(table, key) for table, keys in config._KEYS.items() for key in keys}
    assert named == known
    lines = text.splitlines()
    for n, line in enumerate(lines):
        if re.match(r"\w+ = ", line):
            assert lines[n - 1].startswith("#"), line


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ('[site]\nroot = "http://127.0.0.1:8900/somewhere"', "root", "http://127.0.0.1:8900/"),
        ('[site]\ncontact = " a@b.vn "', "contact", "a@b.vn"),
        ("[politeness]\nrate = 2", "rate", 2),
        ("[politeness]\nrate = 0.1", "rate", 0.1),
        ("[politeness]\nmax_retry_after = 0", "max_retry_after", 0),
        ("[poll]\nlist_pages = 1", "list_pages", 1),
        ("[poll]\narticles_per_poll = 0.1", "articles_per_poll", 0.1),
        ("[poll]\narticles_per_poll = 50", "articles_per_poll", 50),
        ('[poll]\nadd = ["/politique/"]', "add", ("/politique/",)),
        ('[poll]\nnames = { "/politique/" = " La politique " }', "names", {"/politique/": "La politique"}),
        ('[archive]\ndir = "/srv/vna"', "archive", Path("/srv/vna")),
        ('[archive]\ndir = "~/vna"', "archive", Path.home() / "vna"),
    ],
)
def test_valid_values(written, text, name, value):
    assert getattr(load(written(text)), name) == value


def test_relative_paths_start_from_the_project_folder(written, tmp_path):
    (tmp_path / "layouts").mkdir()
    found = load(written('[archive]\ndir = "data/vna"\n[markups]\ndir = "layouts"'))
    assert found.archive == tmp_path / "data" / "vna"
    assert found.markups_dir == tmp_path / "layouts"


@pytest.mark.parametrize(
    ("text", "fragments"),
    [
        ('[site]\nroot = "fr.vietnamplus.vn"', "[site] root web address"),
        ('[site]\nroot = "ftp://x/"', "[site] root web address"),
        ('[site]\nroot = "http://[::1"', "[site] root"),
        ("[site]\nroot = 5", "[site] root quotes"),
        ('[site]\ncontact = "é@b.vn"', "[site] contact ASCII"),
        ('[site]\ncontact = "a@b.vn\\nX-Evil: 1"', "[site] contact"),
        ('[site]\nrot = "x"', "[site] rot mean root"),
        ("[sites]\nx = 1", "[sites] mean site"),
        ("[zzz]\nx = 1", "[zzz] expected politeness"),
        ("site = 1", "[site] unknown"),
        ("[politeness]\nrate = -1", "[politeness] rate least 0"),
        ("[politeness]\nrate = inf", "[politeness] rate number"),
        ("[politeness]\nrate = nan", "[politeness] rate number"),
        ("[politeness]\nrate = true", "[politeness] rate number"),
        ('[politeness]\nrate = "1"', "[politeness] rate number"),
        ("[politeness]\nrate = 3", "rate 3 too fast 2"),
        ("[politeness]\nrate = 0", "rate 0 this machine"),
        ("[politeness]\ntimeout = 0", "[politeness] timeout 1 600"),
        ("[politeness]\nattempts = 1.5", "[politeness] attempts whole"),
        ("[politeness]\nattempts = 0", "[politeness] attempts 1 10"),
        ("[politeness]\nmax_body = 1", "[politeness] max_body 10000"),
        ("[poll]\nlist_pages = 0", "[poll] list_pages"),
        ("[poll]\narticles_per_poll = 0", "[poll] articles_per_poll 0.1 50"),
        ("[poll]\narticles_per_poll = 51", "[poll] articles_per_poll 0.1 50"),
        ('[poll]\narticles_per_poll = "2"', "[poll] articles_per_poll number"),
        ('[poll]\nadd = "/politique/"', "[poll] add list"),
        ('[poll]\nadd = ["politique"]', "[poll] add list"),
        ("[poll]\nexclude = [1]", "[poll] exclude list"),
        ('[poll]\nnames = ["/politique/"]', "[poll] names by path"),
        ('[poll]\nnames = { "/politique/" = "" }', "[poll] names by path"),
        ('[poll]\nnames = { "Politique" = "/politique/" }', "[poll] names paths"),
        ("[archive]\ndir = 1", "[archive] dir"),
        ('[archive]\ndir = ""', "[archive] dir folder"),
        ("[archive]\nwarc_max_bytes = 10", "[archive] warc_max_bytes"),
        ('[markups]\ndir = "nowhere"', "[markups] dir folder nowhere not exist"),
        ("[site\n", "not valid TOML"),
        (b"\xff\xfe", "not valid TOML UTF-8"),
    ],
)
def test_a_mistake_is_reported(written, text, fragments):
    """The message names the file, the key and a correct value."""
    (line,) = mistakes(written(text))
    assert all(fragment in line for fragment in fragments.split()), line
    assert "crawler.toml" in line or "rate" in line or "markups" in line


@pytest.mark.parametrize(
    "to",
    [
        '"tgram://123456:GEHEIM/999"',
        '["GEHEIM"]',
        '["mailto://user:GEHEIM[x@host/"]',
        '["json://[GEHEIM"]',
        '["json://user:GEHEIM\u2100@host/"]',
    ],
    ids=["not a list", "not a URL", "a bracket in the password", "half of an IPv6 address", "a character with a slash"],
)
def test_no_message_contains_the_secrets_of_a_recipient(written, to):
    (line,) = mistakes(written(f"[alerts]\nto = {to}\n"))
    assert "[alerts] to" in line
    assert "GEHEIM" not in line


def test_all_mistakes_are_reported_at_once(written):
    file = written('[site]\nrot = "x"\n[politeness]\nrate = "fast"\n[poll]\nlist_pages = 0\n')
    lines = mistakes(file, site="ftp://x", rate=-1.0)
    assert len(lines) == 5
    assert [("rot" in lines[0]), ("rate" in lines[1]), ("list_pages" in lines[2])] == [True] * 3
    assert "--site" in lines[3]
    assert "--rate" in lines[4]


@pytest.mark.parametrize(
    ("situation", "make"),
    [
        ("missing", lambda folder: folder / "none.toml"),
        ("a folder", lambda folder: folder),
        ("below a file", lambda folder: Path(__file__) / "x.toml"),
    ],
)
def test_an_unreadable_file_is_named(tmp_path, situation, make):
    (line,) = mistakes(make(tmp_path))
    assert str(make(tmp_path)) in line


@pytest.mark.parametrize(
    ("overrides", "name", "value"),
    [
        ({"site": "http://127.0.0.1:9/x?y"}, "root", "http://127.0.0.1:9/"),
        ({"site": "http://localhost:9", "rate": 0.0}, "rate", 0.0),
        ({"site": "http://127.0.0.1:9", "rate": 50.0}, "rate", 50.0),
        ({"archive": Path("elsewhere")}, "archive", Path("elsewhere")),
        ({"rate": 2.0}, "rate", 2.0),
    ],
)
def test_the_command_line_overrides_the_file(written, overrides, name, value):
    file = written('[site]\nroot = "https://en.vietnamplus.vn/"\n[politeness]\nrate = 0.5\n[archive]\ndir = "here"')
    assert getattr(load(file, Overrides(**overrides)), name) == value


@pytest.mark.parametrize(
    "site", ["http://127.0.0.1.evil.example/", "http://localhost.evil.example/", "http://127.0.0.1@evil.example/"]
)
def test_a_host_that_only_looks_like_loopback_is_not_loopback(site):
    """Only a loopback site may have a rate of 0 and no contact."""
    assert "this machine" in " ".join(mistakes(site=site, rate=0.0))
    assert not load(None, Overrides(site=site)).loopback


@pytest.mark.parametrize(
    ("contact", "real"),
    [
        ("", False),
        ("nobody", False),
        ("you@your.domain", False),
        ("you@inalco.fr", False),
        ("your.name@inalco.fr", False),
        ("someone@example.org", False),
        ("someone@mail.example.com", False),
        ("https://example.com/bot", False),
        ("todo@x.fr", False),
        ("changeme@x.fr", False),
        ("a@b.vn b", False),
        ("archive@bibliotheque.fr", True),
        ("https://bibliotheque.fr/robot", True),
        ("todorov@inalco.fr", True),
        ("bayou@louisiana.edu", True),
        ("a.youre@lse.ac.uk", True),
    ],
)
def test_only_a_real_contact_is_accepted(contact, real):
    settings = Config(root="https://192.0.2.1/", contact=contact)  # an IP address, so that no DNS lookup is needed
    assert settings.contact_is_real == real
    if real:
        require_contact(settings)
    else:
        with pytest.raises(ConfigError, match="contact") as caught:
            require_contact(settings)
        assert "vna demo" in caught.value.hint


def test_a_fake_site_on_loopback_needs_no_contact():
    require_contact(Config(root="http://127.0.0.1:8900/"))


GOOD_LAYOUT = 'name = "mine"\nvalid_from = 2026-01-01\n[article]\ntitle = ["h1"]\nbody = [".b"]\n'


def test_user_markups_are_added_to_those_of_the_package(tmp_path):
    (tmp_path / "mine.toml").write_text(GOOD_LAYOUT)
    (tmp_path / "notes.txt").write_text("not a layout")
    assert {m.name for m in load_markups(tmp_path)} == {m.name for m in load_markups()} | {"mine"}


@pytest.mark.parametrize("content", [b"name = 1", b"\xff\xfe", b"[article]\ntitle = ['h1[']", None])
def test_invalid_user_markups_are_reported(tmp_path, written, content):
    folder = tmp_path / "layouts"
    folder.mkdir()
    if content is None:
        (folder / "mine.toml").mkdir()
    else:
        (folder / "mine.toml").write_bytes(content)
    lines = mistakes(written('[markups]\ndir = "layouts"\n[poll]\nlist_pages = 0\n'))
    assert "list_pages" in lines[0]
    assert any("mine.toml" in line for line in lines[1:])


@pytest.mark.parametrize(
    "hosts",
    [
        '"https://mediafr.vietnamplus.vn"', '["mediafr.vietnamplus.vn"]', '["ftp://mediafr.vietnamplus.vn"]', "[1]",
        '["https://"]', '["https://user@mediafr.vietnamplus.vn/"]', '["https://mediafr.vietnamplus.vn/images/"]',
        '["https://mediafr.vietnamplus.vn/?a=1"]', '["file:///etc/passwd"]',
    ],
)  # fmt: skip
def test_hosts_of_pictures_are_addresses_of_hosts(written, hosts):
    (mistake,) = mistakes(written(f"[images]\nhosts = {hosts}\n"))
    assert "[images] hosts" in mistake


def test_hosts_of_pictures_are_kept_as_origins(written):
    file = written('[images]\nkeep = "lead"\nhosts = ["HTTPS://Media.vietnamplus.vn/", "http://127.0.0.1:9000"]\n')
    assert load(file).picture_hosts == ("https://media.vietnamplus.vn", "http://127.0.0.1:9000")
    assert "[images] keep" in mistakes(written('[images]\nkeep = "some"\n'))[0]
