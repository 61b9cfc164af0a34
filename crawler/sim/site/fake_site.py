"""The offline double of the site: a request in, a response out, and verbs that change the world behind it.

Boundary: no socket (that is `server`), no clock of its own (`now` is handed in; only the request log uses the
monotonic clock). `respond` may be called from several threads.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path

from crawler.errors import BadInput
from crawler.sim.site import control, newsroom, pages, seeds, timeline
from crawler.sim.site.faults import Fault, Scene, act, make_fault
from crawler.sim.site.markup import iso
from crawler.sim.site.messages import HTML, Request, Response, compressed
from crawler.sim.site.page_context import Site
from crawler.sim.site.redesign import redesigned
from crawler.sim.site.routes import route
from crawler.sim.site.story import Options, Story
from crawler.sim.site.world import World
from crawler.types import Related

CONTROL = "/__replica__"
Witness = Callable[[Request, Response, Fault | None], None]
_LOG_SIZE = 100_000
_STATUSES = (404, 410, 200, 302)
_LISTS = ("all", "sitemap")


class Replica:
    """A whole site. Make one with `build`."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._lock = threading.RLock()
        self._faults: list[Fault] = []
        self._requests: Counter[str] = Counter()
        self._log: deque[tuple[float, str, int]] = deque(maxlen=_LOG_SIZE)
        self._design = 0
        #: is told of each answer to a reader, and of the trouble that made it; for whoever keeps account of what was shown
        self.witness: Witness = lambda *_: None

    # --- answering --------------------------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        """The root of the site, without a slash at its end."""
        return self._site.base

    @property
    def control(self) -> str:
        """The root of the control endpoints."""
        return self._site.base + CONTROL

    def respond(self, request: Request) -> Response:
        """Answer one request."""
        with self._lock:
            if request.path == CONTROL or request.path.startswith(f"{CONTROL}/"):
                return control.respond(self, request, CONTROL)
            arrived = time.monotonic()
            self._site.world.advance(self._site.now())
            response = self._respond(request)
            self._requests[request.path] += 1
            self._log.append((arrived, request.path, response.status))
            return response

    def _respond(self, request: Request) -> Response:
        fault = self._hit(request.path)
        if fault is None:
            response = self._regular(request)
        else:
            scene = Scene(lambda: self._regular(request), lambda: pages.blocked(self._site), self._site.now())
            response = act(fault, scene)
        self.witness(request, response, fault)
        return response

    def _hit(self, path: str) -> Fault | None:
        for n, fault in enumerate(self._faults):
            if fault.hits(path):
                left = fault.spent()
                self._faults[n : n + 1] = [left] if left else []
                return fault
        return None

    def _regular(self, request: Request) -> Response:
        response = route(self._site, request)
        if self._design and response.header("Content-Type") == HTML and response.body:
            html = redesigned(response.body.decode(), self._design)
            response = replace(response, body=html.encode())
        return compressed(response, request)

    # --- verbs ------------------------------------------------------------------------------------------------------

    def publish(self, n: int = 1) -> list[int]:
        """Put new stories online, dated now; give their ids."""
        with self._lock:
            return self._site.world.publish(n, self._site.now())

    def plan(self, until: datetime) -> dict[int, datetime]:
        """Let stories come online in the agency's own rhythm until then; give their ids and instants."""
        with self._lock:
            world, seed = self._site.world, self._site.seed
            slots = timeline.coming(self._site.now(), until, seed, set(world.ids()))
            world.plan(newsroom.assign(slot, seed) for slot in slots)
            return {slot.post_id: slot.published for slot in slots}

    def revise(self, post_id: int, title: str | None = None, text: str | None = None, *, silent: bool = False) -> Story:
        """Change a story: its title, one paragraph more before the last, or (with neither) a correction.

        `silent`: its date of modification stays as it was.
        """
        with self._lock:
            return self._site.world.revise(post_id, self._site.now(), title, text, silent=silent)

    def unpublish(self, post_id: int, status: int = 404) -> None:
        """Take a story offline: 404, 410, 200 (a page that says so politely) or 302 (to the home page)."""
        if status not in _STATUSES:
            raise BadInput(f"bad status {status!r}", f"a removed page answers with one of {_STATUSES}")
        with self._lock:
            self._site.world.unpublish(post_id, status)

    def republish(self, post_id: int, title: str | None = None) -> Story:
        """Put a story that was taken offline back to its place, under another title and slug if one is given."""
        with self._lock:
            self._site.world.republish(post_id)
            return self._site.world.revise(post_id, self._site.now(), title) if title else self.story(post_id)

    def copy(self, post_id: int) -> int:
        """Publish the same text once more, as a story of its own; give its id."""
        with self._lock:
            return self._site.world.copy(post_id, self._site.now())

    def hide(self, post_id: int, lists: str = "all") -> None:
        """Leave a story out of the lists ("all") or of the sitemaps alone ("sitemap"); its page stays."""
        if lists not in _LISTS:
            raise BadInput(f"bad lists {lists!r}", f"a story is hidden from one of {_LISTS}")
        with self._lock:
            self._site.world.hide(post_id, everywhere=lists == "all")

    def fault(
        self,
        kind: str,
        path: str | None = None,
        times: int | None = None,
        seconds: float | None = None,
        form: str = "seconds",
    ) -> Fault:
        """Have a trouble from now on; the oldest that is about a path comes first."""
        fault = make_fault(kind, path, times, seconds, form)
        self.add_fault(fault)
        return fault

    def add_fault(self, fault: Fault) -> None:
        """Have a trouble that `parse_fault` read."""
        with self._lock:
            self._faults.append(fault)

    def redesign(self) -> int:
        """Change the whole layout; each call makes another one. Gives its number."""
        with self._lock:
            self._design += 1
            return self._design

    def clear(self) -> None:
        """End all troubles and give the old layout back."""
        with self._lock:
            self._faults.clear()
            self._design = 0

    # --- looking in -------------------------------------------------------------------------------------------------

    def story(self, post_id: int) -> Story:
        """Give a story that is online: the truth that a reading of its page can be held against."""
        with self._lock:
            return self._site.world.story(post_id)

    def ids(self) -> list[int]:
        """Give the ids of all stories that are online, oldest first."""
        with self._lock:
            self._site.world.advance(self._site.now())
            return self._site.world.ids()

    def voir_plus(self, post_id: int) -> tuple[Related, ...]:
        """Give what the page shows under `Voir plus` at this moment."""
        with self._lock:
            return tuple(related for related, _ in self._site.under(self._site.world.story(post_id)))

    def state(self, *, log: bool = True) -> dict[str, object]:
        """Give what goes on, in JSON types."""
        with self._lock:
            entries = self._site.world.entries()
            return {
                "articles": self._site.world.ids(),
                "gone": {str(post_id): status for post_id, status in self._site.world.gone.items()},
                "requests": dict(self._requests),
                "faults": [asdict(f) for f in self._faults],
                "sections": [asdict(s) for s in self._site.options.sections],
                "design": self._design,
                "times": {
                    "now": iso(self._site.now()),
                    "oldest": iso(entries[0].published) if entries else None,
                    "newest": iso(entries[-1].published) if entries else None,
                },
                "log": [list(line) for line in self._log] if log else [],
            }


def build(
    base_url: str,
    *,
    seeds_dir: Path,
    now: Callable[[], datetime],
    articles: int = 0,
    seed: int = 0,
    options: Options | None = None,
) -> Replica:
    """Make a replica: the seeds, the stories under them, and `articles` generated ones up to now."""
    options = options or Options()
    written = seeds.stories(seeds_dir, options)
    taken = {s.post_id for s in written}
    slots = [*timeline.history(options.history, seed, taken), *timeline.recent(now(), articles, seed, taken)]
    world = World(written, (newsroom.assign(slot, seed) for slot in slots), seed, options)
    return Replica(Site(base_url.rstrip("/"), world, options, now, seed))
