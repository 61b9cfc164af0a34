"""Changes between two revisions: the changed words, their offsets, and the kinds."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler import identity
from crawler.changes import changed_passages, changes_between, field_texts, is_silent, kinds_of, marked_words
from crawler.changes.tokens import sentences
from crawler.types import Article, ImageBlock, TextBlock

#: Shares of words in running text, as a lexicon gives them; other words are unknown.
COMMON = dict.fromkeys("importations exportations projet commission hausse baisse main matin".split(), 1e-4)


def article(*paragraphs, title="Un titre", lead=None, captions=(), notes=(), published="2025-04-29", kind="article"):
    blocks = [TextBlock("paragraph", text) for text in paragraphs]
    blocks += [ImageBlock(None, "", caption) for caption in captions]
    blocks += [TextBlock("note", text) for text in notes]
    return Article(title, lead, tuple(blocks), published_at=published, kind=kind)


def kinds(old, new):
    found = changes_between(old, new, lambda word: COMMON.get(word, 0.0))
    return ",".join(kinds_of(found))


def edited(before, after):
    return kinds(article(*before.split("¶")), article(*after.split("¶")))


EDITS = [
    ("Le navire 13 est parti.", "Le navire 14 est parti.", "figure"),
    ("Il y a 45 000 visiteurs.", "Il y a 45.000 visiteurs.", "style"),
    ("Il y a deux morts.", "Il y a 2 morts.", "style"),
    ("Il y a deux morts.", "Il y a trois morts.", "figure"),
    ("Elle coûte 3 millions.", "Elle coûte 3 milliards.", "figure"),
    ("Quelque 2000 personnes sont là.", "Quelque 2010 personnes sont là.", "figure"),
    ("Il pleut le 3 mai.", "Il pleut le 4 mai.", "date"),
    ("Du 3 au 7 mai, il pleut.", "Du 4 au 7 mai, il pleut.", "date"),
    ("Il est né en 1952 à Hué.", "Il est né en 1953 à Hué.", "date"),
    ("Le plan de (2019) est prêt.", "Le plan de (2020) est prêt.", "date"),
    ("Il vient lundi.", "Il vient mardi.", "date"),
    ("Lundi, il vient.", "Mardi, il vient.", "date"),
    ("Le vol part à 14h30.", "Le vol part à 15 h 45.", "date"),
    ("Le vol part à 9 heures.", "Le vol part à 8 heures.", "date"),
    ("Le vol dure 9 heures.", "Le vol dure 8 heures.", "figure"),
    ("Selon Pham Lan, il pleut.", "Selon Pham Mai, il pleut.", "name"),
    ("Tran Lan a gagné.", "Phan Lan a gagné.", "name"),
    ("Il aime la Banque mondiale.", "Il aime la Banque asiatique de développement.", "name"),
    ("Le Conseil a voté pour lui.", "Le Conseil a menti pour lui.", "style"),
    ("Il va à Hanoi.", "Il va à Hanoï.", "typo"),
    ("Le porjet avance.", "Le projet avance.", "typo"),
    ("Les ponts était finis.", "Les ponts étaient finis.", "typo"),
    ("Les deux pays a signé.", "Les deux pays ont signé.", "typo"),
    ("La ville sont belle.", "La ville est belle.", "typo"),
    ("Photo : VNA", "Photo : CTV", "name"),
    ("UNESCO soutient ce plan.", "UNICEF soutient ce plan.", "name"),
    ("À toi de voir.", "A toi de voir.", "typo"),
    ("La pêche va bien. -VNA", "La pêche va bien. Le port est plein. -VNA", "added"),
    ("La pêche va bien. Le port est plein. – VNA", "La pêche va bien. – VNA", "removed"),
    ("La pêche va bien. - AVI", "La pêche va bien. - VNA", "name"),
    ("Il dit : « oui » et part.", 'Il dit : "oui" et part.', ""),
    ("Les importations vont bien.", "Les exportations vont bien.", "style"),
    ("La baisse continue.", "La hausse continue.", "style"),
    ("Une belle ville vit.", "Une belles ville vit.", "typo"),
    ("Ils on vu la mer.", "Ils ont vu la mer.", "typo"),
    ("Il a vu sa main ici.", "Il a vu ses main ici.", "style"),
    ("Il vend du thé du riz.", "Il vend du thé, du riz.", "typo"),
    ("Il vend de de la soie.", "Il vend de la soie.", "typo"),
    ("Il veut partir, et rit.", "Il veut de partir, et rit.", "typo"),
    ("Il dort.", "Il dort, dit un voisin très bavard.", "added"),
    ("Il dort, dit un voisin très bavard.", "Il dort.", "removed"),
    ("Il dort bien.", "Il dort très bien.", "style"),
    ("« Il dort bien », dit-il.", "« Il dort mal », dit-il.", "quote"),
    ('Il a 3 "vieux chats".', 'Il a 3 "beaux chats".', "quote"),
    ("« Il a 3 ans », dit-il.", "« Il a 4 ans », dit-il.", "quote,figure"),
    ("Un fait.¶Un deuxième fait ici.¶Un autre cas.", "Un fait.¶Un autre cas.¶Un deuxième fait ici.", "moved"),
    ("Le lac est bleu. Il gèle parfois ici. On y va. La nuit est noire.", "On y va. La nuit est noire. Le lac est bleu. Il gèle parfois ici.", "moved"),
    ("Un fait connu de tous ici. On y va. La nuit vient.", "On y va. La nuit vient. Un fait su de tous ici.", "moved,style"),
    ("Un fait. Un autre fait.", "Un fait. Une longue phrase tout à fait neuve. Un autre fait.", "added"),
    ("Un fait. Une longue phrase tout à fait neuve. Un autre fait.", "Un fait. Un autre fait.", "removed"),
    ("Il pleut sur le lac et la ville dort.", "Il pleut sur le lac. La ville dort.", "style"),
    ("Il pleut sur le lac. La ville dort.", "Il pleut sur le lac et la ville dort.", "style"),
    ("La ville dort. Le chat mange une souris.", "La ville dort. Un oiseau quitte son nid froid.", "added,removed"),
    ("Le lac est bleu ici.", "Le lac est vert ici. Le lac est gris ici.", "added,style"),
    ("M. Lan dort. Il rêve.", "M. Lan dort. Elle rêve.", "style"),
    ("L'eau monte.", "L' eau monte.", "typo"),
    ("10km plus loin.", "10 km plus loin.", "typo"),
    ("Aujourd'hui, il dort.", "Hier, il dort.", "date"),
    ("Il part dans 3 jours ou 4", "Il part dans 3 jours ou 5", "figure"),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after", "expected"), EDITS)
def test_kinds_of_edits_in_the_text(before, after, expected):
    assert edited(before, after) == expected


UNCHANGED = [
    ("L’eau « monte ».", 'L\'eau " monte ".'),
    ("Hà Nội dort.", unicodedata.normalize("NFD", "Hà Nội dort.")),
    ("Un fait.  Un autre.", "Un fait. Un autre."),
]


@pytest.mark.parametrize(("before", "after"), UNCHANGED)
def test_what_makes_no_revision_is_no_change(before, after):
    assert before != after
    assert edited(before, after) == ""


FIELDS = {
    "headline": (article(title="La foire ouvre"), article(title="Ouverture de la foire")),
    "headline,name": (article(title="Un ministre à Paris"), article(title="Un ministre à Lyon")),
    "lead": (article(lead=None), article(lead="Un chapeau.")),
    "lead,figure": (article(lead="Il a 3 ans. Il dort."), article(lead="Il a 4 ans. Il dort.")),
    "caption": (
        article(captions=["La ville dort ici."]),
        article(captions=["La ville dort ici.", "Un beau lac bleu."]),
    ),
    "caption,typo": (article(captions=["Le porjet"]), article(captions=["Le projet"])),
    "added": (article(), article(notes=["Une note."])),
    "date": (article(), article(published="2025-04-30")),
    "style": (article(), article(kind="photo")),
}


@pytest.mark.parametrize(("expected", "pair"), FIELDS.items(), ids=FIELDS)
def test_kinds_of_edits_in_other_fields(expected, pair):
    assert kinds(*pair) == expected


def test_without_a_lexicon_similar_words_are_typos():
    old, new = article("Les importations vont bien."), article("Les exportations vont bien.")
    assert kinds_of(changes_between(old, new)) == ("typo",)


def test_offsets_refer_to_the_fields():
    old = article("Un fait.", "Le navire 13 est parti de Hué.", title="Un navire part", captions=["Le port"])
    new = article("Le navire 14 est parti de Hué hier.", "Un fait.", title="Deux navires partent", captions=["Un port"])
    found = changes_between(old, new)
    assert {change.field for change in found} == {"title", "text", "captions"}
    one, other = field_texts(old), field_texts(new)
    for change in found:
        assert one[change.field][change.before_offset :].startswith(change.before)
        assert other[change.field][change.after_offset :].startswith(change.after)


def test_only_the_changed_word_is_a_change():
    sentence = "Le navire {} est arrivé dans le port après une longue traversée, a annoncé la compagnie."
    (change,) = changes_between(article(sentence.format(13)), article(sentence.format(14)))
    assert (change.before, change.after) == ("13", "14")
    shown = "".join(piece.bracketed for piece in marked_words(change, sentence.format(14)))
    assert shown == "Le navire [-13-]{+14+} est arrivé dans le port après une …"


SHOWN = [
    ("Un long début de phrase qui ne finit jamais, puis un mot rare.", "rare", "… qui ne finit jamais, puis un mot [-rare-]{+x+}."),
    ("a" * 50 + " mot " + "b" * 50, "mot", "… [-mot-]{+x+} …"),
    ("Une ligne.\n\nUn mot.\n\nUne autre.", "mot", "Un [-mot-]{+x+}."),
]  # fmt: skip


@pytest.mark.parametrize(("text", "word", "expected"), SHOWN)
def test_a_change_is_shown_with_some_words_around_it(text, word, expected):
    old, new = (article(*t.split("\n\n")) for t in (text, text.replace(word, "x")))
    (change,) = changes_between(old, new)
    assert "".join(piece.bracketed for piece in marked_words(change, field_texts(new)["text"])) == expected


PASSAGES = {
    "one word": (["Le navire 13 part."], ["Le navire 14 part."], ["Le navire [-13-]{+14+} part."]),
    "two sentences of a paragraph": (
        ["Le navire 13 part. Il va à Hué."],
        ["Le navire 14 part. Il va à Huế."],
        ["Le navire [-13-]{+14+} part. Il va à [-Hué-]{+Huế+}."],
    ),
    "two paragraphs": (
        ["Il y a 1 cas.", "Et 2."],
        ["Il y a 3 cas.", "Et 4."],
        ["Il y a [-1-]{+3+} cas.", "Et [-2-]{+4+}."],
    ),
    "a removed word": (["Le grand navire part."], ["Le navire part."], ["Le[- grand-] navire part."]),
    "a removed first word": (["Alerte le navire part."], ["le navire part."], ["[-Alerte-]le navire part."]),
    "an added word": (["Le navire part."], ["Le grand navire part."], ["Le {+grand+} navire part."]),
    "a removed paragraph": (["Il pleut.", "Le riz pousse."], ["Le riz pousse."], ["[-Il pleut.-]"]),
    "a removed sentence": (
        ["Tout va bien. Il pleut à Hué. Le riz pousse.", "Fin du texte."],
        ["Tout va bien. Le riz pousse.", "Fin du texte."],
        ["Tout va bien.[- Il pleut à Hué.-] Le riz pousse."],
    ),
    "a removed sentence after a changed one": (
        ["Un fait.", "Il y a 3 cas à Hué. Il pleut sur la mer."],
        ["Un fait.", "Il y a 4 cas à Hué."],
        ["Il y a [-3-]{+4+} cas à Hué.[- Il pleut sur la mer.-]"],
    ),
    "two neighbouring words": (
        ["Le prix du riz monte."],
        ["Le coût du thé monte."],
        ["Le [-prix du riz-]{+coût du thé+} monte."],
    ),
    "two added sentences": (
        ["Un fait ici. Un autre fait."],
        ["Un fait ici. Une longue phrase tout à fait neuve. Le port du sud est plein. Un autre fait."],
        ["Un fait ici. {+Une longue phrase tout à fait neuve. Le port du sud est plein.+} Un autre fait."],
    ),
    "a moved paragraph": (
        ["Le riz pousse bien.", "Tout va bien ici.", "Fin du texte."],
        ["Tout va bien ici.", "Fin du texte.", "Le riz pousse bien."],
        ["Le riz pousse bien."],
    ),
}


@pytest.mark.parametrize(("before", "after", "expected"), PASSAGES.values(), ids=PASSAGES)
def test_all_changes_of_a_paragraph_are_one_passage(before, after, expected):
    old, new = article(*before), article(*after)
    found = changed_passages(changes_between(old, new), old, new)
    assert ["".join(piece.bracketed for piece in passage.pieces) for passage in found] == expected
    assert {passage.field for passage in found} == {"text"}


def test_a_changed_passage_names_its_field_and_kinds():
    old, new = article("Il y a 3 cas.", title="Un cas"), article("Il y a 4 cas.", title="Deux cas")
    found = changed_passages(changes_between(old, new), old, new)
    assert [(one.field, one.kinds) for one in found] == [("title", ("headline", "figure")), ("text", ("figure",))]


def test_a_silent_edit_names_no_new_time():
    assert is_silent(None, None)
    assert is_silent("2025-04-29", "2025-04-29")
    assert not is_silent(None, "2025-04-29")


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        ("\u200b", 0),
        ("Un. Deux.", 2),
        ("M. Lan dort.", 1),
        ("Il dit : « Non. » Puis rien.", 2),
        ("3,5 % ; 4.", 1),
    ],
)
def test_sentences(text, count):
    assert len(sentences(text)) == count


def test_many_changed_sentences_are_compared_in_place():
    """Comparing each with each other one would take minutes for a page of the largest size."""
    old, new = (article(*(f"La phrase {i} du {word} est là." for i in range(80))) for word in ("texte", "livre"))
    found = changes_between(old, new)
    assert [(change.before, change.after) for change in found] == [("texte", "livre")] * 80


WORDS = st.lists(st.sampled_from("Le la Lan 3 mai « » . , ¶ dort porjet projet Hué".split()), max_size=25)


@settings(max_examples=80, deadline=None)
@given(WORDS, WORDS)
def test_every_revision_has_a_change_and_offsets_are_right(one, other):
    old, new = (article(*" ".join(words).split("¶")) for words in (one, other))
    found = changes_between(old, new, lambda word: COMMON.get(word, 0.0))
    assert bool(found) == bool(identity.differences(identity.comparable(old), identity.comparable(new)))
    texts = field_texts(old), field_texts(new)
    for change in found:
        assert texts[0][change.field][change.before_offset :].startswith(change.before)
        assert texts[1][change.field][change.after_offset :].startswith(change.after)
    shown = changed_passages(found, old, new)
    for mark, side in (("added", "after"), ("removed", "before")):
        words = "".join(piece.text for one in shown for piece in one.pieces if piece.kind == mark)
        given = "".join(getattr(change, side) for change in found if "moved" not in change.kinds)
        assert sorted("".join(words.split())) == sorted("".join(given.split()))
