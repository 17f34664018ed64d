"""Between dataclasses and JSON: the schema of a type, reading a value of it, writing one.

Understood are `bool`, `int`, `float`, `str`, `None`, `Any`, `list`, `tuple[T, ...]`, `dict[str, T]`, unions, `Literal`,
`Enum`, `TensorRef` and dataclasses of these. In `Annotated[T, "What it is.", Range(1, 10)]` the text describes the field and
`Range` bounds it; in `Annotated[TensorRef, "What it is.", Shape("prompts", "d")]` `Shape` says which lengths it has.

A class with `json_schema`, `read_json` or `write_json` says itself what it looks like, how it is read and how it is written.
"""

from __future__ import annotations

import dataclasses
import enum
import types
import typing
from dataclasses import MISSING
from typing import Any, Literal, Union

Json = Any
"""A JSON value as `json.loads` gives it."""


@dataclasses.dataclass(frozen=True)
class Range:
    """Bounds of a number, both included."""

    minimum: float | None = None
    """The least; no bound if absent."""
    maximum: float | None = None
    """The most; no bound if absent."""


@dataclasses.dataclass(frozen=True, init=False)
class Shape:
    """Which lengths a tensor by reference has. Dimensions with the same name have the same length throughout an input and
    the answer to it; the host checks both."""

    lengths: tuple[str | int | None, ...]
    """A name, a length, or none for any length, for each dimension."""

    def __init__(self, *lengths: str | int | None) -> None:
        object.__setattr__(self, "lengths", lengths)


class Misfit(Exception):
    """A value is not of its type. The message says where and how."""


def summary_of(cls: type) -> str:
    """The first paragraph of a class's own docstring, on one line, without the full stop."""
    paragraph = doc_of(cls).partition("\n\n")[0]
    return " ".join(paragraph.split()).rstrip(".")


def doc_of(cls: type) -> str:
    """A class's own docstring, but not the signature that a dataclass without one is given."""
    doc = cls.__dict__.get("__doc__") or ""
    generated = dataclasses.is_dataclass(cls) and doc.startswith(f"{cls.__name__}(")
    return "" if generated else "\n\n".join(" ".join(part.split()) for part in doc.strip().split("\n\n"))


def schema_of(cls: Any, *, strict: bool = False, written: bool = False) -> dict[str, Json]:
    """The JSON Schema (2020-12) of a type. Unknown keys of the outermost class are ruled out if `strict`. What is `written`
    has every field, what is read lacks those with a default now and then."""
    schemas = _Schemas(written)
    if dataclasses.is_dataclass(cls) and not hasattr(cls, "json_schema"):
        body = schemas.fields(typing.cast(type, cls))
    else:
        body = schemas.of(cls)
    if strict:
        body["additionalProperties"] = False
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **body}
    return {**schema, "$defs": schemas.defined} if schemas.defined else schema


class _Schemas:
    """Makes schemas; classes within become definitions."""

    def __init__(self, written: bool) -> None:
        self.written = written
        self.defined: dict[str, Json] = {}
        self._classes: dict[str, type] = {}

    def of(self, kind: Any) -> dict[str, Json]:
        """The schema of any type."""
        origin, args = typing.get_origin(kind), typing.get_args(kind)
        if origin is typing.Annotated:
            return {**self.of(args[0]), **_annotations(args[1:])}
        if hasattr(kind, "json_schema"):
            return dict(kind.json_schema())
        if kind is Any:
            return {}
        plain = {bool: "boolean", int: "integer", float: "number", str: "string", type(None): "null"}
        if isinstance(kind, type) and kind in plain:
            return {"type": plain[kind]}
        if origin is list or (origin is tuple and len(args) == 2 and args[1] is Ellipsis):
            return {"type": "array", "items": self.of(args[0])}
        if kind is list:
            return {"type": "array"}
        if origin is dict:
            return {"type": "object", "additionalProperties": self.of(args[1])}
        if kind is dict:
            return {"type": "object"}
        if origin in (Union, types.UnionType):
            return self._union([self.of(one) for one in args])
        if origin is Literal:
            return {"enum": list(args)}
        if isinstance(kind, type) and issubclass(kind, enum.Enum):
            return {"enum": [member.value for member in kind]}
        if dataclasses.is_dataclass(kind):
            return self._reference(typing.cast(type, kind))
        raise TypeError(f"{kind!r} has no JSON form: see the types that jackfield.schema understands")

    def fields(self, cls: type) -> dict[str, Json]:
        """The schema of a dataclass, in place."""
        hints = typing.get_type_hints(cls, include_extras=True)
        properties: dict[str, Json] = {}
        required = []
        for one in dataclasses.fields(cls):
            schema = self.of(hints[one.name])
            default = one.default_factory() if one.default_factory is not MISSING else one.default
            if default is MISSING:
                required.append(one.name)
            else:
                if self.written:
                    required.append(one.name)
                if default is not None and not self.written:
                    schema = {**schema, "default": to_json(default)}
            properties[one.name] = schema
        schema = {"title": cls.__name__, "type": "object", "properties": properties}
        if required:
            schema["required"] = required
        return {**schema, "description": doc_of(cls)} if doc_of(cls) else schema

    def _reference(self, cls: type) -> dict[str, Json]:
        name = cls.__name__
        if self._classes.setdefault(name, cls) is not cls:
            raise TypeError(f"two classes named `{name}` in one schema: give one another name")
        if name not in self.defined:
            self.defined[name] = {}  # a class may hold itself
            self.defined[name] = self.fields(cls)
        return {"$ref": f"#/$defs/{name}"}

    @staticmethod
    def _union(options: list[dict[str, Json]]) -> dict[str, Json]:
        if all(set(option) == {"type"} for option in options):
            return {"type": [option["type"] for option in options]}
        return {"anyOf": options}


def _annotations(extras: tuple[Any, ...]) -> dict[str, Json]:
    """What the extras of an `Annotated` say."""
    schema: dict[str, Json] = {}
    for extra in extras:
        if isinstance(extra, str):
            schema["description"] = extra
        elif isinstance(extra, Range):
            bounds = {"minimum": extra.minimum, "maximum": extra.maximum}
            schema.update({key: bound for key, bound in bounds.items() if bound is not None})
        elif isinstance(extra, Shape):
            schema["x-tensor"] = {"shape": list(extra.lengths)}
    return schema


# Reading.


def from_json(kind: Any, value: Json, place: str = "", *, strict: bool = False) -> Any:
    """A value of this type. Unknown keys of a class are a misfit if `strict`, and ignored otherwise.

    Raises `Misfit`."""
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Annotated:
        read = from_json(args[0], value, place, strict=strict)
        for extra in args[1:]:
            if isinstance(extra, Range):
                _check_range(extra, read, place)
        return read
    if kind is Any:
        return value
    if hasattr(kind, "read_json"):
        return kind.read_json(value, place)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if kind in (bool, int, float, str, type(None)):
        # In Python, a truth value is an integer; in JSON it is not.
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise _misfit(kind, value, place)
        return value
    if origin in (list, tuple) or kind is list:
        if not isinstance(value, list):
            raise _misfit(list, value, place)
        of = args[0] if args else Any
        read = [from_json(of, one, f"{place}[{index}]") for index, one in enumerate(value)]
        return tuple(read) if origin is tuple else read
    if origin is dict or kind is dict:
        if not isinstance(value, dict):
            raise _misfit(dict, value, place)
        of = args[1] if args else Any
        return {key: from_json(of, one, _join(place, key)) for key, one in value.items()}
    if origin in (Union, types.UnionType):
        return _read_union(args, value, place)
    if origin is Literal:
        if not any(value == one and type(value) is type(one) for one in args):
            raise Misfit(f"{_at(place)}expected one of {_listed(args)}, found {_shown(value)}")
        return value
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        try:
            return kind(value)
        except ValueError:
            known = [member.value for member in kind]
            raise Misfit(f"{_at(place)}expected one of {_listed(known)}, found {_shown(value)}") from None
    if dataclasses.is_dataclass(kind):
        return _read_class(typing.cast(type, kind), value, place, strict)
    raise TypeError(f"{kind!r} has no JSON form: see the types that jackfield.schema understands")


def _read_class(cls: type, value: Json, place: str, strict: bool) -> Any:
    if not isinstance(value, dict):
        raise _misfit(dict, value, place)
    hints = typing.get_type_hints(cls, include_extras=True)
    given, missing = {}, []
    for one in dataclasses.fields(cls):
        if one.name in value:
            given[one.name] = from_json(hints[one.name], value[one.name], _join(place, one.name))
        elif one.default is MISSING and one.default_factory is MISSING:
            missing.append(one.name)
    if strict:
        known = [one.name for one in dataclasses.fields(cls)]
        for key in value:
            if key not in known:
                raise Misfit(f"{_at(place)}unknown key `{key}`, expected {_listed(known) or 'none'}")
    if missing:
        raise Misfit(f"{_at(place)}missing {_listed(missing)}")
    return cls(**given)


def _read_union(options: tuple[Any, ...], value: Json, place: str) -> Any:
    misfits = []
    for option in options:
        try:
            return from_json(option, value, place)
        except Misfit as misfit:
            misfits.append(misfit)
    # With one option besides none, that is what was meant.
    meant = [misfit for option, misfit in zip(options, misfits) if option is not type(None)]
    if len(meant) == 1:
        raise meant[0]
    raise Misfit(f"{_at(place)}{_shown(value)} does not have any of the forms that are allowed")


def _check_range(bounds: Range, value: Any, place: str) -> None:
    if not isinstance(value, (int, float)):
        return
    if bounds.minimum is not None and value < bounds.minimum:
        raise Misfit(f"{_at(place)}{value} is less than {bounds.minimum}")
    if bounds.maximum is not None and value > bounds.maximum:
        raise Misfit(f"{_at(place)}{value} is more than {bounds.maximum}")


def _misfit(wanted: type, value: Json, place: str) -> Misfit:
    return Misfit(f"{_at(place)}expected {_NAMES[wanted]}, found {_shown(value)}")


_NAMES = {
    bool: "a truth value",
    int: "an integer",
    float: "a number",
    str: "a string",
    list: "a list",
    dict: "an object",
    type(None): "null",
}


def _shown(value: Json) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, (int, float)) else _NAMES[type(value)]


def _listed(names: typing.Iterable[Any]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _at(place: str) -> str:
    return f"`{place}`: " if place else ""


def _join(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name


# Writing.


def to_json(value: Any) -> Json:
    """The JSON value of a dataclass and whatever it holds, fields in the order of the class."""
    if hasattr(value, "write_json") and not isinstance(value, type):
        return value.write_json()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return fields_to_json(value)
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, dict):
        return {key: to_json(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_json(one) for one in value]
    return value


def fields_to_json(value: Any, *, sparse: bool = False) -> dict[str, Json]:
    """The JSON object of a dataclass; without the fields that hold none if `sparse`."""
    given = ((one.name, getattr(value, one.name)) for one in dataclasses.fields(value))
    return {name: to_json(one) for name, one in given if not (sparse and one is None)}
