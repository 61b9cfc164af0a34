"""Tests of the rare forms of listed words, and of other correct spellings that look like two words."""

from __future__ import annotations

import pytest

from crawler import lexicon, repair
from crawler.repair import PageLexicon, WordList, inflection, score
from crawler.repair.lexicon import Lexicon

#: Shares of running words, as in the word list. No text below contains one of these forms.
WORDS = WordList(
    {
        "abolir": 3e-6,
        "abolissant": 1e-7,
        "anoblir": 2e-7,
        "anobli": 3e-7,
        "avenir": 1e-4,
        "danger": 1e-4,
        "dangé": 3e-8,
        "changer": 1e-4,
        "changeant": 1e-6,
        "placer": 1e-5,
        "plaçait": 1e-7,
        "essayer": 1e-5,
        "essayant": 1e-6,
        "appeler": 1e-4,
        "appelant": 1e-6,
        "acheter": 1e-4,
        "achetant": 1e-6,
        "céder": 1e-5,
        "cédant": 1e-6,
        "démilitariser": 2e-7,
        "transcoder": 2e-8,
        "confondre": 1e-6,
        "confondant": 1e-7,
        "ordre": 1e-4,
        "oppositionnel": 1e-7,
        "médiastinal": 1e-7,
    }
)


@pytest.mark.parametrize(
    "form",
    [
        "aboliront",
        "anoblirait",
        "changea",
        "plaça",
        "essaieront",
        "appellera",
        "achètera",
        "cèderont",
        "démilitarisera",
        "transcoderait",
        "confondirent",
        "abolissions",
        "confondissent",
        "oppositionnelles",
        "médiastinaux",
    ],
)
def test_rare_form_belongs_to_a_listed_word(form: str) -> None:
    assert -22 < inflection.chance(form, WORDS) < -10


@pytest.mark.parametrize("word", ["avenira", "dangera", "ordra", "va", "maison", "totaux", "xelles"])
def test_other_words_are_no_forms_of_a_listed_word(word: str) -> None:
    assert inflection.chance(word, WORDS) == inflection.NEVER


@pytest.fixture(scope="module")
def french() -> Lexicon:
    return lexicon.load()


CLEAN = [
    # conjugated forms
    "Le gouvernement abolira la taxe et démilitarisera la zone, et d'autres anobliront leurs artisans.",
    "Selon lui, les provinces transcoderaient leurs archives et obscurciront la salle.",
    "Les experts séjournassent plus longtemps, et les autorités les chaperonnaient.",
    # adjectives and compounds
    "Le parlement, une assemblée monocamérale, cite des troubles thoraciques et médiastinaux.",
    "Les antithrombotiques et les agents antiplaquettaires sont prescrits aux patients.",
    "Un écran photochromique et des mesures morphométriques sont utilisés.",
    "Des aminoglucosides et des séances de thalassotoque sont cités.",
    # words of other languages
    "Des charpentiers (en anglais, ironworkers) qui officiaient sur divers chantiers.",
    # surnames
    "Lefoulon un et vivait à Hanoï.",
    # plurals in capitals
    "COMPOSITION EN SUBSTANCE(S) ACTIVE(S), CANDIDAT(E), MISE(S) EN GARDE SPECIALE(S).",
    # German quotation marks, `seconde`
    "„Willkommen“, dit le chancelier.",
    "La 2de guerre mondiale prit fin.",
    # letters after Roman numerals and codes
    "Le facteur XIIa et le récepteur IIIa, l'ADNa, l'ARNm et la note VIIa.",
    # brands that begin with an acronym
    "Les sites VNdirect, VTVcab, VNexpress, FPTshop, VTVdigital, VTConline, VNPTmedia et HDmusic.",
]


@pytest.mark.parametrize("text", CLEAN)
def test_correct_spelling_stays_unchanged(french: Lexicon, text: str) -> None:
    assert repair.repair(text, french).clean == text


GLUED = [
    ("La décision d'aujourd' hui est claire.", "La décision d'aujourd'hui est claire."),
    ("SelonM. Nam, la visite sera utile.", "Selon M. Nam, la visite sera utile."),
    ("La visite deM. Trong est finie.", "La visite de M. Trong est finie."),
    ("L'accord entreMM. Sang et Hollande est clair.", "L'accord entre MM. Sang et Hollande est clair."),
    ("La ministre Nguyên Thi Hoaa présidé la séance.", "La ministre Nguyên Thi Hoa a présidé la séance."),
    ("La FAOestime la récolte à 43 Mt.", "La FAO estime la récolte à 43 Mt."),
    ("Le FMIprévoit une hausse.", "Le FMI prévoit une hausse."),
    ("L'UEannonce la nouvelle.", "L'UE annonce la nouvelle."),
    ("Le conseil du FMIa approuvé un prêt.", "Le conseil du FMI a approuvé un prêt."),
    ("Le PIBà prix courants croît.", "Le PIB à prix courants croît."),
    ("Le pays est 5eau classement.", "Le pays est 5e au classement."),
    ("Il fait 38°C.Les écoles ferment.", "Il fait 38°C. Les écoles ferment."),
    ("De 7hà 9h, la route est fermée.", "De 7h à 9h, la route est fermée."),
    ("Il dit „oui“ et cite le film“Mui Ngo Gai”.", "Il dit „oui“ et cite le film “Mui Ngo Gai”."),
    ("Le ministère de la SANTÉ(MS) l'a dit.", "Le ministère de la SANTÉ (MS) l'a dit."),
]


@pytest.mark.parametrize(("glued", "clean"), GLUED)
def test_missing_space_is_found(french: Lexicon, glued: str, clean: str) -> None:
    reading = repair.repair(glued, french)
    assert reading.clean == clean
    assert repair.repair(clean, french).clean == clean


def test_a_prefix_and_a_rare_word_are_never_two_words() -> None:
    known = PageLexicon(WordList({"photo": 1e-4, "chromique": 3e-8, "officielle": 1e-5}))
    assert not list(score.splits(score.LetterRun(0, "photochromique", "un", "et"), known))
    assert list(score.splits(score.LetterRun(0, "photoofficielle", "un", "et"), known))
