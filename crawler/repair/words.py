"""French words as the repair sees them: tokens, function words, classes that say what may stand beside what.

Boundary: closed lists and shapes of words; no frequencies, no text of any article.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

#: An elided word keeps its apostrophe; a number keeps its separators; every other sign is a token of its own.
TOKEN = re.compile(r"[^\W\d_]+['’]?|\d+(?:[.,]\d+)*|[^\w\s]|_")

#: Words of one to three letters. Frequency lists are full of junk of this length, so this list is closed.
SHORT = frozenset(
    """
    a à y ô
    ai an as au bu pu lu dû ru ce ci de du en es et eu il je la là le ma me mi né ne ni nu on or ou où pu sa se si su ta te tu un us va vu
    âge air ait ami ans art aux axe bac bas bat bon bus but car cas cet ces clé cru dès des dit dix dix don dos due
    dur eau elu élu ère eux fer feu fil fin fit fut fût gaz gel gré ils ira jet jeu les loi lit lui lus lot mai mal
    mer mes mis moi mon mot mur née nés net nom non nos nul née oui osé paix par pas peu pis pic plu pli pôle pré
    pur que qui ras rez riz roi rue sac sec sel ses six soi sol son sud sur tas tel tes thé tir toi ton tôt tua une
    unes uni usé van vas ver vie vif vin vis voi vos vue zoo lao sel mit mise clés dus vus est été ont sont lié née aie
    ait eus eût lac mil nez nid pie pin pot rôle sot sou sûr tri tué vol émis éra bel fou gai gué îles île job une
    agi ici lai lus lue bue bus âme aîné ôté ose osa osé uns bœuf nue vit cap cil cor cri duo fée foi gin ivre jus kit mât net ode oie pub rat rit sas set tic top voix
    """.split()
)

#: Words that carry grammar; each is a class of its own.
FUNCTION = frozenset(
    """
    à a au aux avec afin ainsi alors après aucun aucune aura auraient aurait auront aussi autant autre autres avaient
    avait avant ayant avoir bien car ce cela celle celles celui ceux ces cet cette chaque chez comme comment contre
    dans de depuis dernier dernière des deux dès devant doit doivent donc dont du durant elle elles en encore enfin
    entre envers est et étaient était étant été être eu eux fait faire fois grâce hors il ils jusque la le les lequel
    laquelle lesquels lesquelles leur leurs lors lorsque lui ma mais malgré me même mêmes mes mieux moins mon ne ni
    non nos notamment notre nous on ont or ou où outre par parce parmi pas pendant peu peut peuvent plus plusieurs
    plutôt pour pourra pourrait près puis puisque quand quant que quel quelle quelles quelques quels qui quoi sa sans
    sauf se selon sera seraient serait seront ses si son sont sous sur surtout tandis tant tel telle telles tels tous
    tout toute toutes très trois trop un une va vers via voici voilà vont vos votre vous y là ici dit être lors sein
    """.split()
)

#: The function words that may be told from the end of a name that nobody knows: `Lenainet`, `Sendoa`.
TAILS = frozenset(
    """
    et a à de du des en est ont sont pour dans sur par qui que avec au aux lors ainsi était avait dont comme ou où
    les entre chez après avant depuis doit peut sera aura vers selon
    """.split()
)

#: What may stand before an apostrophe.
ELIDED = frozenset("l d n s c j m t qu jusqu lorsqu puisqu quoiqu".split())

#: Words with an apostrophe inside: the part before it is no glue.
BOUND = frozenset("aujourd' quelqu' presqu' entr' prud' grand' o' d' n' chef-d' main-d'".split())

#: The same in singular and plural: the final `s` says nothing.
INVARIANT = frozenset(
    """
    pays temps cas corps progrès succès accès procès mois fois discours cours concours recours secours choix prix voix
    croix paix bras dos poids bois fonds repas colis avis permis compromis tapis décès excès congrès abus refus tiers
    univers travers français japonais chinois portugais anglais laos danois irlandais finlandais pakistanais bangladais
    thaïlandais gros bas précis divers heureux sérieux nombreux précieux taux flux deux jeux processus campus virus
    consensus ailleurs toujours jamais parcours encours propos héros frais relais palais marais procès niveaux
    """.split()
) - {"niveaux", "jeux"}

#: Small words of other languages: beside them a strange word is foreign, not broken.
FOREIGN = frozenset(
    "the of and for to is with by from at this that der die das und für el los las del di della the".split()
)

#: Prefixes that make new words freely; such a word need not be in any list.
PREFIXES = tuple(
    """
    aéro agri agro anti archi arrière audio auto bi biblio bio cardio chrono co crypto cyber dé dés dis éco électro ethno euro
    ex extra géo hémi hydro hyper hypo im infra inter intra ir macro méga méta micro mini mono moto multi narco nano
    néo neuro omni para per péri photo physio pluri poly post pré pro pseudo psycho quadri radio re ré rétro sino socio
    semi super supra techno télé thermo trans tri turbo ultra uni vice vidéo visio
    """.split()
)

#: Endings that make new words from known stems.
SUFFIXES = tuple(
    """
    s x e es nt ent ment ement isme ismes iste istes ité ités ation ations isation isations ateur ateurs atrice eur
    eurs euse iser isé isée isés isées ise isent isait isant é ée és ées er ait aient ant era eront ons ions erait
    ien ienne iens iennes ais aise aises ois oise oises ique iques able ables age ages ât ît
    """.split()
)

_OPEN_CLASSES = (
    ("ment", ("ment",)),
    ("té", ("ité", "ités", "arté", "auté", "reté")),
    ("tion", ("tion", "sion", "xion", "ance", "ence", "ure", "erie", "gie", "phie", "tie", "nomie", "esse")),
    ("tions", ("tions", "sions", "xions", "ances", "ences", "ures", "eries", "gies", "esses", "trices", "ières")),
    ("és", ("és", "ées", "ues", "ies", "ites", "ises")),
    ("ée", ("ée", "ite", "uite")),
    ("é", ("é", "ti", "li", "ni", "bli", "gi", "nu", "lu", "du", "çu", "ru", "su", "fert", "vert")),
    ("aient", ("aient", "èrent", "eront", "iront", "raient", "irent")),
    ("ait", ("ait", "era", "ira", "dra", "ît")),
    ("ant", ("ant",)),
    ("ent", ("ent",)),
    ("er", ("er", "oir", "ir")),
    ("re", ("dre", "ttre", "ivre", "ire", "aître", "uire")),
    ("eux", ("eux", "aux", "s", "x", "z")),
    ("ique", ("ique", "enne", "aise", "oise", "aine", "ale", "elle", "ive", "euse", "trice", "ière", "ble", "iste")),
    ("eur", ("eur", "teur", "isme", "ien", "ais", "al", "el", "if", "ier", "age", "eau")),
    ("e", ("e",)),
)


def tokens(text: str) -> Iterator[str]:
    """Yield the tokens of a text, apostrophes made plain."""
    for match in TOKEN.finditer(text):
        yield match[0].replace("’", "'")


@lru_cache(maxsize=1 << 14)  # as with stems: a service must not grow with every name
def word_class(token: str) -> str:
    """Return the class of a token: a function word is its own class, others go by capital and ending."""
    lower = token.lower()
    if lower in FUNCTION or not token[0].isalpha() or lower.endswith("'"):
        return _closed_class(lower)
    if token[0].isupper():
        return "ABC" if len(token) > 1 and token.isupper() else "Abc"
    return open_class(lower)


def _closed_class(lower: str) -> str:
    if not lower[0].isdigit():
        return lower
    return "year" if len(lower) == 4 and lower.isdigit() else "0"


def open_class(lower: str) -> str:
    """Return the class that the ending of a lower-case word suggests."""
    if lower in INVARIANT:
        return "inv"
    return next((name for name, endings in _OPEN_CLASSES if lower.endswith(endings)), "c")


def ends_sentence(token: str) -> bool:
    """Tell whether a capital after this token may be that of a sentence."""
    return token.strip() in {".", "!", "?", "…", ":", "«", "“", '"', "-", "–", "—", ""}
