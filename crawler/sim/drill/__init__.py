"""The chaos drill (`vna drill`): simulated days with faults against the fake site, then a reconciliation.

```
agency     the fake site on a real socket, and the ground truth about its articles
fields     the right value of each field of an article, and the value that the archive holds
requests   the request log of the site, and the rules that the requests must keep
service    the service: the real jobs and the real health monitor on a real archive
drill      one drill: the agency, the service and the scheduled events
scenarios  the table of fault scenarios
runner     runs the scenarios day by day, then reconciles (crawler.sim.reconcile)
```
Boundary: controls the service and the site; `crawler.sim.reconcile` decides what was lost.
"""

from crawler.sim.drill.runner import Day, DrillResult, run

__all__ = ["Day", "DrillResult", "run"]
