"""Search on the command line and in SQL, with broken text and different spellings of names."""

from __future__ import annotations

import importlib.util
import json
import sqlite3
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from crawler import config, query
from crawler.cli.main import app

ROOT = Path(__file__).parent.parent
TEXTS = {
    "dien-bien-phu": "Les 70 ans de Điện Biên Phủ\n\nUne exposition.\n\nDiên Biên (VNA) - La ville se souvient. -VNA",
    "saigon": "Un métro pour Saïgon\n\nLa première ligne.\n\nHô Chi Minh-Ville (VNA) - Elle ouvre en mars. -VNA",
    "hanoi": "Le lac Hoan Kiêm\n\nUne promenade.\n\nHà Nội (VNA) - Il pleut sur le cœur de la ville. -VNA",
    "covid": "Covid-19 : l'économie repart\n\nUn bilan.\n\nHanoï (VNA) - Le Premier ministre s’est dit confiant. -VNA",
}
FINDS = {
    "a word that is glued to another in the text": ("etrangeres", "Premier dialogue Vietnam-France"),
    "a phrase with a glued part": ('"affaires étrangères"', "Premier dialogue Vietnam-France"),
    "a word that occurs only glued": ("niveaux mécanismes", "Premier dialogue Vietnam-France"),
    "a name without its accents": ("dien bien phu", "Les 70 ans de Điện Biên Phủ"),
    "a name with French accents": ("Diên Biên Phu", "Les 70 ans de Điện Biên Phủ"),
    "a ligature typed as two letters": ("coeur", "Le lac Hoan Kiêm"),
    "a synonym of one word": ("hanoi promenade", "Le lac Hoan Kiêm"),
    "a synonym of several words": ("HCM-Ville métro", "Un métro pour Saïgon"),
    "a word without its elided article": ("économie", "Covid-19 : l'économie repart"),
    "a different ending": ("économies", "Covid-19 : l'économie repart"),
    "a hyphen and a number": ("covid-19", "Covid-19 : l'économie repart"),
    "a word in the title only": ("title:métro", "Un métro pour Saïgon"),
    "a prefix": ("promen*", "Le lac Hoan Kiêm"),
    "the typographic apostrophe": ("s’est", "Covid-19 : l'économie repart"),
}
ODD = (
    "AND",
    "covid-19",
    "l'économie",
    '"unbalanced',
    "😀 métro",
    "NEAR(a b)",
    "a OR",
    "title:",
    "x:y",
    "(métro",
    "métro)",
    "^métro",
    "-x métro",
    "métro*lac",
)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("search")
    for name, text in TEXTS.items():
        (folder / f"{name}.txt").write_text(text, "utf-8")
    files = [*sorted((ROOT / "seeds").glob("*.txt")), *sorted(folder.glob("*.txt"))]
    result = CliRunner().invoke(app, ["--archive", str(folder / "archive"), "import", *map(str, files)])
    assert result.exit_code == 0, result.output
    return folder / "archive"


def search(archive: Path, *words: str) -> list[dict]:
    result = CliRunner().invoke(app, ["--archive", str(archive), "search", "--json", "--limit", "200", *words])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.fixture(scope="module")
def sql(archive: Path):
    """The database as `vna browse` serves it: read-only, with the function of the plugin and the canned queries."""
    spec = importlib.util.spec_from_file_location("vna_match", ROOT / "config" / "datasette" / "vna_match.py")
    plugin = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(plugin)
    connection = sqlite3.connect(f"file:{archive / 'vna.db'}?mode=ro", uri=True)
    plugin.prepare_connection(connection)
    queries = yaml.safe_load((ROOT / "config" / "datasette.yaml").read_text("utf-8"))["databases"]["vna"]["queries"]

    def run(name: str, **parameters: str) -> list[tuple]:
        return connection.execute(queries[name]["sql"], parameters).fetchall()

    yield run
    connection.close()


@pytest.mark.parametrize(("words", "title"), FINDS.values(), ids=FINDS)
def test_search_finds(archive: Path, words: str, title: str) -> None:
    assert any(row["title"].startswith(title) for row in search(archive, words))


@pytest.mark.parametrize("words", [words for words, _ in FINDS.values()] + list(ODD))
def test_sql_finds_the_same_articles(archive: Path, sql, words: str) -> None:
    assert [row[0] for row in sql("search", query=words)] == [row["id"] for row in search(archive, "--", words)]
    ranked = search(archive, "--rank", "--", words)
    assert {row[0] for row in sql("search_ranked", query=words)} == {row["id"] for row in ranked}


def test_an_sql_search_without_words_finds_nothing(sql) -> None:
    assert sql("search", query="((") == sql("search", query="") == []


@pytest.mark.parametrize("name", ["recent", "changed", "per_month", "needs_a_look"])
def test_every_canned_query_runs(sql, name: str) -> None:
    assert isinstance(sql(name), list)


def test_matches_are_marked_in_the_readable_text(archive: Path) -> None:
    row = next(r for r in search(archive, "etrangeres", "niveaux") if r["title"].startswith("Premier dialogue"))
    assert "**étrangères**" in row["snippet"].lower()


def test_a_quoted_phrase_is_not_expanded_with_synonyms(archive: Path) -> None:
    assert search(archive, "hcm-ville")
    assert not any("Saïgon" in row["title"] for row in search(archive, 'title:"hcm ville"'))


def test_results_are_newest_first_or_ranked(archive: Path) -> None:
    ids = [row["id"] for row in search(archive, "vietnam")]
    assert ids == sorted(ids, reverse=True)
    assert {row["id"] for row in search(archive, "--rank", "vietnam")} == set(ids)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('use = ["mer"]', "unknown group 'mer'"),
        ('groups = [["Hanoï"]]', "at least two"),
        ('groups = ["Hanoï"]', "at least two"),
        ('groups = [["Hanoï", 3]]', "at least two"),
        ('use = ["mer"]\n[option]\nmer = "x"', "at least two"),
        ("groups = [", "not valid TOML"),
        ("groups = 3", "groups: must be a list"),
        ('use = "mer"', "use: must be a list"),
        ("use = [[1]]", r"unknown group \[1\]"),
        ("option = []", "option: must be a table"),
        ('group = [["Hanoï", "Hà Nội"]]', "unknown key; did you mean groups"),
    ],
)
def test_a_mistake_in_the_synonyms_file_is_reported(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "synonyms.toml").write_text(text, "utf-8")
    with pytest.raises(config.ConfigError, match=message):
        config.load_synonyms(tmp_path / "crawler.toml")


def test_an_optional_synonym_group_counts_only_if_in_use(tmp_path: Path) -> None:
    text = 'groups = []\nuse = [{}]\n[option]\nmer = ["Mer Orientale", "mer de Chine méridionale"]\n'
    for use, found in (("", 1), ('"mer"', 2)):
        (tmp_path / "synonyms.toml").write_text(text.format(use), "utf-8")
        synonyms = query.Synonyms(config.load_synonyms(tmp_path / "crawler.toml"))
        assert query.parse("mer orientale", synonyms).match.count(" OR ") + 1 == found


def test_status_counts_articles_with_broken_text(archive: Path) -> None:
    result = CliRunner().invoke(app, ["--archive", str(archive), "status", "--json"])
    assert json.loads(result.stdout)["broken"] == 3
