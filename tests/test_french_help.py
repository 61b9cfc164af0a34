"""The help of the commands in French, for LANG=fr."""

from __future__ import annotations

import gettext
import re
import sys
from pathlib import Path

import pytest
import typer.main
from support import ROOT

from crawler import room
from crawler.cli import language
from crawler.cli.main import app

ROOM_LOCALE = Path(room.__file__).parent / "locale"
ENGLISH = re.compile(r"\b(the|of|and|is|with|this|each|only|articles? that)\b")


@pytest.fixture
def command(monkeypatch):
    """Return the commands in French; restore the domain of gettext afterwards."""
    domain = gettext.textdomain()
    for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", "fr_FR.UTF-8")
    translated = typer.main.get_command(app)
    language.translate(translated, language.translation())
    yield translated
    gettext.textdomain(domain)


def shown(command, name, capsys):
    with pytest.raises(SystemExit):
        command([name, "--help"] if name else ["--help"], prog_name="vna")
    return capsys.readouterr().out


@pytest.mark.parametrize("name", ["", *language.READERS])
def test_the_help_of_a_reader_is_in_french_only(command, capsys, name):
    text = shown(command, name, capsys)
    assert text.startswith("Usage\N{NO-BREAK SPACE}: vna")
    assert "Affiche ce message." in text
    assert not ENGLISH.search(re.sub(r"`[^`]*`|--?\w+|[\w./]+\.\w+", "", text)), text
    assert "..." not in text.partition("Commandes")[2], "no summary is cut"


#: What French typography does not have: a straight apostrophe between letters, an ordinary space before `:`, `;`, `!`, `?`
#: and `»` or after `«`. Texts in quotes or code, such as `-sans "ce mot"`, are not French text.
WRONG_SIGN = re.compile(r"[^\W\d_]'[^\W\d_]| [:;!?](?=\s|$)| »|« ")


def french_texts():
    for catalog in (language.LOCALE, ROOM_LOCALE):
        for file in sorted(catalog.glob("fr/LC_MESSAGES/*.mo")):
            with file.open("rb") as content:
                yield from ((file.stem, text) for key, text in gettext.GNUTranslations(content)._catalog.items() if key)
    prose = re.sub(r"^```.*?^```", "", (ROOT / "README.fr.md").read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    yield from (("README.fr.md", re.sub(r"`[^`]*`", "code", line)) for line in prose.splitlines())


def test_french_texts_have_french_typography():
    assert [(name, text) for name, text in french_texts() if WRONG_SIGN.search(text)] == []


@pytest.mark.parametrize("text", ["l'archive", "la page : rien", "« mot »", "vraiment ?", "le texte ; la page"])
def test_wrong_typography_is_found(text):
    assert WRONG_SIGN.search(text)


def test_every_text_is_translated():
    found = gettext.translation(language.DOMAIN, language.LOCALE, ["fr"])
    same = [text for text in language.texts(typer.main.get_command(app)) if text not in found._catalog]
    assert same == []


@pytest.mark.parametrize("value", ["C.UTF-8", "en_US.UTF-8", "de_DE.UTF-8", ""])
def test_other_languages_get_english(monkeypatch, capsys, value):
    for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", value)
    assert language.translation() is None
    assert shown(typer.main.get_command(app), "show", capsys).startswith("Usage: vna show [OPTIONS] {ID}\n")


def test_the_program_chooses_the_language(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["vna", "show", "--help"])
    for value, usage in (("fr", "Usage\N{NO-BREAK SPACE}: "), ("C", "Usage: ")):
        for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("LANG", value)
        with pytest.raises(SystemExit):
            sys.modules["crawler.cli.main"]._run()
        assert capsys.readouterr().out.startswith(usage)
    gettext.textdomain("messages")
