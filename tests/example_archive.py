"""A small archive with known contents, for the tests of exports, of the Python interface and of the recipes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from crawler import identity
from crawler.identity import Decision
from crawler.parse import times
from crawler.site import HANOI
from crawler.storage import open_archive
from crawler.storage.articles import ArticleIntent
from crawler.types import Article, Dateline, ImageBlock, Reading, Related, Repair, TextBlock

SITE = "https://fr.vietnamplus.vn"
START = datetime(2024, 1, 1, tzinfo=UTC)
GLUED, SPACED = "stratégiede", "stratégie de"


def article(key, day, section, title, text, **fields):
    """Return an article of the site; each line of `text` is a paragraph."""
    defaults = {
        "post_id": key, "url": f"{SITE}/titre-post{key}.vnp", "section": section, "title": title, "lead": f"{title} (VNA).",
        "blocks": tuple(TextBlock("paragraph", line) for line in text.split("\n")),
        "published_at": f"{day}T09:00:00+07:00", "dateline": Dateline("Hanoï", None, "VNA"), "markup": "cms-2024",
        "provenance": {"title": "h1"},
    }  # fmt: skip
    return Article(**(defaults | fields))


FRANCE = "Hanoï (VNA) - Le Premier ministre a reçu à Hanoï l'ambassadeur de France, Olivier Brochet.\nIls ont parlé de commerce."
ARTICLES = {
    101: article(101, "2023-12-30", "Politique", "Le président reçoit l'ambassadeur de Chine", "Hanoï (VNA) - Le président a reçu à Hanoï l'ambassadeur de Chine, Xiong Bo."),
    102: article(102, "2024-01-12", "Politique", "Le Premier ministre reçoit l'ambassadeur de France", FRANCE, tags=("France", "diplomatie")),
    103: article(103, "2024-03-05", "Politique", "Le secrétaire général reçoit l'ambassadeur de France", "Hanoï (VNA) - Le secrétaire général a reçu à Hanoï l'ambassadeur de France, Olivier Brochet.", tags=("France",)),
    104: article(104, "2024-04-10", "Politique", "Le Premier ministre reçoit l'ambassadeur de Cuba", "Hanoï (VNA) - Le Premier ministre a reçu à Hanoï l'ambassadeur de Cuba, Rogelio Polanco Fuentes.", tags=("Cuba", "diplomatie")),
    105: article(105, "2024-05-07", "Société", "Diên Biên Phu célèbre le 70e anniversaire de la victoire", f"Diên Biên (VNA) - La {GLUED} mémoire.\nDes anciens combattants étaient là.", dateline=Dateline("Diên Biên", None, "VNA")),
    106: article(106, "2024-05-08", "Économie", "Les exportations de riz augmentent de 12 %", "Hanoï (VNA) - Le riz du delta du Mékong se vend bien.", tags=("riz",)),
    107: article(107, "2024-08-20", "Économie", "Les exportations de riz et de café progressent", "Hô Chi Minh-Ville (VNA) - Le riz et le café se vendent bien.", dateline=Dateline("Hô Chi Minh-Ville", None, "VNA"), tags=("riz", "café")),
    108: article(108, "2024-09-10", "Société", "Le typhon Yagi en images", "", kind="photo", blocks=(ImageBlock(f"{SITE}/1.jpg", "Yagi", "Un arbre. Photo : VNA", "VNA"),), tags=("typhon",)),
    109: article(109, "2025-02-03", "Politique", "Visite du président français à Hanoï", "Hanoï (VNA) - Le président français est arrivé.", related=(Related("Autre", "Résumé", None, f"{SITE}/autre-post7.vnp", 7),)),
    -1: article(-1, "2018-09-19", None, "Premier dialogue", "Paris, 19 septembre (VNA) - Un dialogue.", post_id=None, url=None, published_at=None, dateline=Dateline("Paris", "19 septembre", "VNA")),
}  # fmt: skip
#: The second text of some articles, and the days after the first one on which the site showed it.
REVISED = {
    106: (replace(ARTICLES[106], title="Les exportations de riz augmentent de 12 % malgré la sécheresse"), 1),
    107: (replace(ARTICLES[107], title="Les exportations de riz progressent"), 2),
}
GONE = {104: START + timedelta(days=200)}


def build(folder: Path) -> Path:
    """Create the archive in `folder`."""
    with open_archive(folder) as archive, archive.transaction():
        for key, said in ARTICLES.items():
            seen = (
                datetime.fromisoformat(said.published_at).astimezone(UTC) + timedelta(hours=1)
                if said.published_at
                else START
            )
            archive.save_article(_intent(key, said, seen, Decision("new", 1)))
        for key, (said, days) in REVISED.items():
            seen = datetime.fromisoformat(said.published_at).astimezone(UTC) + timedelta(days=days)
            archive.save_article(_intent(key, said, seen, Decision("revised", 2, ("title",))))
        for key, at in GONE.items():
            archive.set_article_state(key, "gone", at)
    return folder


def _intent(key, said, seen, decision):
    when = times.instant(said.published_at) if said.published_at else None
    place = said.text.find(GLUED)
    repairs = (Repair("glued-words", place, GLUED, SPACED),) if place >= 0 else ()
    return ArticleIntent(
        key=key,
        article=said,
        reading=Reading(said.text.replace(GLUED, SPACED), repairs),
        decision=decision,
        fingerprint=identity.fingerprint(said),
        body_key=identity.body_key(said),
        simhash=0,
        published_on=when.astimezone(HANOI).date().isoformat() if when else None,
        parser=1,
        now=seen,
        source_file="text.txt" if key < 0 else None,
    )
