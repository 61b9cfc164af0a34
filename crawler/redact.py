"""Replace passwords and tokens in messages by `***`, in malformed addresses, too.

Two kinds are found: what looks like credentials in any text (user information in an address, headers of authentication,
parameters such as `token=`), and the known secrets of the configuration and the environment, wherever they appear. In
doubt, more is replaced than necessary: an e-mail address after a colon, for example.

Boundary: strings in, strings out. `errors`, `logs`, `alerts` and `cli.streams` call it.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote

MARK = "***"
_MIN_SECRET = 6  # characters: redacting shorter parts would remove ordinary words
_MIN_PASSWORD = 4  # the same for a whole password
_AT = "@\uff20\ufe6b"  # and its compatibility forms, which appear in messages about invalid addresses
_COLON = ":\uff1a\ufe55"
_NO_PORT = r"(?!\d{1,5}(?:[/?#:\s\\\"'),;\]]|$))"
_EXAMPLE = "(?!user:password@your)"  # the address in the hints about the configuration
#: Patterns with the part that stays in front of the secret, and what follows it.
_PATTERNS = tuple(
    (re.compile(pattern, re.IGNORECASE), shown)
    for pattern, shown in (
        # the user information of an address: up to the last @ before its path
        (rf"([{_COLON}][/\\]{{2,8}}){_EXAMPLE}[^/?#\s\\]*[{_AT}]", rf"\1{MARK}@"),
        # what follows the colon is not a port: a password with unencoded characters such as / ? # or spaces
        (
            (
                rf"([{_COLON}][/\\]{{2,8}}){_EXAMPLE}[^/?#\s\\{_COLON}\[]{{0,200}}[{_COLON}]{_NO_PORT}(?=\S)"
                rf"(?:[^\s{_AT}]{{0,200}}[{_AT}])*[^{_AT}]{{0,200}}[{_AT}](?:[^\s{_AT}]{{0,200}}[{_AT}])*"
            ),
            rf"\1{MARK}@",
        ),
        # what precedes the number is not a host name, because it has no dot: a password that starts like a port
        (
            rf"([{_COLON}][/\\]{{2,8}})[^/?#\s\\.{_COLON}\[]{{1,200}}:\d{{1,5}}[/?#][^\s{_AT}]{{0,200}}[{_AT}]",
            rf"\1{MARK}@",
        ),
        # no scheme or no slashes: user:password@host, mailto:user:password@host, //user:password@host
        (
            (
                rf"(?<![^\s\"'(<>=,\[{{])[^\s{_COLON}{_AT}\"'(<>=,\[{{]{{1,200}}[{_COLON}](?![/\\]{{2}}){_NO_PORT}"
                rf"[^\s{_AT}]{{0,200}}[{_AT}](?:[^\s{_AT}]{{0,200}}[{_AT}])*"
            ),
            f"{MARK}@",
        ),
        # an address inside of another one
        (r"(%3a%2f%2f)[^\s/&]{0,400}?%40", rf"\1{MARK}%40"),
        (
            r"(\b(?:authorization|cookie)\b[\"']?\s?[:=,]\s?(?:b?[\"'])?)(?=\S)(?:digest\s[^\n]+|[^\n\"']+)",
            rf"\1{MARK}",
        ),
        (r"(\bauth (?:plain|login|cram-md5|xoauth2)\s+)\S+", rf"\1{MARK}"),
        (
            (
                r"([?&;](?:pass|passwd|password|pwd|token|secret|api_?key|access_?token|auth)=)"
                r"[^\s&;#\"']+"
            ),
            rf"\1{MARK}",
        ),
    )
)
_PART = re.compile(r"[^:/?&=@+\s]+")


def redacted(text: str, secrets: Iterable[str] = ()) -> str:
    """Return a text without credentials and without the given secrets."""
    for secret in sorted(filter(None, secrets), key=len, reverse=True):  # a secret may be part of a longer one
        text = text.replace(secret, MARK)
    for pattern, shown in _PATTERNS:
        text = pattern.sub(shown, text)
    return text


def in_values(value: Any) -> Any:
    """Return a JSON value in which each text is redacted."""
    if isinstance(value, str):
        return redacted(value)
    if isinstance(value, dict):
        return {key: in_values(part) for key, part in value.items()}
    return [in_values(part) for part in value] if isinstance(value, list | tuple) else value


def secrets_of(address: str, *, host: str | None) -> set[str]:
    """Return the texts to redact of an address that contains credentials: the address, its parts and its password.

    `host` is the part that is not secret; None if each part may be a token. Parts of fewer than six characters are left
    out, because redacting them would remove ordinary words; a whole password has at least four.
    """
    rest = address.partition("://")[2] or address
    parts = {*_PART.findall(rest), *_PART.findall(unquote(rest))}
    found = {address} | {part for part in parts if len(part) >= _MIN_SECRET and part != host}
    for form in (rest, unquote(rest)):
        for at in re.finditer("@", form):  # the password may contain an @ itself
            user = form[: at.start()]
            password = user.partition(":")[2]
            if len(password) >= _MIN_PASSWORD:
                found |= {password, b64encode(user.encode("utf-8", "replace")).decode()}
    return found
