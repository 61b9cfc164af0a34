"""Word lists for the classification of changes: function words, months, days, institutions.

Boundary: constants.
"""

from __future__ import annotations

from crawler.changes.tokens import plain_letters

#: Words with a grammatical function only. Negations are not among them: they change the meaning.
FUNCTION_WORDS = frozenset(
    "le la les l' un une des de du d' au aux à a et en y ce c' cet cette ces se s' sa son ses leur leurs que qu' qui dont où"
    " est sont ont on il elle ils elles par pour sur dans avec l d s c n j m t ou mais comme si sous entre vers chez même"
    " été être avoir eu avait était".split()
)

#: Forms of the auxiliary verbs in the singular and the plural: one is corrected to the other to agree with its subject.
AGREEING = (
    {"est", "sont"}, {"a", "ont"}, {"était", "étaient"}, {"avait", "avaient"}, {"sera", "seront"}, {"aura", "auront"},
    {"soit", "soient"}, {"ait", "aient"}, {"serait", "seraient"}, {"aurait", "auraient"}, {"fut", "furent"},
    {"va", "vont"}, {"fait", "font"}, {"peut", "peuvent"}, {"doit", "doivent"},
)  # fmt: skip

MONTHS = frozenset(
    "janvier février mars avril mai juin juillet août septembre octobre novembre décembre fevrier aout decembre".split()
)
DAYS = frozenset(
    "lundi mardi mercredi jeudi vendredi samedi dimanche hier avant-hier aujourd'hui demain après-demain lendemain"
    " veille".split()
)
#: Words between the numbers of a date: `du 3 au 7 octobre`, `les 3, 4 et 5 mai`.
BETWEEN_DATES = frozenset({"au", "et", "à", ",", "-", "ou"})
#: Words before a year that stands alone.
BEFORE_YEARS = (
    frozenset(
        "en de depuis fin début mi année années l'an an dès courant jusqu'en avant après vers printemps été automne hiver d'ici".split()
    )
    | MONTHS
)
HOURS = frozenset({"heure", "heures"})
BEFORE_HOURS = frozenset({"à", "vers", "dès", "avant", "après"})

#: First words of the names of institutions: the lower-case words after them belong to the name.
INSTITUTIONS = frozenset(
    plain_letters(word)
    for word in (
        "banque ministère organisation fonds comité parti université groupe assemblée conseil union institut académie"
        " société compagnie fédération association agence nations république commission"
    ).split()
)
#: Words that may be in such a name before its last word, as in `Banque asiatique de développement`.
INSIDE_INSTITUTIONS = frozenset(
    "de du des d' la l' asiatique mondiale nationale international internationale populaire monétaire".split()
)

#: Words at the start of a sentence that often precede a name and do not belong to it.
BEFORE_NAMES = frozenset(
    "selon pour après avant depuis lors outre malgré d'après chez quant ainsi aujourd'hui hier président ministre général m mme"
    " docteur professeur ici là puis enfin ensuite pendant durant contre parmi grâce".split()
)
