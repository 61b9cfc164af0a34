"""Datasette plugin: status 400 instead of 500 for an address that Datasette cannot use, with what to do.

Datasette answers status 500 if a parameter names a column that does not exist, and lets the errors of Python pass if
it cannot parse a value. It prints each error with the values of all variables, if the package rich is installed: this
takes 0.3 s of CPU time, and any address that it cannot use causes it. Without rich, it prints the traceback of a bug only.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any

from datasette import Response, hookimpl
from datasette import handle_exception as errors_of_datasette
from datasette.views.base import DatasetteError

_ADVICE = "Correct the address, then try again; the page of the table without parameters shows its columns."
_PARSED = ("_through", "_timelimit")  # parameters whose values Datasette parses without a check
_LIST = "__in"  # the end of such a parameter, which begins with the name of a column

errors_of_datasette.rich = None


@hookimpl
def handle_exception(datasette: Any, request: Any, exception: Exception) -> Callable[[], Awaitable[Any]] | None:
    """Return the response to an address that cannot be used; None for all other errors."""
    if re.split(r"[/.]", request.path)[1] not in datasette.databases:  # a page of the reading room
        return None
    if isinstance(exception, DatasetteError) and exception.status == 500:
        fault = exception.message
    elif isinstance(exception, (ValueError, LookupError, TypeError)) and (names := _parsed(request.args)):
        fault = f"Cannot read the value of {', '.join(names)}"
    else:
        return None

    async def respond() -> Any:
        values = {"ok": False, "error": f"{fault}. {_ADVICE}", "status": 400, "title": "Invalid address"}
        if request.path.endswith(".json"):
            return Response.json(values, status=400)
        return Response.html(await datasette.render_template("error.html", values, request=request), status=400)

    return respond


def _parsed(names: Any) -> list[str]:
    return [name for name in names if name in _PARSED or name.endswith(_LIST)]
