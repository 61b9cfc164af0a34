"""Split French text into tokens, and classify words for the repair rules and for `Grammar`.

Boundary: uses only fixed word lists and the form of a word; neither word frequencies nor article texts are used.
"""

from __future__ import annotations

import re
from functools import lru_cache

#: An elided word keeps its apostrophe, a number keeps its separators, and every other sign is a separate token.
TOKEN = re.compile(r"[^\W\d_]+['’]?|\d+(?:[.,]\d+)*|[^\w\s]|_")

#: Words of one to three letters. The list is closed, because frequency lists contain much junk of this length.
SHORT = frozenset(
    """
    a à y ô
    an au bu pu lu dû ru ce ci de du en et eu il je la là le ma me mi né ne ni nu on or ou où pu sa se si su un us va vu
    âge air ait ami ans art aux axe bac bas bat bon bus but car cas cet ces clé cru dès des dit dix dix don dos due
    dur eau elu élu ère eux fer feu fil fin fit fut fût gaz gel gré ils ira jet jeu les loi lit lui lus lot mai mal
    mer mes mis moi mon mot mur née nés net nom non nos nul née oui osé paix par pas peu pis pic plu pli pôle pré
    pur que qui ras rez riz roi rue sac sec sel ses six soi sol son sud sur tas tel thé tir ton tôt tua une
    unes uni usé van vas ver vie vif vin vis voi vos vue zoo lao sel mit mise clés dus vus est été ont sont lié née aie
    ait eus eût lac mil nez nid pie pin pot rôle sot sou sûr tri tué vol émis éra bel fou gai gué îles île job une
    agi ici lai lus lue bue bus âme aîné ôté ose osa osé uns bœuf nue vit cap cil cor cri duo fée foi gin ivre jus kit mât net ode oie pub rat rit sas set tic top voix
    """.split()
)

#: Function words; each is its own class.
FUNCTION = frozenset(
    """
    à a au aux avec afin ainsi alors après aucun aucune aura auraient aurait auront aussi autant autre autres avaient
    avait avant ayant avoir bien car ce cela celle celles celui ceux ces cet cette chaque chez comme comment contre
    dans de depuis dernier dernière des deux dès devant doit doivent donc dont du durant elle elles en encore enfin
    entre envers est et étaient était étant été être eu eux fait faire fois grâce hors il ils jusque la le les lequel
    laquelle lesquels lesquelles leur leurs lors lorsque lui ma mais malgré me même mêmes mes mieux moins mon ne ni
    non nos notamment notre nous on ont or ou où outre par parce parmi pas pendant peu peut peuvent plus plusieurs
    plutôt pour pourra pourrait près puis puisque quand quant que quel quelle quelles quelque quelques quels qui quoi sa sans
    sauf se selon sera seraient serait seront ses si son sont sous sur surtout tandis tant tel telle telles tels tous
    tout toute toutes très trois trop un une va vers via voici voilà vont vos votre vous y là ici dit être lors sein
    """.split()
)

#: Function words that can be recognised at the end of an unknown name: `Lenainet`, `Sendoa`.
TAILS = frozenset(
    """
    et a à de du des en est ont sont pour dans sur par qui que avec au aux lors ainsi était avait dont comme ou où
    les entre chez après avant depuis doit peut sera aura vers selon
    """.split()
)

#: Listed forms that are more often two words, with the length of the first one; split where only two words fit.
COLLISIONS = {"dela": 2, "parla": 3, "ila": 2, "ona": 2, "una": 2}
#: Surnames, misspellings and very rare words, in lower case more often two words. Only lost line breaks split them.
DOUBTFUL = frozenset(
    """
    ajour alamer apart aces ases asi avoit carde carme dalle defaut delacroix delors desfois desjardins deschamps devos
    dubois duce duces duchamp duflot dufour dujardin dumais dumont dumoulin dupas dupont encas encours enfeu enforme
    enligne enta entant ily lachaise lachance lachine lacroix lafleur lafond lafont lafontaine lagarde lagrange
    lapierre laplace lapointe laporte larose larue lasalle lasure latour lavallée lavigne lavoie lebeau leblanc lebon
    lebreton lebrun leconte lecomte lefort legendre legrand lejeune lemaire lemaître lemercier lemoine lenoir lepage leroux
    lesage parcontre sala sisi surelle yavait
    """.split()
)
#: After these words a word of `COLLISIONS` is one word: `elle parla`, `le mot dela`.
BEFORE_ONE_WORD = frozenset(
    "il elle on qui ne se lui leur y en le la les l' un une des ce cette son sa ses mon au du mot nom n' s' m' t'".split()
)

#: No verb: `s'` and `n'` cannot precede these words, so that the apostrophe in `ministres'et` closes a quotation.
NO_VERB = frozenset("et ou à au aux de des du par dans sur que qui avec le la les l' d' un une".split())

#: Elided words, without their apostrophe.
ELIDED = frozenset("l d n s c j m t qu jusqu lorsqu puisqu quoiqu".split())

#: First parts of words with an apostrophe inside, such as `aujourd'hui`; they are never split.
BOUND = frozenset("aujourd' quelqu' presqu' entr' prud' grand' o' d' n' chef-d' main-d'".split())

#: Words with the same singular and plural: the final letter does not show the number.
INVARIANT = frozenset(
    """
    pays temps cas corps progrès succès accès procès mois fois discours cours concours recours secours choix prix voix
    croix paix bras dos poids bois fonds repas colis avis permis compromis tapis décès excès congrès abus refus tiers
    univers travers français japonais chinois portugais anglais laos danois irlandais finlandais pakistanais bangladais
    thaïlandais gros bas précis divers heureux sérieux nombreux précieux taux flux deux jeux processus campus virus
    consensus ailleurs toujours jamais parcours encours propos héros frais relais palais marais procès niveaux
    """.split()
) - {"niveaux", "jeux"}

#: Function words of other languages: an unknown word next to them is foreign, not broken.
FOREIGN = frozenset(
    "the of and for to is with by from at this that der die das und für el los las del di della the".split()
)

#: Productive prefixes; a word formed with them need not be in any list.
PREFIXES = tuple(
    """
    aéro agri agro data anti archi arrière audio auto bi biblio bio cardio chrono co crypto cyber dé dés dis éco électro ethno euro
    ex extra géo hémi hydro hyper hypo im infra inter intra ir macro méga méta micro mini mono moto multi narco nano
    néo neuro omni para per péri photo physio pluri poly post pré pro pseudo psycho quadri radio re ré rétro sino socio
    semi super supra techno télé thermo trans tri turbo ultra uni vice vidéo visio
    """.split()
)

#: What may stand before a hyphen, but not alone: `vietnamo-français`.
BEFORE_HYPHEN = frozenset((*PREFIXES, "vietnamo"))

#: Beginnings of words that hardly ever stand alone: what follows belongs to the same word, listed or not.
COMBINING = frozenset(
    """
    aéro agri agro amino amphi angio anti archi bi biblio broncho cardio cérébro chiro choré chrono climato contra cyto
    dermato dés électro ethno euro gastro géo hémato hémi hépato hétéro holo hydro hyper hypo infra inter intra laryngo lipo
    macro méga mélo méta mono morpho multi myco nano narco neuro néo omni onco ophtalmo ornitho ostéo paléo para patho péri
    pétro phyto pluri pneumo poly pré proto pseudo psycho pyro quadri rachi radio ré rétro rhino sélénio semi séro sino
    socio spectro stéréo stomato supra télé tétra thalasso théo thermo thrombo topo toxico trans tri turbo ultra uro vice
    xéno
    """.split()
) - {"radio", "tri"}
#: Listed forms that are endings of words far more often than words. Only a function word may precede them: `nous rions`.
ENDINGS = frozenset(
    """
    âmes âtes asse asses assent ions isai naire naires nait nant nasse nasses nels nement nent nera niez nions rait rais
    ras rez riez rions ront sions taient
    """.split()
)

#: Endings that form new words from known stems.
SUFFIXES = tuple(
    """
    s x e es nt ent ment ement isme ismes iste istes ité ités ation ations isation isations ateur ateurs atrice eur
    eurs euse iser isé isée isés isées ise isent isait isant é ée és ées er ait aient ant era eront ons ions erait
    ssant ssante ssants ssantes ssez ssait ssaient ssons ssent sse ssiez rai ras rons rez riez rions rais if ifs ive ives
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


def tokens(text: str) -> list[str]:
    """Return the tokens of a text (words, numbers and signs), with typographic apostrophes replaced by `'`."""
    return TOKEN.findall(text.replace("’", "'"))


@lru_cache(maxsize=1 << 14)  # bounded, so that a long-running service does not grow with every new name
def word_class(token: str) -> str:
    """Return the class under which `Grammar` counts a token.

    A function word or a sign is a class of its own. Other words are classified by their capitals or their ending,
    numbers by whether they may be a year.
    """
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
    """Return the class of a lower-case word that is not a function word, by its ending."""
    if lower in INVARIANT:
        return "inv"
    return next((name for name, endings in _OPEN_CLASSES if lower.endswith(endings)), "c")


def ends_sentence(token: str) -> bool:
    """Whether the token after `token` may be capitalised because it begins a sentence or a quotation."""
    return token.strip() in {".", "!", "?", "…", ":", "«", "“", '"', "-", "–", "—", ""}
