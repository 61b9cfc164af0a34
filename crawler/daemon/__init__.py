"""The service: `vna run`.

```
main thread     waits for signals and for the end of the worker; reports the worker's heartbeat to systemd
scheduler       fires at fixed intervals: wakes the worker, runs the health monitor
worker          keeps the archive open and locked; runs due jobs one after the other, polls first
health monitor  turns failing conditions into incidents, and incidents into alerts
endpoint        serves /healthz and /metrics, computed from the database at each request
```
The row of each source, page and job stores when it is due again (`next_due_at`). So after a restart, a suspension of
the machine or a change of the system clock, all overdue work is done once, and nothing is lost.

Boundary: threads, signals, the local HTTP endpoint and systemd. Other packages do the work of the jobs; `health`
decides what is healthy.
"""

from crawler.daemon.service import Intervals, Service

__all__ = ["Intervals", "Service"]
