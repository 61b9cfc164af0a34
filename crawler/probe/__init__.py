"""Probe the site: check every assumption that the code makes about the site, with about 40 requests.

```
questions     the requests in order; an address may depend on earlier responses
evidence      the responses, and the parsed lists and articles that several checks share
assumptions   the table of assumptions: name, dossier section, expectation, check
```
The modules `hosts`, `home`, `sitemaps`, `feeds`, `pages` and `api` contain the checks, by subject.

Boundary: pure. `pipeline.probe` sends the requests, and `storage` stores the findings.
"""

from crawler.probe.assumptions import ASSUMPTIONS, Assumption, judge, settings, snippet
from crawler.probe.evidence import ProbeEvidence, ProbeResponse, Rules
from crawler.probe.questions import MOST_REQUESTS, QUESTIONS, Question

__all__ = [
    "ASSUMPTIONS",
    "MOST_REQUESTS",
    "QUESTIONS",
    "Assumption",
    "ProbeEvidence",
    "ProbeResponse",
    "Question",
    "Rules",
    "judge",
    "settings",
    "snippet",
]
