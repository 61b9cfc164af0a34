"""The chaos drill (`vna drill`): days of fault scenarios against the fake site, then a reconciliation.

```
agency     the fake site on a real socket, and the ground truth about its articles
service    the service: the real jobs and the real health monitor on a real archive
drill      one drill: agency, service and the events that are due;  scenarios: the table of scenarios
runner     runs the scenarios day by day, then reconciles (crawler.sim.reconcile)
```
Boundary: drives the service and the site; `crawler.sim.reconcile` decides what was lost, from the site's ground truth.
"""

from crawler.sim.drill.runner import Day, DrillResult, run

__all__ = ["Day", "DrillResult", "run"]
