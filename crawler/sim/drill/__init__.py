"""The chaos drill (`vna drill`): simulated days with faults against the fake site, then a reconciliation.

```
agency     the fake site on a real socket, and the ground truth about its articles
fields     the right value of each field of an article, and the value that the archive holds
requests   the request log of the site, and the rules that the requests must keep
power      what a power failure leaves of the archive
troubles   the table of the troubles
account    everything that was lost, by all promises that a drill checks
service    the service: the real jobs and the real health monitor on a real archive
drill      one drill: the agency, the service and the scheduled events
scenarios  the table of fault scenarios
runner     runs the scenarios day by day, then takes the account
```
Boundary: controls the service and the site; `crawler.sim.reconcile` decides what was lost.
"""

from crawler.sim.drill.runner import Day, DrillResult, run

__all__ = ["Day", "DrillResult", "run"]
