"""The parser process: reads one response and ends. `parent` starts it as `python -m crawler.parser_process.child`.

It sets its own limits before it reads anything, because code that runs between a fork and the start of a program is not
safe in a process with threads.

Boundary: a request on stdin, an answer on stdout; nothing else is read or written.
"""

from __future__ import annotations

import resource
import signal
import sys
import traceback
from contextlib import suppress
from pathlib import Path

from crawler.errors import MarkupDrift, NotAnArticle, UnreadableSource
from crawler.parser_process import values
from crawler.parser_process.requests import Answer, Failure, Request, answer_of, failure_of, read

OUT_OF_MEMORY = 90  # exit code
# A C library that gets no memory may raise any exception, or leave out a text without saying so. Therefore a result counts
# only if this many bytes were never used; no single text needs more.
_ROOM = 40_000_000
_GRACE = 5  # seconds of CPU time after SIGXCPU; then the kernel sends SIGKILL


def main() -> int:
    """Answer the request on stdin; return the exit code."""
    cpu, memory, output = map(int, sys.argv[1:])
    # The process that waits ends this one; a signal to all processes of a terminal or service must not.
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    import pickle  # noqa: PLC0415 - 0.4 MB, and other processes import this module

    _limit(resource.RLIMIT_CPU, cpu, cpu + _GRACE)
    begun = _address_space("VmSize")
    _limit(resource.RLIMIT_AS, begun + memory)
    _limit(resource.RLIMIT_FSIZE, output)
    _limit(resource.RLIMIT_CORE, 0)
    try:
        request: Request = pickle.load(sys.stdin.buffer)  # noqa: S301 - from the process that waits
        answer = _answer(request, sys.stdin.buffer.read())
        data = values.to_bytes(answer)
    except MemoryError:
        return OUT_OF_MEMORY
    is_bug = answer.failure is not None and answer.failure.what == "bug"
    if _address_space("VmPeak") - begun > (memory // 2 if is_bug else memory - _ROOM):
        return OUT_OF_MEMORY
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()
    return 0


def _limit(kind: int, most: int, hard: int | None = None) -> None:
    with suppress(ValueError, OSError):  # macOS has no limit of the address space; a lower limit may exist already
        resource.setrlimit(kind, (most, most if hard is None else hard))


def _address_space(name: str) -> int:
    """Return the address space of this process in bytes: `VmSize` now, `VmPeak` at most; 0 if the system does not say."""
    with suppress(FileNotFoundError):
        for line in Path("/proc/self/status").read_text("ascii").splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1]) * 1024
    return 0


def _answer(request: Request, body: bytes) -> Answer:
    try:
        result = read(request, body)
    except (NotAnArticle, MarkupDrift, UnreadableSource) as error:
        return Answer(failure=failure_of(error))
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - the process that waits raises it
        return Answer(failure=Failure("bug", message=traceback.format_exc()))
    return answer_of(result)


if __name__ == "__main__":
    sys.exit(main())
