"""Check how the service's endpoint handles unusual requests and slow clients; used by `red`."""

from __future__ import annotations

import os
import re
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack

from prometheus_client.core import Metric
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.health_test_bed import TestBed, curl

BOUNDED = {"state", "kind", "job", "status", "le"}  # labels with few possible values
CLIENTS = 20
TIMEOUT = 25.0  # seconds after which the endpoint must have closed silent connections


def check_endpoint(bed: TestBed) -> bool:
    """Print the result of each check; return False if one failed."""
    host, _, port = bed.url.rpartition("/")[2].rpartition(":")
    head = curl(f"{bed.url}/healthz", "--head")
    post = curl(f"{bed.url}/healthz", "--request", "POST", "--data", "x=1")
    nowhere = curl(f"{bed.url}/nowhere")
    checks = {
        f"curl --head /healthz: {head.status}": head.status == 200,
        f"curl --request POST /healthz: {post.status}": post.status == 405 and "allow:" in post.headers.lower(),
        f"curl /nowhere: {nowhere.status}, {nowhere.body.strip()!r}": nowhere.status == 404,
        **check_metrics(curl(f"{bed.url}/metrics").body),
        **check_silent_clients(bed, host, int(port)),
    }
    for result, good in checks.items():
        print(f"{result}{'' if good else '   FAILED'}")
    return all(checks.values())


def check_metrics(page: str) -> dict[str, bool]:
    """Check names, units, help texts and labels against the conventions of Prometheus."""
    families = list(text_string_to_metric_families(page))
    samples = [sample for family in families for sample in family.samples]
    wrong = [fault for family in families for fault in faults(family)]
    counts = f"{len(families)} metrics in {len(samples)} samples"
    return {f"/metrics: {counts}, faults: {', '.join(wrong) or 'none'}": not wrong and len(samples) < 200}


def faults(family: Metric) -> Iterator[str]:
    name, labels = family.name, {label for sample in family.samples for label in sample.labels}
    if not (family.documentation and family.type != "unknown"):
        yield f"{name} has no HELP or TYPE"
    if not re.fullmatch(r"(vna|process)(_[a-z]+)+", name) or re.search(
        r"_(ms|kb|mb|gb|percent|minutes|hours|days)\b", name
    ):
        yield f"{name} is not a conventional name"
    if family.type != "counter" and name.endswith("_total"):
        yield f"{name} is not a counter"
    if not labels <= BOUNDED:
        yield f"{name} has labels {labels - BOUNDED}"


def check_silent_clients(bed: TestBed, host: str, port: int) -> dict[str, bool]:
    """Connect clients that send nothing, or one byte per second, and check that others still get responses."""
    before = peak_usage(bed.child.pid)
    with ExitStack() as parts:
        clients = [parts.enter_context(socket.create_connection((host, port))) for _ in range(CLIENTS)]
        time.sleep(0.5)
        during = usage(bed.child.pid)
        response = curl(f"{bed.url}/healthz")
        end = time.monotonic() + TIMEOUT
        while not at_most(usage(bed.child.pid), before) and time.monotonic() < end:
            for client in clients[::2]:
                send_byte(client)
            time.sleep(1)
        after = usage(bed.child.pid)
    return {
        f"with {CLIENTS} silent clients: {response.status} in {response.seconds * 1000:.0f} ms": bool(response.status),
        f"threads and descriptors before, during and after: {before}, {during}, {after}": at_most(after, before),
    }


def send_byte(client: socket.socket) -> None:
    try:
        client.send(b"G")
    except OSError:  # the endpoint closed the connection
        return


def at_most(some: tuple[int, int], others: tuple[int, int]) -> bool:
    return all(one <= other for one, other in zip(some, others, strict=True))


def peak_usage(pid: int) -> tuple[int, int]:
    """Return the peak usage within two seconds: the service's threads open files from time to time."""
    counts = []
    for _ in range(20):
        counts.append(usage(pid))
        time.sleep(0.1)
    return max(threads for threads, _ in counts), max(descriptors for _, descriptors in counts)


def usage(pid: int) -> tuple[int, int]:
    """Return the number of threads and of file descriptors of a process."""
    return len(os.listdir(f"/proc/{pid}/task")), len(os.listdir(f"/proc/{pid}/fd"))  # noqa: PTH208 - counts
