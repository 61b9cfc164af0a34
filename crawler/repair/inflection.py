"""Recognise inflected forms that are too rare for the word list, such as `aboliront`, `segmenta` or `médiastinaux`.

Many of them look like two words (`abolir ont`, `segment a`, `médiastin aux`), but another form of the word is listed.

Boundary: closed tables of endings; one word at a time.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence

from crawler.repair.lexicon import Lexicon

NEVER = -math.inf
_USUAL = -3.5  # nats: how much rarer a form in the third person is than the infinitive
_LITERARY = -5.0  # the same for the past tenses of literature and for the first and second person
_RARE = 1e-7  # share of running words
_ADJECTIVE = -2.0  # nats: how much rarer a feminine or plural form is than the listed form of an adjective
_SHORTEST = 3  # letters of a stem

_PRESENT = "e es ons ez ent ais ait aient ions iez ant ante ants antes"
_FUTURE = ("ra", "ront", "rait", "raient")
_RARE_FUTURE = ("rai", "ras", "rons", "rez", "rais", "rions", "riez")
_ALWAYS_VERBS = ("iser", "ifier", "onner")
#: For each infinitive: the usual endings of the other forms, the literary ones, and the endings of the forms of which the
#: word list has at least one. `danger` and `avenir` are not verbs, although they end like infinitives.
_CONJUGATIONS = {
    "er": (
        f"{_PRESENT} a èrent é ée és ées {' '.join('e' + end for end in _FUTURE)}".split(),
        f"ai as âmes âtes ât asse asses assent assions assiez {' '.join('e' + end for end in _RARE_FUTURE)}".split(),
        ("ant", "ait"),
    ),
    "ir": (
        [*("iss" + end for end in _PRESENT.split()), *"it irent i ie is ies".split(), *("i" + end for end in _FUTURE)],
        ["îmes", "îtes", "ît", *("i" + end for end in _RARE_FUTURE)],
        ("issant", "issait"),
    ),
    "re": (
        [*_PRESENT.split(), "it", "irent", "u", "ue", "us", "ues", *_FUTURE],
        ["is", "îmes", "îtes", "ît", "isse", "isses", "issent", "issions", "issiez", *_RARE_FUTURE],
        ("ant", "ait"),
    ),
}
#: For each ending: the infinitives that it may belong to, the logarithm of its share, and the other forms.
_BY_ENDING: dict[str, list[tuple[str, float, tuple[str, ...]]]] = {}
for _infinitive, (_usual, _literary, _others) in _CONJUGATIONS.items():
    for _ends, _share in ((_usual, _USUAL), (_literary, _LITERARY)):
        for _end in _ends:
            _BY_ENDING.setdefault(_end, []).append((_infinitive, _share, _others))
_LONGEST = max(map(len, _BY_ENDING))
#: Endings of adjectives, each with those of the other forms of which the word list may have one.
_ADJECTIVES = {
    "elles": ("el", "elle", "els"),
    "elle": ("el", "els", "elles"),
    "els": ("el", "elle", "elles"),
    "ennes": ("en", "enne", "ens"),
    "enne": ("en", "ens", "ennes"),
    "euses": ("eux", "euse", "eur"),
    "euse": ("eux", "euses"),
    "trices": ("teur", "trice", "teurs"),
    "trice": ("teur", "trices", "teurs"),
    "ières": ("ier", "ière", "iers"),
    "ière": ("ier", "iers", "ières"),
    "ives": ("if", "ive", "ifs"),
    "ive": ("if", "ifs", "ives"),
    "ifs": ("if", "ive", "ives"),
    "aux": ("al", "ale", "ales"),
    "ales": ("al", "ale", "aux"),
    "ale": ("al", "aux", "ales"),
    "aires": ("aire",),
    "istes": ("iste",),
    "ismes": ("isme",),
    "ques": ("que",),
}


def chance(text: str, lexicon: Lexicon) -> float:
    """Return the log probability (nats) of `text`, in lower case, as a form of a listed word; `NEVER` if it is none."""
    return max(max(_as_verb(text, lexicon), default=NEVER), _as_adjective(text, lexicon))


def _as_adjective(text: str, lexicon: Lexicon) -> float:
    for length in range(3, 7):
        others = _ADJECTIVES.get(text[-length:], ())
        known = max((lexicon.frequency(text[:-length] + end) for end in others), default=0.0)
        if known and len(text) - length >= _SHORTEST:
            return math.log(known) + _ADJECTIVE
    return NEVER


def _as_verb(text: str, lexicon: Lexicon) -> Iterator[float]:
    for length in range(1, min(_LONGEST, len(text) - _SHORTEST) + 1):
        for infinitive, share, others in _BY_ENDING.get(text[-length:], ()):
            for stem in _stems(text[:-length], infinitive):
                known = lexicon.frequency(stem + infinitive)
                if known and _is_verb(stem + infinitive, stem, others, lexicon):
                    yield math.log(known) + share


def _is_verb(word: str, stem: str, others: Sequence[str], lexicon: Lexicon) -> bool:
    """Whether `word`, which ends like an infinitive, is a verb.

    A rare word is taken for one. A common word must have another form of a verb (`others`), or a participle that is common, too.
    """
    known = lexicon.frequency(word)
    if known < _RARE or word.endswith(_ALWAYS_VERBS) or any(lexicon.frequency(_joined(stem, end)) for end in others):
        return True
    participle = {"er": "é", "ir": "i"}.get(word[-2:])
    return participle is not None and lexicon.frequency(stem + participle) > known / 5


def _stems(stem: str, infinitive: str) -> Iterator[str]:
    """Yield the stems that the infinitive of a form with `stem` may have: `appell` for `appel`, `achèt` for `achet`."""
    yield stem
    if infinitive != "er":
        return
    if stem.endswith("ge"):
        yield stem[:-1]
    elif stem.endswith("ç"):
        yield stem[:-1] + "c"
    elif stem.endswith("i"):
        yield stem[:-1] + "y"
    elif stem.endswith(("ll", "tt")):
        yield stem[:-1]
    if stem[-2:-1] == "è":
        yield from (stem[:-2] + vowel + stem[-1] for vowel in "eé")


def _joined(stem: str, end: str) -> str:
    """Return a form of a verb: `nageait`, `plaçait`, `obscurcissait`."""
    if end[0] == "a":
        stem = re.sub("c$", "ç", re.sub("g$", "ge", stem))
    return stem + end
