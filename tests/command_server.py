"""Runs commands in forks of one process that has imported their modules: a new interpreter takes 0.2 s of CPU time for that.

A request is JSON, with `words` and `env`, and the descriptors for stdin, stdout and stderr; the response is the exit code.
A command runs as in a new interpreter, apart from what an interpreter reads from the environment at its start, such as
`PYTHONIOENCODING`.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import runpy
import socket
import sys

_LONGEST = 1 << 17  # bytes of a request
_MODULES = ("crawler.app", "crawler.cli.main", "crawler.export", "rich.progress", "rich.table")


def serve(requests: socket.socket) -> None:
    """Fork for each request until the other end of the connection is closed; return in each child, with its streams."""
    while True:
        message, streams, _, _ = socket.recv_fds(requests, _LONGEST, 3)
        if not message:
            os._exit(0)
        child = os.fork()
        if child == 0:
            requests.close()
            _take_over(json.loads(message), streams)
            return
        for stream in streams:
            os.close(stream)
        requests.sendall(b"%d" % os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


def _take_over(request: dict, streams: list[int]) -> None:
    """Take over the words, the environment and the streams of a command."""
    sys.argv = ["vna", *request["words"]]
    os.environ.clear()
    os.environ.update(request["env"])
    for number, (name, stream) in enumerate(zip(("stdin", "stdout", "stderr"), streams, strict=True)):
        os.dup2(stream, number)
        os.close(stream)
        old = getattr(sys, name)
        buffering = 1 if name == "stderr" or os.isatty(number) else -1
        new = os.fdopen(number, old.mode, buffering, old.encoding, old.errors, closefd=False)
        setattr(sys, name, new)
        setattr(sys, f"__{name}__", new)


if __name__ == "__main__":
    for module in _MODULES:
        importlib.import_module(module)
    gc.freeze()
    serve(socket.socket(fileno=int(sys.argv[1])))
    runpy.run_module("crawler", run_name="__main__")
