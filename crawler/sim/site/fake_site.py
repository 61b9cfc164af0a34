"""The fake site: it turns requests into responses, and has methods that change its stories and inject faults.

Boundary: no socket (see `server`) and no clock: the caller passes `now`, only the request log reads the monotonic
clock. `respond` may be called from several threads.
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
from crawler.sim.site.faults import FaultContext, SiteFault, faulty_response, make_fault
from crawler.sim.site.markup import iso
from crawler.sim.site.messages import HTML, SiteRequest, SiteResponse, compressed
from crawler.sim.site.page_context import PageContext
from crawler.sim.site.redesign import redesigned
from crawler.sim.site.routes import route
from crawler.sim.site.story import Options, Story
from crawler.sim.site.world import World
from crawler.types import Related

CONTROL = "/__replica__"
Observer = Callable[[SiteRequest, SiteResponse, SiteFault | None], None]
_LOG_SIZE = 100_000
_STATUSES = (404, 410, 200, 302)
_LISTS = ("all", "sitemap")


class FakeSite:
    """A whole site. Create one with `build`."""

    def __init__(self, context: PageContext) -> None:
        self._context = context
        self._lock = threading.RLock()
        self._faults: list[SiteFault] = []
        self._requests: Counter[str] = Counter()
        self._log: deque[tuple[float, str, int]] = deque(maxlen=_LOG_SIZE)
        self._design = 0
        #: Called with every request of a reader, its response and the fault that produced it, if any. The drill uses it
        #: to record what readers were shown.
        self.observer: Observer = lambda *_: None

    # --- responding -------------------------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        """The root URL of the site, without a final slash."""
        return self._context.base

    @property
    def control(self) -> str:
        """The root URL of the control endpoints."""
        return self._context.base + CONTROL

    def respond(self, request: SiteRequest) -> SiteResponse:
        """Return the response to one request, of a reader or to the control endpoints."""
        with self._lock:
            if request.path == CONTROL or request.path.startswith(f"{CONTROL}/"):
                return control.respond(self, request, CONTROL)
            arrived = time.monotonic()
            self._context.world.advance(self._context.now())
            response = self._respond(request)
            self._requests[request.path] += 1
            self._log.append((arrived, request.path, response.status))
            return response

    def _respond(self, request: SiteRequest) -> SiteResponse:
        fault = self._next_fault(request.path)
        if fault is None:
            response = self._regular(request)
        else:
            fault_context = FaultContext(
                lambda: self._regular(request), lambda: pages.bot_wall(self._context), self._context.now()
            )
            response = faulty_response(fault, fault_context)
        self.observer(request, response, fault)
        return response

    def _next_fault(self, path: str) -> SiteFault | None:
        for n, fault in enumerate(self._faults):
            if fault.applies_to(path):
                remaining = fault.after_use()
                self._faults[n : n + 1] = [remaining] if remaining else []
                return fault
        return None

    def _regular(self, request: SiteRequest) -> SiteResponse:
        response = route(self._context, request)
        if self._design and response.header("Content-Type") == HTML and response.body:
            html = redesigned(response.body.decode(), self._design)
            response = replace(response, body=html.encode())
        return compressed(response, request)

    # --- actions ----------------------------------------------------------------------------------------------------

    def publish(self, n: int = 1) -> list[int]:
        """Publish `n` new stories, dated now; return their ids."""
        with self._lock:
            return self._context.world.publish(n, self._context.now())

    def plan(self, until: datetime) -> dict[int, datetime]:
        """Schedule stories until a given time at the agency's usual rate; return their ids and publication times."""
        with self._lock:
            world, seed = self._context.world, self._context.seed
            slots = timeline.upcoming(self._context.now(), until, seed, set(world.ids()))
            world.plan(newsroom.assign(slot, seed) for slot in slots)
            return {slot.post_id: slot.published for slot in slots}

    def revise(self, post_id: int, title: str | None = None, text: str | None = None, *, silent: bool = False) -> Story:
        """Change a story: set its title, insert `text` before the last paragraph, or (with neither) correct its body.

        `silent`: leave its modification date unchanged.
        """
        with self._lock:
            return self._context.world.revise(post_id, self._context.now(), title, text, silent=silent)

    def unpublish(self, post_id: int, status: int = 404) -> None:
        """Take a story offline. `status` is that of its page: 404, 410, 200 (an error page) or 302 (to the home page).

        Raises:
            BadInput: another status, or no such story is online.

        """
        if status not in _STATUSES:
            raise BadInput(f"invalid status {status!r}", f"choose one of {_STATUSES}")
        with self._lock:
            self._context.world.unpublish(post_id, status)

    def republish(self, post_id: int, title: str | None = None) -> Story:
        """Put a story that was taken offline back online, under another title and slug if one is given.

        Raises:
            BadInput: the story was not taken offline.

        """
        with self._lock:
            self._context.world.republish(post_id)
            return self._context.world.revise(post_id, self._context.now(), title) if title else self.story(post_id)

    def copy(self, post_id: int) -> int:
        """Publish the text of a story again as a new story; return the new id."""
        with self._lock:
            return self._context.world.copy(post_id, self._context.now())

    def hide(self, post_id: int, lists: str = "all") -> None:
        """Remove a story from every list ("all") or only from the sitemaps ("sitemap"); its page stays online.

        Raises:
            BadInput: another value of `lists`, or no such story is online.

        """
        if lists not in _LISTS:
            raise BadInput(f"invalid lists {lists!r}", f"choose one of {_LISTS}")
        with self._lock:
            self._context.world.hide(post_id, everywhere=lists == "all")

    def fault(
        self,
        kind: str,
        path: str | None = None,
        times: int | None = None,
        seconds: float | None = None,
        form: str = "seconds",
    ) -> SiteFault:
        """Inject a fault from now on. If several match a path, the oldest applies.

        Raises:
            BadInput: an argument is invalid.

        """
        fault = make_fault(kind, path, times, seconds, form)
        self.add_fault(fault)
        return fault

    def add_fault(self, fault: SiteFault) -> None:
        """Inject a fault made by `make_fault` or `parse_fault`."""
        with self._lock:
            self._faults.append(fault)

    def redesign(self) -> int:
        """Change the whole page layout; each call produces a new one. Return its number."""
        with self._lock:
            self._design += 1
            return self._design

    def clear(self) -> None:
        """Remove all faults and restore the original layout."""
        with self._lock:
            self._faults.clear()
            self._design = 0

    # --- inspection -------------------------------------------------------------------------------------------------

    def story(self, post_id: int) -> Story:
        """Return a story that is online, as written: tests compare the parsed page with it.

        Raises:
            BadInput: no such story is online.

        """
        with self._lock:
            return self._context.world.story(post_id)

    def ids(self) -> list[int]:
        """Return the ids of all stories that are online, oldest first."""
        with self._lock:
            self._context.world.advance(self._context.now())
            return self._context.world.ids()

    def voir_plus(self, post_id: int) -> tuple[Related, ...]:
        """Return what the story's page currently shows under `Voir plus`."""
        with self._lock:
            return tuple(related for related, _ in self._context.related_stories(self._context.world.story(post_id)))

    def state(self, *, log: bool = True) -> dict[str, object]:
        """Return stories, request counts, faults and the request log as JSON types."""
        with self._lock:
            entries = self._context.world.entries()
            return {
                "articles": self._context.world.ids(),
                "gone": {str(post_id): status for post_id, status in self._context.world.gone.items()},
                "requests": dict(self._requests),
                "faults": [asdict(f) for f in self._faults],
                "sections": [asdict(s) for s in self._context.options.sections],
                "design": self._design,
                "times": {
                    "now": iso(self._context.now()),
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
) -> FakeSite:
    """Return a fake site with the seeds, the stories related to them, and `articles` generated stories up to now."""
    options = options or Options()
    written = seeds.stories(seeds_dir, options)
    taken = {s.post_id for s in written}
    slots = [*timeline.history(options.history, seed, taken), *timeline.recent(now(), articles, seed, taken)]
    world = World(written, (newsroom.assign(slot, seed) for slot in slots), seed, options)
    return FakeSite(PageContext(base_url.rstrip("/"), world, options, now, seed))
