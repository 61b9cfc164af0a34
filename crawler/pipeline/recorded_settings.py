"""The settings of a run as they are recorded in its WARC files, so that a replay does not depend on the present ones.

Boundary: values and texts; `warc` writes and reads the text.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

from crawler.pipeline.run import Run, RunSettings
from crawler.site import Site


def settings_text(settings: RunSettings, site: Site) -> str:
    """Return the settings on which rows depend as JSON in one line, with ASCII characters only.

    The number of requests by id in a day is left out: it decides which requests are made, not what follows from them.
    """
    values = {
        "root": site.root,
        "api": list(site.api),
        "list_pages": settings.list_pages,
        "floor": settings.min_interval.total_seconds(),
        "ceiling": settings.max_interval.total_seconds(),
        "articles_per_poll": settings.articles_per_poll,
        "add": list(settings.add),
        "exclude": list(settings.exclude),
        "names": dict(settings.names),
        "reads_on_for_any": settings.reads_on_for_any,
    }
    return json.dumps(values, sort_keys=True, separators=(",", ":"))


def with_settings(run: Run, text: str) -> Run:
    """Return a copy of a run with recorded settings, and with what versions did that did not record a setting.

    The configured settings stay in force if nothing readable is recorded. Versions before the field `vna-settings`
    recorded none.
    """
    run = replace(run, settings=replace(run.settings, reads_on_for_any=True))
    try:
        values = json.loads(text)
        settings = replace(
            run.settings,
            list_pages=int(values["list_pages"]),
            min_interval=timedelta(seconds=float(values["floor"])),
            max_interval=timedelta(seconds=float(values["ceiling"])),
            articles_per_poll=float(values.get("articles_per_poll", 1)),
            reads_on_for_any=bool(values.get("reads_on_for_any", True)),
            add=tuple(map(str, values["add"])),
            exclude=tuple(map(str, values["exclude"])),
            names={str(path): str(name) for path, name in values["names"].items()},
        )
        site = Site(str(values["root"]), tuple(map(str, values["api"])))
    except (ValueError, TypeError, LookupError, AttributeError, OverflowError):
        return run
    return replace(run, settings=settings, site=site)
