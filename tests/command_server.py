"""Runs commands in forks of one process that has imported their modules: a new interpreter takes 0.2 s of CPU time for that.

A request is JSON, with `words`, `env` and `cwd`, and four descriptors: stdin, stdout, stderr, and a socket for the report.
The report is the pid of the command, and when it has ended, its exit code; it is negative if a signal ended the command.
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
from contextlib import suppress

_LONGEST = 1 << 17  # bytes of a request
_MODULES = ("crawler.app", "crawler.collect", "crawler.cli.main", "crawler.export", "rich.progress", "rich.table")


def serve(requests: socket.socket) -> None:
    """Fork for each request until the other end of the connection is closed; return in each command, with its streams."""
    while True:
        message, descriptors, _, _ = socket.recv_fds(requests, _LONGEST, 4)
        if not message:
            os._exit(0)
        if os.fork() == 0:
            requests.close()
            _run(json.loads(message), *descriptors)
            return
        for descriptor in descriptors:
            os.close(descriptor)
        with suppress(ChildProcessError):  # the processes that waited for commands that have ended
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass


def _run(request: dict, stdin: int, stdout: int, stderr: int, report: int) -> None:
    """Fork the command and return in it. This process waits for its end, so that commands may run at the same time."""
    child = os.fork()
    if child:
        for stream in (stdin, stdout, stderr):
            os.close(stream)
        with suppress(OSError):  # nobody waits for the command
            os.write(report, b"%d" % child)
            os.write(report, b"%d" % os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        os._exit(0)
    os.close(report)
    os.chdir(request["cwd"])
    sys.argv = ["vna", *request["words"]]
    os.environ.clear()
    os.environ.update(request["env"])
    for number, (name, stream) in enumerate({"stdin": stdin, "stdout": stdout, "stderr": stderr}.items()):
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
