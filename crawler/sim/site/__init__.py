"""An offline fake site that stands in for the agency's site in the demo, the tests, the drills and the benchmarks.

Boundary: based on the site dossier; uses only the value types, errors and seed format of the crawler. It must not know
how the crawler parses pages: otherwise a test would only show that the crawler agrees with itself.

    with serve(lambda url: build(url, seeds_dir=Path("seeds"), articles=300, now=now)) as site:
        ...  # site.url, site.control, site.fake_site
"""

from crawler.sim.site.fake_site import CONTROL, FakeSite, build
from crawler.sim.site.faults import SiteFault, make_fault, parse_fault
from crawler.sim.site.messages import SiteRequest, SiteResponse
from crawler.sim.site.server import Serving, serve
from crawler.sim.site.story import SECTIONS, Options, Section, Story

__all__ = [
    "CONTROL",
    "SECTIONS",
    "FakeSite",
    "Options",
    "Section",
    "Serving",
    "SiteFault",
    "SiteRequest",
    "SiteResponse",
    "Story",
    "build",
    "make_fault",
    "parse_fault",
    "serve",
]
