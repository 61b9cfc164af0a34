"""The control endpoints of the fake site: read its state and run its actions over HTTP.

`GET <control>/state` returns the state of the site; with `?log=0`, the request log is left out. `POST <control>/ACTION`
runs an action; its arguments are a JSON object in the body.

Boundary: a request in, a response out; an invalid request gets a 400 with an error message in JSON.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from crawler.errors import BadInput
from crawler.sim.site.markup import iso
from crawler.sim.site.messages import JSON, SiteRequest, SiteResponse, make_response

if TYPE_CHECKING:
    from crawler.sim.site.fake_site import FakeSite

Arguments = Mapping[str, Any]
_MAX_PUBLISHED = 10_000  # stories per request


def respond(site: FakeSite, request: SiteRequest, root: str) -> SiteResponse:
    """Return the response to a request whose path begins with `root`, the path of the control endpoints."""
    url = urlsplit(request.path)
    name = url.path.removeprefix(root).strip("/")
    try:
        return _json(_result(site, request, name, url.query))
    except BadInput as error:
        return _json({"error": str(error), "hint": error.hint}, 400)


def _result(site: FakeSite, request: SiteRequest, name: str, query: str) -> dict[str, object]:
    match request.method:
        case "GET":
            return _state(site, name, query)
        case "POST":
            return _apply(site, name, _arguments(request.body))
    raise BadInput(f"method {request.method} is not supported", "use GET for the state, or POST for an action")


def _json(value: object, status: int = 200) -> SiteResponse:
    return make_response(json.dumps(value, ensure_ascii=False), JSON, status)


def _state(site: FakeSite, name: str, query: str) -> dict[str, object]:
    if name != "state":
        raise BadInput(
            f"unknown path {name!r} for GET", f"use GET only for 'state'; use POST for one of {', '.join(ACTIONS)}"
        )
    return site.state(log=parse_qs(query).get("log") != ["0"])


def _arguments(body: bytes) -> Arguments:
    try:
        value = json.loads(body or b"{}")
    except ValueError as error:
        raise BadInput(f"the request body is not JSON: {error}", 'send a JSON object such as {"n": 2}') from error
    if not isinstance(value, dict):
        raise BadInput("the request body is not a JSON object", 'send a JSON object such as {"n": 2}')
    return value


def _apply(site: FakeSite, name: str, arguments: Arguments) -> dict[str, object]:
    if name not in ACTIONS:
        raise BadInput(f"unknown action {name!r}", f"choose one of {', '.join(ACTIONS)}")
    action, known = ACTIONS[name]
    if unknown := [key for key in arguments if key not in known]:
        hint = f"{name} takes {', '.join(known)}" if known else f"{name} takes no arguments"
        raise BadInput(f"unknown argument {unknown[0]!r} for action {name!r}", hint)
    return action(site, arguments)


def _publish(site: FakeSite, arguments: Arguments) -> dict[str, object]:
    return {"ids": site.publish(_integer(arguments, "n", default=1, least=1, most=_MAX_PUBLISHED))}


def _revise(site: FakeSite, arguments: Arguments) -> dict[str, object]:
    post_id = _integer(arguments, "post_id")
    story = site.revise(post_id, _string(arguments, "title"), _string(arguments, "text"))
    return {"post_id": story.post_id, "title": story.title, "path": story.path, "modified": iso(story.modified)}


def _unpublish(site: FakeSite, arguments: Arguments) -> dict[str, object]:
    post_id, status = _integer(arguments, "post_id"), _integer(arguments, "status", default=404)
    site.unpublish(post_id, status)
    return {"post_id": post_id, "status": status}


def _republish(site: FakeSite, arguments: Arguments) -> dict[str, object]:
    story = site.republish(_integer(arguments, "post_id"), _string(arguments, "title"))
    return {"post_id": story.post_id, "title": story.title, "path": story.path}


def _copy(site: FakeSite, arguments: Arguments) -> dict[str, object]:
    return {"post_id": site.copy(_integer(arguments, "post_id"))}


def _hide(site: FakeSite, arguments: Arguments) -> dict[str, object]:
    post_id, lists = _integer(arguments, "post_id"), _string(arguments, "lists") or "all"
    site.hide(post_id, lists)
    return {"post_id": post_id, "lists": lists}


def _picture(site: FakeSite, arguments: Arguments) -> dict[str, object]:
    post_id, number = _integer(arguments, "post_id"), _integer(arguments, "number", default=0)
    story = site.edit_picture(post_id, _string(arguments, "how") or "replace", number)
    return {"post_id": post_id, "number": number, "urls": [picture.url for picture in story.pictures]}


def _fault(site: FakeSite, arguments: Arguments) -> dict[str, object]:
    if "kind" not in arguments:
        raise BadInput(
            "argument 'kind' is missing", 'send, for example, {"kind": "throttle", "path": "/rss/*", "times": 3}'
        )
    return asdict(site.fault(**arguments))


def _redesign(site: FakeSite, arguments: Arguments) -> dict[str, object]:
    seed = _integer(arguments, "seed") if "seed" in arguments else None
    design = site.redesign(_string(arguments, "kind") or "elements", seed)
    return {"design": design.seed, "kind": design.kind}


def _clear(site: FakeSite, _: Arguments) -> dict[str, object]:
    site.clear()
    return {"faults": [], "design": 0}


Action = Callable[["FakeSite", Arguments], dict[str, object]]
ACTIONS: Mapping[str, tuple[Action, tuple[str, ...]]] = {
    "publish": (_publish, ("n",)),
    "revise": (_revise, ("post_id", "title", "text")),
    "unpublish": (_unpublish, ("post_id", "status")),
    "republish": (_republish, ("post_id", "title")),
    "copy": (_copy, ("post_id",)),
    "hide": (_hide, ("post_id", "lists")),
    "picture": (_picture, ("post_id", "number", "how")),
    "fault": (_fault, ("kind", "path", "times", "seconds", "form")),
    "redesign": (_redesign, ("kind", "seed")),
    "clear": (_clear, ()),
}


def _integer(arguments: Arguments, name: str, *, default: int | None = None, least: int = 0, most: int = 10**9) -> int:
    value = arguments.get(name, default)
    if type(value) is not int or not least <= value <= most:
        raise BadInput(f"invalid value {value!r} for argument {name!r}", f"send a whole number from {least} to {most}")
    return value


def _string(arguments: Arguments, name: str) -> str | None:
    value = arguments.get(name)
    if value is not None and not (isinstance(value, str) and value.strip()):
        raise BadInput(f"invalid value {value!r} for argument {name!r}", "send a string that is not blank")
    return value
