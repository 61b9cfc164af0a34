"""The control endpoints of a replica: its state, and its verbs over HTTP.

Boundary: a request in, a response out; every mistake of the caller is a 400 with a JSON message.
`GET <control>/state[?log=0]`; `POST <control>/VERB` with a JSON object that holds the verb's arguments.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from crawler.errors import BadInput
from crawler.sim.site.markup import iso
from crawler.sim.site.messages import JSON, Request, Response, answer

if TYPE_CHECKING:
    from crawler.sim.site.fake_site import Replica

Arguments = Mapping[str, Any]
_MOST_AT_ONCE = 10_000


def respond(replica: Replica, request: Request, root: str) -> Response:
    """Answer a request below the control root."""
    url = urlsplit(request.path)
    name = url.path.removeprefix(root).strip("/")
    try:
        return _json(_result(replica, request, name, url.query))
    except BadInput as error:
        return _json({"error": str(error), "hint": error.hint}, 400)


def _result(replica: Replica, request: Request, name: str, query: str) -> dict[str, object]:
    match request.method:
        case "GET":
            return _state(replica, name, query)
        case "POST":
            return _apply(replica, name, _arguments(request.body))
    raise BadInput(f"method {request.method} is not for control", "GET state, or POST a verb")


def _json(value: object, status: int = 200) -> Response:
    return answer(json.dumps(value, ensure_ascii=False), JSON, status)


def _state(replica: Replica, name: str, query: str) -> dict[str, object]:
    if name != "state":
        raise BadInput(f"nothing to get at {name!r}", f"GET state; verbs are posted: {', '.join(VERBS)}")
    return replica.state(log=parse_qs(query).get("log") != ["0"])


def _arguments(body: bytes) -> Arguments:
    try:
        value = json.loads(body or b"{}")
    except ValueError as error:
        raise BadInput(f"the body is not JSON: {error}", 'send an object such as {"n": 2}') from error
    if not isinstance(value, dict):
        raise BadInput("the body is not a JSON object", 'send an object such as {"n": 2}')
    return value


def _apply(replica: Replica, name: str, arguments: Arguments) -> dict[str, object]:
    if name not in VERBS:
        raise BadInput(f"unknown verb {name!r}", f"the verbs are {', '.join(VERBS)}")
    verb, known = VERBS[name]
    if unknown := [key for key in arguments if key not in known]:
        takes = f"takes {', '.join(known)}" if known else "takes nothing"
        raise BadInput(f"unknown argument {unknown[0]!r} of {name}", f"{name} {takes}")
    return verb(replica, arguments)


def _publish(replica: Replica, arguments: Arguments) -> dict[str, object]:
    return {"ids": replica.publish(_whole(arguments, "n", default=1, least=1, most=_MOST_AT_ONCE))}


def _revise(replica: Replica, arguments: Arguments) -> dict[str, object]:
    post_id = _whole(arguments, "post_id")
    story = replica.revise(post_id, _string(arguments, "title"), _string(arguments, "text"))
    return {"post_id": story.post_id, "title": story.title, "path": story.path, "modified": iso(story.modified)}


def _unpublish(replica: Replica, arguments: Arguments) -> dict[str, object]:
    post_id, status = _whole(arguments, "post_id"), _whole(arguments, "status", default=404)
    replica.unpublish(post_id, status)
    return {"post_id": post_id, "status": status}


def _republish(replica: Replica, arguments: Arguments) -> dict[str, object]:
    story = replica.republish(_whole(arguments, "post_id"), _string(arguments, "title"))
    return {"post_id": story.post_id, "title": story.title, "path": story.path}


def _copy(replica: Replica, arguments: Arguments) -> dict[str, object]:
    return {"post_id": replica.copy(_whole(arguments, "post_id"))}


def _hide(replica: Replica, arguments: Arguments) -> dict[str, object]:
    post_id, lists = _whole(arguments, "post_id"), _string(arguments, "lists") or "all"
    replica.hide(post_id, lists)
    return {"post_id": post_id, "lists": lists}


def _fault(replica: Replica, arguments: Arguments) -> dict[str, object]:
    if "kind" not in arguments:
        raise BadInput(
            "argument 'kind' is missing", 'send for example {"kind": "throttle", "path": "/rss/*", "times": 3}'
        )
    return asdict(replica.fault(**arguments))


def _redesign(replica: Replica, _: Arguments) -> dict[str, object]:
    return {"design": replica.redesign()}


def _clear(replica: Replica, _: Arguments) -> dict[str, object]:
    replica.clear()
    return {"faults": [], "design": 0}


Verb = Callable[["Replica", Arguments], dict[str, object]]
VERBS: Mapping[str, tuple[Verb, tuple[str, ...]]] = {
    "publish": (_publish, ("n",)),
    "revise": (_revise, ("post_id", "title", "text")),
    "unpublish": (_unpublish, ("post_id", "status")),
    "republish": (_republish, ("post_id", "title")),
    "copy": (_copy, ("post_id",)),
    "hide": (_hide, ("post_id", "lists")),
    "fault": (_fault, ("kind", "path", "times", "seconds", "form")),
    "redesign": (_redesign, ()),
    "clear": (_clear, ()),
}


def _whole(arguments: Arguments, name: str, *, default: int | None = None, least: int = 0, most: int = 10**9) -> int:
    value = arguments.get(name, default)
    if type(value) is not int or not least <= value <= most:
        raise BadInput(f"argument {name!r} is {value!r}", f"{name} is a whole number from {least} to {most}")
    return value


def _string(arguments: Arguments, name: str) -> str | None:
    value = arguments.get(name)
    if value is not None and not (isinstance(value, str) and value.strip()):
        raise BadInput(f"argument {name!r} is {value!r}", f"{name} is a text that is not blank")
    return value
