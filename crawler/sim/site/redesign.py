"""Simulate a redesign: all class names, ids and container elements change, but not the metadata in the head.

Boundary: HTML text in, HTML text out.
"""

from __future__ import annotations

import re
import zlib

_BODY = re.compile(r"<body\b.*</body>", re.DOTALL)
_SCRIPT = re.compile(r"(<script\b.*?</script>|<!--.*?-->)", re.DOTALL)
_TAG = re.compile(r"<(/?)([a-z][a-z0-9]*)((?:\s[^<>]*)?)>")
_NAMED = re.compile(r'(\s)(class|id)="([^"]*)"')
_CONTAINERS = {
    "h1": "div",
    "h2": "div",
    "h3": "div",
    "article": "li",
    "figure": "section",
    "figcaption": "small",
    "header": "section",
    "footer": "section",
    "nav": "div",
    "table": "div",
    "tbody": "div",
    "tr": "div",
    "td": "div",
    "time": "span",
}


def redesigned(html: str, generation: int) -> str:
    """Return a page whose body has design number `generation`; number 0 is the design in the site dossier."""
    if generation == 0:
        return html
    return _BODY.sub(lambda match: _body(match[0], generation), html, count=1) if "<body" in html else html


def _body(html: str, generation: int) -> str:
    parts = _SCRIPT.split(html)  # the odd parts are scripts and comments
    return "".join(part if n % 2 else _tags(part, generation) for n, part in enumerate(parts))


def _tags(html: str, generation: int) -> str:
    def tag(match: re.Match[str]) -> str:
        slash, name, attributes = match.groups()
        return f"<{slash}{_CONTAINERS.get(name, name)}{_attributes(attributes, generation)}>"

    return _TAG.sub(tag, html)


def _attributes(attributes: str, generation: int) -> str:
    if "=" not in attributes:
        return attributes
    for old, new in (("itemprop=", "data-prop="), ("data-src=", "data-lazy="), ("datetime=", "data-when=")):
        attributes = attributes.replace(f" {old}", f" {new}")
    attributes = attributes.replace(' align="justify"', "").replace(" data-time=", " data-epoch=")
    return _NAMED.sub(lambda m: f'{m[1]}{m[2]}="{_names(m[3], generation)}"', attributes)


def _names(names: str, generation: int) -> str:
    return " ".join(f"v{generation}-{zlib.crc32(f'{generation}/{n}'.encode()):08x}" for n in names.split())
