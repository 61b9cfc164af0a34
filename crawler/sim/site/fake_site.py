"""The fake site: it turns requests into responses, and has methods that change its stories and inject faults.

Boundary: opens no socket (see `server`). The time comes from the function `now` of the caller; only the request log
reads the monotonic clock. `respond` may be called from several threads.
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
from crawler.sim.site.designs import Design, check, redesigned
from crawler.sim.site.faults import FaultContext, SiteFault, faulty_response, make_fault
from crawler.sim.site.markup import iso
from crawler.sim.site.messages import HTML, SiteRequest, SiteResponse, compressed
from crawler.sim.site.page_context import PageContext
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
    """A whole fake site. Create one with `build`."""

    def __init__(self, context: PageContext) -> None:
        self._context = context
        self._lock = threading.RLock()
        self._faults: list[SiteFault] = []
        self._requests: Counter[str] = Counter()
        self._log: deque[tuple[float, str, int]] = deque(maxlen=_LOG_SIZE)
        self._design: Design | None = None
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

    @staticmethod
    def is_control(path: str) -> bool:
        """Whether the path of a request, with its query string, is that of a control endpoint."""
        place = path.partition("?")[0]
        return place == CONTROL or place.startswith(f"{CONTROL}/")

    def respond(self, request: SiteRequest) -> SiteResponse:
        """Return the response to one request, either for the site itself or for its control endpoints."""
        with self._lock:
            if self.is_control(request.path):
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
                lambda: self._regular(request),
                lambda: pages.bot_wall(self._context),
                lambda: pages.missing(self._context),
                request.path,
                self._context.now(),
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
        """Publish `n` new stories, dated now, and return their ids."""
        with self._lock:
            return self._context.world.publish(n, self._context.now())

    def plan(self, until: datetime) -> dict[int, datetime]:
        """Schedule new stories for the period from now to `until`, at the agency's usual rate.

        Return their publication times by id.
        """
        with self._lock:
            world, seed = self._context.world, self._context.seed
            slots = timeline.upcoming(self._context.now(), until, seed, set(world.ids()))
            world.plan(newsroom.assign(slot, seed) for slot in slots)
            return {slot.post_id: slot.published for slot in slots}

    def revise(self, post_id: int, title: str | None = None, text: str | None = None, *, silent: bool = False) -> Story:
        """Change a story and return it: replace its title, or insert the paragraph `text` before the last one.

        If neither is given, correct a detail in the body. If `silent` is true, the modification date stays the same.
        """
        with self._lock:
            return self._context.world.revise(post_id, self._context.now(), title, text, silent=silent)

    def edit_picture(self, post_id: int, how: str, number: int = 0) -> Story:
        """Change the picture `number` of a story, counted from 0, and return the story; `pictures.Edit` lists the edits.

        Raises:
            BadInput: there is no such story, picture or edit.

        """
        with self._lock:
            return self._context.world.edit_picture(post_id, number, how)

    def unpublish(self, post_id: int, status: int = 404) -> None:
        """Take a story offline. From now on, the response to a request for its page has the HTTP status `status`.

        The status is 404, 410, 200 (with an error page) or 302 (to the home page).

        Raises:
            BadInput: the status is none of these, or no story with this id is online.

        """
        if status not in _STATUSES:
            raise BadInput(f"invalid status {status!r}", f"choose one of {_STATUSES}")
        with self._lock:
            self._context.world.unpublish(post_id, status)

    def republish(self, post_id: int, title: str | None = None) -> Story:
        """Put a story that was taken offline back online, and return it.

        If `title` is given, change its title and slug.

        Raises:
            BadInput: the story was not taken offline.

        """
        with self._lock:
            self._context.world.republish(post_id)
            return self._context.world.revise(post_id, self._context.now(), title) if title else self.story(post_id)

    def copy(self, post_id: int) -> int:
        """Publish the text of a story again as a new story, and return the id of the new story."""
        with self._lock:
            return self._context.world.copy(post_id, self._context.now())

    def hide(self, post_id: int, lists: str = "all") -> None:
        """Remove a story from every list (`lists` is "all") or only from the sitemaps ("sitemap").

        Its page stays online.

        Raises:
            BadInput: `lists` has another value, or no story with this id is online.

        """
        if lists not in _LISTS:
            raise BadInput(f"invalid value {lists!r} for argument 'lists'", f"choose one of {_LISTS}")
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
        """Inject a fault from now on, and return it.

        If several faults match the path of a request, the oldest one applies.

        Raises:
            BadInput: an argument is invalid.

        """
        fault = make_fault(kind, path, times, seconds, form)
        self.add_fault(fault)
        return fault

    def add_fault(self, fault: SiteFault) -> None:
        """Inject a fault that was made by `make_fault` or `parse_fault`."""
        with self._lock:
            self._faults.append(fault)

    def redesign(self, kind: str = "elements", seed: int | None = None) -> Design:
        """Change the layout of all pages and return the new design; `designs` describes the kinds.

        Without a `seed`, each call makes a different layout.

        Raises:
            BadInput: the kind is unknown.

        """
        with self._lock:
            next_seed = self._design.seed + 1 if self._design else 1
            number = next_seed if seed is None else seed
            self._design = Design(check(kind), number)
            return self._design

    def clear(self) -> None:
        """Remove all faults and restore the original layout."""
        with self._lock:
            self._faults.clear()
            self._design = None

    # --- inspection -------------------------------------------------------------------------------------------------

    def story(self, post_id: int) -> Story:
        """Return a story that is online, as its editors wrote it, so that a test can compare it with the parsed page.

        Raises:
            BadInput: no story with this id is online.

        """
        with self._lock:
            return self._context.world.story(post_id)

    def ids(self) -> list[int]:
        """Return the ids of all stories that are online, oldest first."""
        with self._lock:
            self._context.world.advance(self._context.now())
            return self._context.world.ids()

    def voir_plus(self, post_id: int) -> tuple[Related, ...]:
        """Return the related stories that the page of a story currently shows under `Voir plus`."""
        with self._lock:
            return tuple(related for related, _ in self._context.related_stories(self._context.world.story(post_id)))

    def state(self, *, log: bool = True) -> dict[str, object]:
        """Return the state of the site as JSON types: stories, request counts, faults and other values.

        If `log` is true, the request log is included.
        """
        with self._lock:
            entries = self._context.world.entries()
            return {
                "articles": self._context.world.ids(),
                "gone": {str(post_id): status for post_id, status in self._context.world.gone.items()},
                "requests": dict(self._requests),
                "faults": [asdict(f) for f in self._faults],
                "sections": [asdict(s) for s in self._context.options.sections],
                "design": self._design.seed if self._design else 0,
                "design_kind": self._design.kind if self._design else None,
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
    """Return a fake site with the seed articles, their related stories, and `articles` generated stories up to now.

    A site on another host than the agency's serves its pictures itself.
    """
    options = options or Options()
    if not options.pictures_at and "vietnamplus.vn" not in base_url:
        options = replace(options, pictures_at=base_url.rstrip("/"))
    written = seeds.stories(seeds_dir, options)
    taken = {s.post_id for s in written}
    slots = [*timeline.history(options.history, seed, taken), *timeline.recent(now(), articles, seed, taken)]
    world = World(written, (newsroom.assign(slot, seed) for slot in slots), seed, options)
    return FakeSite(PageContext(base_url.rstrip("/"), world, options, now, seed))
