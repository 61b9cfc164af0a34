"""First contact: every assumption about the site, held against about thirty of its answers.

```
questions   what is asked, in order; each address may depend on the answers before it
evidence    what came back, and the readings that several checks share
hosts home sitemaps feeds pages api    the checks, by what they are about
assumptions the table: name, section of the dossier, what is expected, check
```
Boundary: pure. Asking is `pipeline.probe`'s, findings are stored by `storage`.
"""

from crawler.probe.assumptions import ASSUMPTIONS, Assumption, judge, settings, snippet
from crawler.probe.evidence import Asked, Evidence, Rules
from crawler.probe.questions import MOST_REQUESTS, QUESTIONS, Question

__all__ = [
    "ASSUMPTIONS",
    "MOST_REQUESTS",
    "QUESTIONS",
    "Asked",
    "Assumption",
    "Evidence",
    "Question",
    "Rules",
    "judge",
    "settings",
    "snippet",
]
