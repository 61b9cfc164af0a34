"""The parts of the HTML standard that `guard` needs: how tags are read, and which elements tags open and close.

Boundary: constants only.
"""

from __future__ import annotations

import re

FORMATTING = frozenset("a b big code em font i nobr s small strike strong tt u".split())
VOID = frozenset(
    "area base basefont bgsound br col embed frame hr image img input keygen link meta param source track wbr".split()
)
NO_PUSH = frozenset("html head body".split())
RAW = frozenset("iframe noembed noframes plaintext script style textarea title xmp".split())
# Elements whose end tag also closes the elements inside it, provided that these are formatting or `IMPLIED` elements.
BLOCKS = frozenset(
    "address article aside blockquote button center details dialog dir div dl fieldset figcaption figure footer header "
    "hgroup li listing main menu nav ol p pre section summary ul dd dt h1 h2 h3 h4 h5 h6 td th tr tbody thead tfoot "
    "table caption applet marquee object".split()
)
IMPLIED = frozenset("p li dd dt option".split())  # elements that cannot be nested directly in themselves
MARKERS = frozenset("td th caption applet marquee object template".split())  # formatting elements do not cross these
SCOPES = MARKERS | {"table", "svg", "math", "form"}  # no end tag of a formatting element reaches across these
# Start tags that close open elements of these names, if they are innermost.
CLOSES: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(
        "address article aside blockquote center details dialog dir div dl fieldset figcaption figure footer header "
        "hgroup main menu nav ol p pre section summary ul h1 h2 h3 h4 h5 h6 hr".split(),
        ("p",),
    ),
    "li": ("p", "li"),
    **dict.fromkeys(("dd", "dt"), ("p", "dd", "dt")),
    "option": ("option",),
    **dict.fromkeys(("td", "th"), ("p", "td", "th")),
    "tr": ("p", "td", "th", "tr"),
    **dict.fromkeys(("tbody", "thead", "tfoot"), ("p", "td", "th", "tr", "tbody", "thead", "tfoot")),
}
CLOSED_BY_TABLE_END = ("p", "td", "th", "tr", "tbody", "thead", "tfoot")
# Start tags that close no open element, so that no formatting element has to be copied after them.
INLINE = (
    (FORMATTING - {"nobr"}) | VOID - {"hr", "col"} | RAW | frozenset("abbr cite q span sub sup svg time var".split())
)
# Elements that are certainly SVG elements inside <svg>. Any other tag may end the SVG content.
SVG = frozenset(
    "animate animatemotion animatetransform circle clippath defs ellipse feblend fecolormatrix fecomposite feflood "
    "fegaussianblur femerge femergenode feoffset filter g line lineargradient marker mask metadata path pattern polygon "
    "polyline radialgradient rect set stop symbol text textpath tspan use view".split()
)
SVG_TEXT = re.compile(r"[^<]*+</(?:desc|style|title)[\t\n\f\r ]*>", re.IGNORECASE)

SPACE = r"[\t\n\f\r ]"
ATTRIBUTE = (
    rf"[\t\n\f\r /]*+[^\t\n\f\r />][^\t\n\f\r />=]*+"
    rf"(?:{SPACE}*+=(?:{SPACE}*+(?:\"[^\"]*+(?:\"|\Z)|'[^']*+(?:'|\Z)|[^\t\n\f\r \"'>][^\t\n\f\r >]*+))?+)?+"
)
ATTRIBUTES = re.compile(ATTRIBUTE)
#: A comment or another token that is not an element; or a tag: slash, name, attributes, and the slashes before its end.
TOKEN = re.compile(
    rf"<(?:!--(?:-?>|.*?(?:--!?>|\Z))|[!?][^>]*+|/(?![a-zA-Z])[^>]*+"
    rf"|(/?)([a-zA-Z][^\t\n\f\r />]*+)((?:{ATTRIBUTE})*+)([\t\n\f\r /]*+)(?:>|\Z))",
    re.DOTALL,
)
SCRIPT_EVENT = re.compile(r"<!--|-->|<(/?)script(?=[\t\n\f\r />])", re.IGNORECASE)
RAW_END = {name: re.compile(rf"</{name}(?=[\t\n\f\r />])", re.IGNORECASE) for name in RAW - {"plaintext", "script"}}
#: The most attributes that `FORMATTING_START` reads.
MOST_USUAL = 12
# A formatting element; the second group is empty unless its attributes are few and written in the usual form.
USUAL = rf"(?:{SPACE}++[\w:-]++(?:=(?:\"[^\"<>]*+\"|'[^'<>]*+'))?+){{0,{MOST_USUAL}}}+{SPACE}*+>"
_INITIALS = "".join(sorted({name[0] for name in FORMATTING}))  # rules out most tags before the names are tried
_FORMATTING_START = rf"<(?=[{_INITIALS}])({'|'.join(sorted(FORMATTING))})(?=[\t\n\f\r />])({USUAL})?"
FORMATTING_START = re.compile(_FORMATTING_START, re.IGNORECASE | re.ASCII)
FORMATTING_START_UTF_8 = re.compile(_FORMATTING_START.encode(), re.IGNORECASE)
