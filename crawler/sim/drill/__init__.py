"""Days of trouble against the double of the site, in a time of their own, and an account of what was lost: `vna drill`.

```
agency     the site on a real socket, and the truth about it
machine    the service's own jobs and watch over a real archive
stage      what happens when;  troubles: the table of what does
drill      day after day, then the account (crawler.account)
```
Boundary: driving; what was lost is for `account` to say, from the site's truth.
"""

from crawler.sim.drill.runner import Day, Outcome, run

__all__ = ["Day", "Outcome", "run"]
