"""Values as JSON: what crosses the boundary between this program and its parser process.

The parser process has read a hostile page, so nothing that it sends is trusted. Therefore its result is JSON, which
cannot start code as a pickle can, and each value is checked against the type that is declared for it.

Boundary: values in, bytes out, and back.
"""

from __future__ import annotations

import collections.abc
import json
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum
from functools import lru_cache
from types import UnionType
from typing import Any, Literal, Union, cast, get_args, get_origin, get_type_hints

_Reader = Callable[[Any], Any]


def to_bytes(value: object) -> bytes:
    """Return a value as JSON: data classes, enums, datetimes, tuples, mappings, texts, numbers and None in any nesting.

    Halves of characters (lone surrogates) are kept.
    """
    plain = json.dumps(value, default=_plain, ensure_ascii=False, check_circular=False)
    return plain.encode("utf-8", "surrogatepass")


def from_bytes(data: bytes, kind: Any) -> Any:
    """Return the value of type `kind` that `to_bytes` wrote.

    Raises:
        ValueError: the data are not such a value.

    """
    try:
        return _reader(kind)(json.loads(data.decode("utf-8", "surrogatepass")))
    except RecursionError as error:
        raise ValueError("nested too deep") from error


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    if is_dataclass(value):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    raise TypeError(f"cannot write {type(value).__name__} as JSON")


@lru_cache(maxsize=256)
def _reader(kind: Any) -> _Reader:
    """Return the function that turns plain JSON values into values of the type `kind`."""
    origin, of = get_origin(kind), get_args(kind)
    if origin is tuple:
        return _tuple_reader(of)
    if origin in (Union, UnionType):
        return _union_reader(of)
    if origin is Literal:
        return _checked(lambda value: isinstance(value, str) and value in of)
    if origin is collections.abc.Mapping:
        names, values = (_reader(one) for one in of)
        return lambda value: {names(k): values(v) for k, v in _be(value, dict).items()}
    return _class_reader(kind) if is_dataclass(kind) else _scalar_reader(kind)


def _scalar_reader(kind: Any) -> _Reader:
    if kind is datetime:
        return lambda value: datetime.fromisoformat(_be(value, str))
    if issubclass(kind, Enum):
        return cast("_Reader", kind)
    return _checked(lambda value: type(value) is kind)


def _tuple_reader(of: tuple[Any, ...]) -> _Reader:
    if of[-1] is Ellipsis:
        item = _reader(of[0])
        return lambda value: tuple(map(item, _be(value, list)))
    items = [_reader(one) for one in of]
    return lambda value: tuple(read(one) for read, one in zip(items, _be(value, list), strict=True))


def _union_reader(of: tuple[Any, ...]) -> _Reader:
    """Return the reader of a union of data classes, or of None and one other type."""
    others = [one for one in of if one is not type(None)]
    is_optional = len(others) < len(of)
    if len(others) == 1:
        only = _reader(others[0])
        return lambda value: None if value is None and is_optional else only(value)
    by_names = {frozenset(field.name for field in fields(one)): _reader(one) for one in others}

    def read(value: Any) -> Any:
        found = by_names.get(frozenset(_be(value, dict)))
        if found is None:
            raise ValueError("a value of an unknown class")
        return found(value)

    return read


def _class_reader(kind: Any) -> _Reader:
    hints = get_type_hints(kind)
    readers = {field.name: _reader(hints[field.name]) for field in fields(kind)}

    def read(value: Any) -> Any:
        if _be(value, dict).keys() != readers.keys():
            raise ValueError(f"not the fields of {kind.__name__}")
        return kind(**{name: readers[name](one) for name, one in value.items()})

    return read


def _checked(is_right: Callable[[Any], bool]) -> _Reader:
    def read(value: Any) -> Any:
        if not is_right(value):
            raise ValueError(f"a {type(value).__name__} where another value belongs")
        return value

    return read


def _be(value: Any, kind: type) -> Any:
    if not isinstance(value, kind):
        raise ValueError(f"a {type(value).__name__} instead of a {kind.__name__}")  # noqa: TRY004 - the data are wrong
    return value
