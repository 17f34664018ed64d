"""The kinds of extension, as classes to derive from."""

from __future__ import annotations

import dataclasses
import typing
from dataclasses import dataclass
from typing import Any, ClassVar

from .documents import WithTensors
from .host import Host
from .models import Completion, CompletionRequest
from .schema import Json, schema_of, summary_of, to_json


@dataclass
class Permission:
    """A permission asked for, and why."""

    name: str
    """What is asked for, such as `http:api.example.org`."""
    reason: str
    """Why, for the person who decides."""


@dataclass
class Example:
    """A worked example: small, and exact. The test kit runs it and compares."""

    summary: str
    """What the example shows."""
    input: Json
    """The input document: a dataclass, or any JSON value."""
    output: Json
    """The output document that the input gives."""
    config: Json = dataclasses.field(default_factory=dict)
    """The `with` table."""


class Extension:
    """What every kind has in common. The class is a dataclass: its fields are the options of the `with` table."""

    KIND: ClassVar[str]
    NAME: ClassVar[str]
    """Lower-case words joined by hyphens, unique within the kind; at most 64 bytes."""
    STABILITY: ClassVar[str] = "experimental"
    """What the author promises: `experimental`, `beta` or `stable`."""

    def open(self) -> None:
        """Prepares the instance once, before any call: checks what a schema cannot say. Raises `InvalidConfig` if the
        configuration makes no sense."""

    @classmethod
    def permissions(cls) -> list[Permission]:
        """Permissions asked for, with reasons."""
        return []

    @classmethod
    def examples(cls) -> list[Example]:
        """Worked examples: small, and exact."""
        return []

    @classmethod
    def _method(cls) -> Any:
        raise NotImplementedError

    def _answer(self, document: Any, host: Host) -> Any:
        raise NotImplementedError

    @classmethod
    def _types(cls) -> tuple[Any, Any]:
        """The types of its input and its output."""
        raise NotImplementedError


class Analyzer(Extension):
    """Answers one document per document. Derive from it, as a dataclass with a `NAME`, and write

        def analyze(self, document: Input, host: Host) -> Output

    where both types are dataclasses, or `WithTensors` around one."""

    KIND = "analyzer"

    def analyze(self, document: Any, host: Host) -> Any:
        """Answers one document."""
        raise NotImplementedError

    def _answer(self, document: Any, host: Host) -> Any:
        return self.analyze(document, host)

    @classmethod
    def _types(cls) -> tuple[Any, Any]:
        hints = typing.get_type_hints(cls.analyze, include_extras=True)
        output = hints.pop("return", None)
        inputs = [hint for hint in hints.values() if hint is not Host]
        if output is None or len(inputs) != 1:
            raise TypeError(f"{cls.__name__}.analyze says what it reads and answers: (self, document: Input, host: Host) -> Output")
        return inputs[0], output


class Model(Extension):
    """Answers prompts. The host does everything around a call (cache, limits, retries, budget, repair of answers), so a model
    makes one call and says by the failure it raises what came of it. Derive from it, as a dataclass with a `NAME`. The
    configuration is part of every cache key: it names the variable or the file that holds a secret, and never holds one."""

    KIND = "model"

    def complete(self, request: CompletionRequest, host: Host) -> Completion:
        """Makes one call."""
        raise NotImplementedError

    def _answer(self, document: Any, host: Host) -> Any:
        return self.complete(document, host)

    @classmethod
    def _types(cls) -> tuple[Any, Any]:
        return CompletionRequest, Completion


def value_type(kind: Any) -> Any:
    """The type of the JSON part of an input or output."""
    return typing.get_args(kind)[0] if typing.get_origin(kind) is WithTensors else kind


@dataclass
class Descriptor:
    """What an extension says of itself; schemas and the parts of examples are JSON values."""

    kind: str
    name: str
    version: str
    summary: str
    config: Json
    input: Json
    output: Json
    permissions: list[Permission]
    examples: list[Example]
    stability: str


def describe(cls: type[Extension], version: str) -> Descriptor:
    """What a class says of itself. Raises `TypeError` where it is not made as an extension has to be."""
    if "__dataclass_fields__" not in cls.__dict__:
        raise TypeError(f"{cls.__name__} is no dataclass: put @dataclass before it, so that its fields become options")
    if not isinstance(getattr(cls, "NAME", None), str):
        raise TypeError(f'{cls.__name__} has no name: give it one with NAME = "…"')
    read, written = cls._types()
    return Descriptor(
        kind=cls.KIND,
        name=cls.NAME,
        version=version,
        summary=summary_of(cls),
        config=schema_of(cls, strict=True),
        input=schema_of(value_type(read)),
        output=schema_of(value_type(written), written=True),
        permissions=cls.permissions(),
        examples=[
            Example(one.summary, to_json(one.input), to_json(one.output), to_json(one.config)) for one in cls.examples()
        ],
        stability=cls.STABILITY,
    )
