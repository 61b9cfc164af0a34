"""Repair spaces that were lost or added around signs, numbers and single letters, mostly without a lexicon.

Boundary: regular expressions, each with the exceptions that make it safe. Only `capital` needs a `Lexicon`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence

from crawler.repair import quotes, words
from crawler.repair.glue import protected
from crawler.repair.lexicon import Lexicon, PageLexicon
from crawler.repair.names import PLACES
from crawler.types import Repair

_L = r"[^\W\d_]"  # a letter
_MONTH = "janvier|février|mars|avril|mai|juin|juillet|août|septembre|octobre|novembre|décembre"

_C = "[A-ZÀ-ÖØ-ÞŒĐ]"  # a capital
_S = "[a-zà-öø-ÿœæ]"  # a small letter

#: How a word begins after a closing bracket or quotation mark; other single letters may belong to the text in front of it.
_WORD_BEGINS = rf"{_L}{_L}|[ày][\s-]|a(?:\s|-t-)|[cdjlmnst]['’]{_L}"
#: Words of two letters that end a sentence; most others are abbreviations.
_SHORT_END = "(?:an|là|ci|vu|eu|dû|pu|su|lu|bu|né|nu|km|kg|ha|cm|mm)"

_SENTENCE = re.compile(
    rf"(?<![\w.])(?P<word>(?:{_S}{{3,}}|{_SHORT_END}|[A-ZÀ-ÖØ-Þ]{_L}{{2,}}))(?P<end>[ \u00a0]?(?:[.…]+|[!?]+)[»”]?)(?=(?:[«“]\s?)?{_C}(?:{_S}|['’]|\s)|VNA\b|AVI\b)"
)
_SENTENCE_YEAR = re.compile(
    rf"(?P<word>\b\d{{1,4}}|\b[A-Z]{{3,}}|\bUE|[%)»”\"]|\d[ \u00a0\u202f]?°[CF]|\b{_C}{_S}+ (?!Dr|Mr|St|Me){_C}{_S})(?P<end>\.)(?={_C}{_S}|À\s|[LDCSNJ]['’]|VNA\b|AVI\b)"
)
_ELLIPSIS = re.compile(rf"(?<={_S}{_S})(?:…|\.\.\.)(?={_S}{_S}|{_C}{_S})")
_COMMA = re.compile(
    rf"(?<={_L}{_L})(?:,|[ \u00a0]?;)(?={_L}{_L}|[ldnsjcàay]['’\s-]|{_C}[.'’]|[\d\"«“(]|\+\d)|(?<=[\d%)»”\"])[,;](?={_L}{_L}|[àay][\s-])"
)
_COLON = re.compile(rf"(?<!\bPhoto)(?<!\bPhotos)(?<!\bSource)(?<={_L}{_L}{_L})[ \u00a0]?:(?={_L}{_L}|[àl]['’\s]|[«“])")
_DATELINE = re.compile(rf"\((?:VNA|AVI)\)(?=[-–—])|(?<=\)) ?[-–—](?={_C}(?:{_S}|['’\s]))")
#: A dash that is followed by another one without a space before it is one of a pair, and both may be meant. Looking
#: further than a sentence would be quadratic.
_DASH = re.compile(rf"(?<=[\w)»”,.;:] )[–—](?={_L}{_S})(?!.{{0,400}}{_L}[–—](?!\w))")
_SIGNATURE = re.compile(rf"(?:[.!?…»”)\"]|{_S}{{3}})(?=[-–—] ?(?:[A-Z]{{2,5}}/)?(?:VNA|AVI)\s*$)", re.MULTILINE)
_BRACKET = re.compile(
    rf"(?:(?<![^\W_])(?P<word>[^\W_]{{2,}})|[%»”])(?=\((?:[-+–]\d|\d[^)]|{_C}|{_L}{{4,}}|{_L}+ ))(?!\(\w{{1,3}}\)\w)(?!(?<={_C}{_C})\((?:[ESX]|ES|NE|LE|TE|SE)\))"
)
_AFTER_BRACKET = re.compile(rf"(?:(?<=\s)\([^()\n]{{2,}}|\([^()\n]{{3,}})\)(?={_WORD_BEGINS})")
_QUOTE = re.compile(rf"[\w%,;:.!?](?=«)|»(?={_WORD_BEGINS}|\d|\()|{_L}(?=“)|”(?={_WORD_BEGINS})")
_MONTH_DAY = re.compile(rf"(?<![\w.,/-])(?P<day>\d{{1,2}}|1er)(?=(?:{_MONTH})\b)")
_DAY_ARTICLE = re.compile(
    r"(?<![\w'’])(?P<word>le|du|au|les|des|en|de|et|sur|à|dès|depuis|entre|jusqu'au|plus|environ|avec|dans|pour|avant|fin)(?=\d)(?!\d+\w*[-/])"
)
_MONTH_YEAR = re.compile(rf"\b(?P<month>{_MONTH})(?=(?:19|20)\d\d\b)")
_YEAR_WORD = re.compile(
    r"(?<![\w.,/-])(?P<year>(?:19|20)\d\d)(?=(?:et|à|avec|pour|en|dans|sur|des?|du|les?|la|au|aux|par|contre|dont|qui|entre|mais|ont|est|a|était|selon|comme|lors|ainsi|afin)\b)"
)
_AMOUNT = re.compile(
    r"(?<![\w.,/-])(?P<number>\d+(?:[.,]\d+)*)(?=(?:milliards?|millions?|milliers?|personnes|ans|jours|mois|heures|dollars|dôngs?|dongs?|euros|pays|provinces|tonnes|hectares|entreprises|projets|cas|membres|villes|points|nouveaux|nouvelles|autres)\b)"
)
_PERCENT = re.compile(rf"(?<=\d)[ \u00a0]?(?:%(?={_L})|[€$](?={_L}{_L}))")
_NUMBER_SIGN = re.compile(rf"{_S}{{2}}(?=[Nn]°\s?\d)")
_CODE = re.compile(rf"\b(?:{_C}?{_S}{{3,}})(?={_C}{{1,3}}\d{{1,4}}(?:{_C}\d{{0,3}})?\b)")
#: `H7N9et`, `A320à`, `5Gen`: after such a code, only a function word shows that a space is missing.
_AFTER_CODE = re.compile(
    r"(?<![\w.-])(?P<code>[A-Z]{1,5}\d{1,4}(?:[A-Z]\d{0,3})?|\d{1,2}G)(?=(?:et|en|est|à|dans|avec|pour|des?|du|aux?|sur|par|qui|ont|sont|lors|les?|la)\b)"
)
#: `Laos2-0`: the result of a match.
_RESULT = re.compile(
    rf"(?<![\w-])(?:{'|'.join(sorted(map(str.capitalize, PLACES)))})(?=\d{{1,2}}[-–]\d{{1,2}}(?![\w-]))"
)
_AFTER_NOUN = "à|aux?|et|est|ont|sont|dans|avec|pour|des?|du|sur|par|contre"
_JOINED = f"{_AFTER_NOUN}|en"
#: `COVID-19a fait`; in `COVID-19a, b`, the letter is a label.
_DISEASE = re.compile(rf"(?<![\w.-])(?P<code>(?:COVID|Covid|covid)-19)(?=(?:{_JOINED})\b|a(?!\S))")
#: `COP21a adopté`, `G20s'est réuni`; in `G20a`, the letter may be a label.
_SUMMIT = re.compile(
    rf"(?<![\w.-])(?:(?:COP|APEC|ASEM)\d{{1,2}}(?=a(?!\S))|(?:COP|APEC|ASEM|G)\d{{1,2}}(?=[sn]['’]{_L}))"
)
#: `40°Cà 45°C`, `10 kmau nord`: no unit is longer by one of these words.
_UNIT = re.compile(
    rf"(?<=\d)[ \u00a0\u202f]?(?:°[CF]?|h|[kcmd]m[²³23]?|m[²³]|km/h|kg|ha|[kMGT]Wh?|USD|VND|EUR)(?=(?:{_JOINED})\b)"
)
#: No letter belongs to these names. `Royaume-Unien` may be meant as a word.
_COUNTRY = re.compile(rf"(?<![\w-])(?:Royaume-Uni|[ÉE]tats-Unis)(?=(?:{_AFTER_NOUN}|qui)\b|a(?!\S))")
# Only the first is `1er` or `1ère`. An ordinal is singular, so it is none before a plural verb.
_ORDINAL = re.compile(
    r"\b(?:(?:\d+|[IVX]{1,6}) (?:e|è|ème|ᵉ)|[1I] (?:er|ère|ᵉʳ))(?= [a-zà-öø-ÿœæA-Z])"
    r"(?! (?:ont|sont|étaient|avaient|seront|furent)\b)"
)
_ELISION = re.compile(
    r"(?<![\w'’])(?P<word>(?:[ldnsjmtcLDNSJMTC]|[Qq]u|[Ll]orsqu|[Pp]uisqu|[Jj]usqu)['’])[ \u00a0]+(?=[^\W\d_])"
)
_TORN_WORD = re.compile(
    r"(?<![\w'’])(?P<word>(?:[Dd]['’])?[Aa]ujourd['’](?= +hui\b)|(?:[Qq]uelqu|[Pp]resqu|[Qq]uoiqu)['’](?= +[^\W\d_]))[ \u00a0]+"
)
#: Words that lost nothing but got a space after their hyphen; `nord- et sud-coréen` is right as it is.
_HYPHEN = re.compile(
    rf"""(?<![\w'’-])(?P<word>
        (?:COVID|Covid|covid|SARS-CoV|MERS-CoV|Su|MiG|F)-(?=\s\d{{1,3}}\b)
      | (?:[Ss]ud|[Nn]ord|[Cc]entre|[Vv]ice|[Ee]x|franco|sino|russo|américano|israélo|indo|nippo|germano|anglo|afro|tchéco|socio|demi|semi)-(?=\s(?!(?:et|ou|puis|à|ni)\b){_L}{{3,}})
      | (?:[ÉE]tats-(?=\sUnis\b)|Royaume-(?=\sUni\b)|Pays-(?=\sBas\b)|Moyen-(?=\sOrient\b)|Asie-(?=\sPacifique\b)|Minh-(?=\sVille\b))
      | (?:[Cc]elui|[Cc]elle|[Cc]eux|[Cc]elles)-(?=\s(?:ci|là)\b)
      | (?:lui|elles?|eux|soi|nous|vous|moi)-(?=\smêmes?\b)
      | [Pp]eut-(?=\sêtre\b)
    )\s""",
    re.VERBOSE,
)
_AGENCY = re.compile(r"(?P<dash>[-–—(/] ?)(?P<name>V N ?A|VN A|A V ?I|AV I)(?=\s*(?:$|\)|\n))", re.MULTILINE)
_SPACES = re.compile(r"[ \u00a0\t]{2,}")
_CAPITAL = re.compile(r"(?<![\w'’.-])(?P<letter>[B-XZÉÈÊ]) (?P<rest>[a-zà-öø-ÿœæ]{3,})(?![\w'’])")

#: What a text must contain at least for a rule to find anything. Clean text contains none of it, and these patterns are
#: much faster than those of the rules, because each begins with one of few characters.
_SIGNS = {
    "glued-sentence": (rf"[.!?…](?:[»”]?(?:[«“]\s?)?{_C}|{_S})",),
    "glued-comma": (rf"[,;](?:(?={_L})|(?<=\D[,;])(?=\S))",),
    "glued-bracket": (r"[(«“](?<=\S.)", r"[)»”](?=[\w(])"),
    "glued-colon": (rf":(?=[«“]|{_L})", rf"[–—](?={_L}(?:{_S}|['’\s]))", rf"\)(?:[-–—]| [-–—](?={_C}))"),
    "glued-signature": (r"[-–—](?<=\S[-–—]) ?(?:[A-Z]{2,5}/)?(?:VNA|AVI)",),
    "torn-signature": (r"V(?: N|N A)|A(?: V|V I)",),
    "torn-ordinal": (r"[\dIVX](?= (?:[eèᵉ]|ème|er|ère|ᵉʳ) )",),
    "torn-elision": (r"['’](?=[ \u00a0])",),
    "torn-hyphen": (r"-(?<=\w-)(?=\s)",),
    "torn-capital": (rf"[B-XZÉÈÊ](?<![\w'’.-][B-XZÉÈÊ])(?= {_S}{{3}})",),
}
#: The rules whose matches are in one line, so that the lines without these signs are not searched; their patterns look
#: at most `_AHEAD` characters beyond the end of the line.
_WITHIN_LINES = frozenset({"glued-sentence", "glued-comma", "glued-bracket"})
_AHEAD = 8
_NEEDED = {rule: tuple(map(re.compile, patterns)) for rule, patterns in _SIGNS.items()}

_TOUCHED_FIGURE, _AFTER_FIGURE = re.compile(rf"\d(?:(?={_L})|(?<={_L}\d))"), re.compile(rf"[%€$](?={_L})")
_AFTER_CLOSING = re.compile(rf"{_WORD_BEGINS}|\d|\(")
#: The patterns in which a figure touches a letter.
_TOUCHING = (_MONTH_DAY, _DAY_ARTICLE, _MONTH_YEAR, _YEAR_WORD, _AMOUNT, _CODE, _AFTER_CODE, _DISEASE, _SUMMIT, _RESULT)

Fix = Callable[[re.Match[str]], str]


def _each(rule: str, text: str, fix: Fix, *patterns: re.Pattern[str]) -> list[Repair]:
    """Return one edit for each match of `patterns`, in order of position; `fix` returns the replacement of a match.

    A match is ignored if it overlaps an earlier match or begins in a protected chunk, such as a web address.
    """
    lines = _lines_to_search(rule, text)
    if not lines:
        return []
    spans = protected(text) if patterns else ()
    found: list[Repair] = []
    done = -1
    for m in sorted((m for p in patterns for m in _matches(p, text, lines)), key=lambda m: m.start()):
        if m.start() >= done and not any(a <= m.start() < b for a, b in spans):
            found.append(Repair(rule, m.start(), m[0], fix(m)))
            done = m.end()
    return found


def _lines_to_search(rule: str, text: str) -> list[tuple[int, int]]:
    """Return the start and end of each part of a text in which a rule may find something."""
    if rule not in _NEEDED:
        return [(0, len(text))]
    if rule not in _WITHIN_LINES:
        return [(0, len(text))] if any(sign.search(text) for sign in _NEEDED[rule]) else []
    lines: set[tuple[int, int]] = set()
    for sign in _NEEDED[rule]:
        end = 0
        while match := sign.search(text, end):
            start = text.rfind("\n", end, match.start()) + 1
            end = text.find("\n", match.start())
            end = end if end >= 0 else len(text)
            lines.add((start, end))
    return sorted(lines)


def _matches(pattern: re.Pattern[str], text: str, lines: Sequence[tuple[int, int]]) -> Iterator[re.Match[str]]:
    for start, end in lines:
        for match in pattern.finditer(text, start, end + _AHEAD):
            if match.start() >= end:
                break
            yield match


def _space_after(match: re.Match[str]) -> str:
    return match[0] + " "


def nfc(text: str) -> list[Repair]:
    """Replace letters with separate accents by the accented characters (Unicode form NFC), with one edit per word."""
    if unicodedata.is_normalized("NFC", text):
        return []
    found = ((m.start(), m[0], unicodedata.normalize("NFC", m[0])) for m in re.finditer(r"\S+", text))
    return [Repair("nfc", at, before, after) for at, before, after in found if before != after]


def spaces(text: str) -> list[Repair]:
    """Replace several successive spaces by one space, or by a no-break space if any of them is one."""
    if "  " not in text and "\u00a0" not in text and "\t" not in text:
        return []
    return [Repair("spaces", m.start(), m[0], "\u00a0" if "\u00a0" in m[0] else " ") for m in _SPACES.finditer(text)]


def agency(text: str) -> list[Repair]:
    """Remove the space inside the agency's abbreviated name, as in `- VN A` (dossier section 16)."""
    return _each("torn-signature", text, _closed_agency, _AGENCY)


def ordinal(text: str) -> list[Repair]:
    """Remove the space inside an ordinal number, as in `45 e anniversaire`."""
    return _each("torn-ordinal", text, lambda m: m[0].replace(" ", ""), _ORDINAL)


def elision(text: str) -> list[Repair]:
    """Remove the space after an elided word, as in `l’ Organisation`."""
    return _each("torn-elision", text, lambda m: m["word"], _ELISION, _TORN_WORD)


def sentence(text: str) -> list[Repair]:
    """Insert the missing space after the end of a sentence, as in `presse.Lors`."""
    return _each("glued-sentence", text, _space_after, _SENTENCE, _SENTENCE_YEAR, _ELLIPSIS)


def comma(text: str) -> list[Repair]:
    """Insert the missing space after a comma or semicolon between words, as in `multilatéraux,tout`."""
    return _each("glued-comma", text, _space_after, _COMMA)


def bracket(text: str) -> list[Repair]:
    """Insert the missing space at a bracket or quotation mark, as in `bilatéral(2013` or `(PCV)et`."""
    found = _each("glued-bracket", text, _space_after, _BRACKET, _AFTER_BRACKET, _QUOTE)
    return [e for e in found if not _closes_german(text, e.offset + len(e.before))] if "„" in text else found


def _closes_german(text: str, at: int) -> bool:
    """Whether the sign at `at` closes a quotation that `„` opened, as in `„Willkommen“`."""
    return text[at : at + 1] == "“" and text.rfind("„", 0, at) > text.rfind("“", 0, at)


def quote(text: str) -> list[Repair]:
    """Insert the missing space before an opening or after a closing straight quotation mark: `intitulé"Eaux"`."""
    if not quotes.may_have_marks(text):
        return []
    spans = protected(text)
    closing = (at for at in quotes.closing_apostrophes(text) if _AFTER_CLOSING.match(text, at + 1))
    found = [Repair("glued-quote", at, text[at], text[at] + " ") for at in closing]
    for line in re.finditer(r"[^\n]+", text):
        for start, end, opens in quotes.marks(line[0]):
            at = line.start() + start
            if any(a <= at < b for a, b in spans):
                continue
            if opens and re.search(r"[\w.,;:!?%)»”…]$", text[line.start() : at]):
                found.append(Repair("glued-quote", at - 1, text[at - 1], text[at - 1] + " "))
            elif not opens and _AFTER_CLOSING.match(text, line.start() + end):
                found.append(Repair("glued-quote", at, text[at : line.start() + end], line[0][start:end] + " "))
    return sorted(found, key=lambda edit: edit.offset)


def colon(text: str) -> list[Repair]:
    """Insert the missing space after a colon or a dash, as in `sont :renforcer` or `Hanoï –Les`."""
    return _each("glued-colon", text, _space_after, _COLON, _DATELINE, _DASH)


def signature(text: str) -> list[Repair]:
    """Insert the missing space before the agency's signature, as in `lundi.-VNA`."""
    return _each("glued-signature", text, _space_after, _SIGNATURE)


def hyphen(text: str) -> list[Repair]:
    """Remove the space after the hyphen of a compound, as in `COVID- 19` or `sud- coréen`."""
    return _each("torn-hyphen", text, lambda m: m["word"], _HYPHEN)


def country(text: str) -> list[Repair]:
    """Insert the missing space after `Royaume-Uni` or `États-Unis`, as in `Royaume-Unia`."""
    return _each("glued-country", text, _space_after, _COUNTRY) if "-Uni" in text else []


def figure(text: str) -> list[Repair]:
    """Insert the missing space between a number and a word that is not a unit, as in `30mars` or `le18 mai`."""
    return _each("glued-figure", text, _space_after, *_figures(text))


def _figures(text: str) -> list[re.Pattern[str]]:
    """Return the patterns for figures that may match: a quick test.

    No match of `_TOUCHING` goes beyond the white space around it, so the chunks with a figure that touches a letter are
    searched alone.
    """
    chunks = " ".join(_chunks_with_touched_figures(text))
    found = [pattern for pattern in _TOUCHING if pattern.search(chunks)] if chunks else []
    if _AFTER_FIGURE.search(text):
        found.append(_PERCENT)
    if _UNIT.search(text):
        found.append(_UNIT)
    if "°" in text:
        found.append(_NUMBER_SIGN)
    return found


def _chunks_with_touched_figures(text: str) -> Iterator[str]:
    end = 0
    while touched := _TOUCHED_FIGURE.search(text, end):
        start = max(end, text.rfind(" ", end, touched.start()))
        end = text.find(" ", touched.end())
        end = end if end > 0 else len(text)
        yield text[start:end]


def capital(text: str, page: PageLexicon) -> list[Repair]:
    """Remove the space after a capital letter if the letters are a word only when joined, as in `P rincipe`."""
    return [e for e in _each("torn-capital", text, _closed, _CAPITAL) if _torn(e, page)]


def _closed_agency(match: re.Match[str]) -> str:
    return match["dash"] + match["name"].replace(" ", "")


def _closed(match: re.Match[str]) -> str:
    return match["letter"] + match["rest"]


def _torn(edit: Repair, lexicon: Lexicon) -> bool:
    rest = edit.before[2:]
    known = lexicon.frequency(edit.after.lower())
    return known > 1e-7 and rest not in words.SHORT and lexicon.frequency(rest) < known / 100
