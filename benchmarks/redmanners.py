"""How the service's endpoint takes what no monitor should do; see `red`."""

from __future__ import annotations

import os
import re
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack

from prometheus_client.core import Metric
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.redstage import Stage, curl

BOUNDED = {"state", "kind", "job", "status", "le"}  # labels of few values
SILENT = 20
PATIENCE = 25.0  # seconds until they must be gone


def manners(stage: Stage) -> bool:
    """Print how it answers to each; False when one of them is not as it should be."""
    host, _, port = stage.url.rpartition("/")[2].rpartition(":")
    head = curl(f"{stage.url}/healthz", "--head")
    post = curl(f"{stage.url}/healthz", "--request", "POST", "--data", "x=1")
    nowhere = curl(f"{stage.url}/nowhere")
    checks = {
        f"curl --head /healthz: {head.status}": head.status == 200,
        f"curl --request POST /healthz: {post.status}": post.status == 405 and "allow:" in post.headers.lower(),
        f"curl /nowhere: {nowhere.status}, {nowhere.body.strip()!r}": nowhere.status == 404,
        **conventions(curl(f"{stage.url}/metrics").body),
        **silent(stage, host, int(port)),
    }
    for words, good in checks.items():
        print(f"{words}{'' if good else '   NOT as it should be'}")
    return all(checks.values())


def conventions(page: str) -> dict[str, bool]:
    """Hold the page of metrics against what Prometheus asks of names, units, words and labels."""
    families = list(text_string_to_metric_families(page))
    samples = [sample for family in families for sample in family.samples]
    wrong = [words for family in families for words in faults(family)]
    counts = f"{len(families)} metrics in {len(samples)} samples"
    return {f"/metrics: {counts}, faults: {', '.join(wrong) or 'none'}": not wrong and len(samples) < 200}


def faults(family: Metric) -> Iterator[str]:
    name, labels = family.name, {label for sample in family.samples for label in sample.labels}
    if not (family.documentation and family.type != "unknown"):
        yield f"{name} has no HELP or TYPE"
    if not re.fullmatch(r"(vna|process)(_[a-z]+)+", name) or re.search(
        r"_(ms|kb|mb|gb|percent|minutes|hours|days)\b", name
    ):
        yield f"{name} is no name"
    if family.type != "counter" and name.endswith("_total"):
        yield f"{name} is no counter"
    if not labels <= BOUNDED:
        yield f"{name} has labels {labels - BOUNDED}"


def silent(stage: Stage, host: str, port: int) -> dict[str, bool]:
    """Connect, say nothing (half of them: a letter now and then), and see whether others are answered meanwhile."""
    before = most(stage.child.pid)
    with ExitStack() as parts:
        clients = [parts.enter_context(socket.create_connection((host, port))) for _ in range(SILENT)]
        time.sleep(0.5)
        during = taken(stage.child.pid)
        answer = curl(f"{stage.url}/healthz")
        end = time.monotonic() + PATIENCE
        while not fewer(taken(stage.child.pid), before) and time.monotonic() < end:
            for client in clients[::2]:
                drip(client)
            time.sleep(1)
        after = taken(stage.child.pid)
    return {
        f"beside {SILENT} clients that say nothing: {answer.status} in {answer.seconds * 1000:.0f} ms": bool(
            answer.status
        ),
        f"threads and descriptors before, with them, behind them: {before}, {during}, {after}": fewer(after, before),
    }


def drip(client: socket.socket) -> None:
    try:
        client.send(b"G")
    except OSError:  # it has been sent away
        return


def fewer(some: tuple[int, int], others: tuple[int, int]) -> bool:
    return all(one <= other for one, other in zip(some, others, strict=True))


def most(pid: int) -> tuple[int, int]:
    """Count for a while: the watch and the worker open files now and then."""
    counts = []
    for _ in range(20):
        counts.append(taken(pid))
        time.sleep(0.1)
    return max(threads for threads, _ in counts), max(descriptors for _, descriptors in counts)


def taken(pid: int) -> tuple[int, int]:
    """Count a process's threads and descriptors."""
    return len(os.listdir(f"/proc/{pid}/task")), len(os.listdir(f"/proc/{pid}/fd"))  # noqa: PTH208 - counts
