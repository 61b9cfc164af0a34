"""The texts of the configuration and the environment that no message may contain.

Boundary: finds the texts; `logs` and `cli.streams` redact them.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from crawler import alerts, proxies
from crawler.config import Config


def secrets(config: Config, environ: Mapping[str, str] = os.environ) -> set[str]:
    """Return the parts of the alert recipients, and the passwords of proxies."""
    return alerts.secrets(config.alerts) | proxies.proxy_secrets(environ)
