"""The service: `vna run`.

```
main thread     waits for signals and for the worker's end; tells systemd that the worker moves
scheduler       ticks: wakes the worker, and the watch
worker          owns the archive: does what rows say is due, one job after the other, polls first
watch           health to incidents, incidents to messages
endpoint        /healthz and /metrics, read from the rows at each request
```
The schedule is in rows, so a restart, a sleep or a jump of the clock loses nothing and is caught up with once.

Boundary: threads, signals, the local HTTP endpoint and systemd; what a job does is the steps' own, what is healthy is
`policy`'s.
"""

from crawler.daemon.service import Rhythm, Service

__all__ = ["Rhythm", "Service"]
