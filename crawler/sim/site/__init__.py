"""An offline double of the site, for the demo, the tests, the drills and the benchmarks.

Boundary: knows the site dossier and nothing of the crawler but its values, errors and seed format. In particular it
must not know how the crawler reads pages: it would only prove that the crawler agrees with itself.

    with serve(lambda url: build(url, seeds_dir=Path("seeds"), articles=300, now=now)) as site:
        ...  # site.url, site.control, site.replica
"""

from crawler.sim.site.fake_site import CONTROL, Replica, build
from crawler.sim.site.faults import Fault, make_fault, parse_fault
from crawler.sim.site.messages import Request, Response
from crawler.sim.site.server import Serving, serve
from crawler.sim.site.story import SECTIONS, Options, Section, Story

__all__ = [
    "CONTROL",
    "SECTIONS",
    "Fault",
    "Options",
    "Replica",
    "Request",
    "Response",
    "Section",
    "Serving",
    "Story",
    "build",
    "make_fault",
    "parse_fault",
    "serve",
]
