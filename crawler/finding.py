"""A finding of `vna probe`: one assumption about the site, and what the site showed.

Boundary: a value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

FindingVerdict = Literal["confirmed", "differs", "unknown"]


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of `vna probe` for one assumption about the site.

    `advice` says what to do about the result (empty: nothing); `adopt` contains the settings to change, such as
    `{"poll": {"add": ["/rss/une.rss"]}}`.
    """

    name: str
    dossier: str
    expected: str
    verdict: FindingVerdict
    seen: str
    advice: str = ""
    adopt: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
