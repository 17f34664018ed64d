"""The kinds of extension, as classes to derive from."""

from __future__ import annotations

import dataclasses
import typing
from dataclasses import dataclass
from typing import Any, ClassVar

from . import contract
from .caches import CacheEntry, CacheSize
from .directions import ContrastSet, Directions
from .documents import WithTensors
from .failures import InvalidInput
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

    def _take_config(self, config: Json) -> None:
        """Takes the configuration as it was given, before `open`."""

    def _answer(self, document: Any, host: Host) -> Any:
        raise NotImplementedError

    @classmethod
    def _types(cls) -> tuple[Any, Any]:
        """The types of its input and its output."""
        raise NotImplementedError

    @classmethod
    def _schemas(cls) -> tuple[Json, Json]:
        """The schemas of its input and its output."""
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

    @classmethod
    def _schemas(cls) -> tuple[Json, Json]:
        read, written = cls._types()
        output = schema_of(value_type(written), written=True)
        if typing.get_origin(written) is WithTensors:
            output["x-tensors"] = True
        return schema_of(value_type(read)), output


class Model(Extension):
    """Answers prompts. The host does everything around a call (cache, limits, retries, budget, repair of answers), so a model
    makes one call, and reports by the failure that it raises how it went. Derive from it, as a dataclass with a `NAME`. The
    configuration is part of every cache key: it names the variable or the file that holds a secret, and does not hold it."""

    KIND = "model"

    def complete(self, request: CompletionRequest, host: Host) -> Completion:
        """Makes one call."""
        raise NotImplementedError

    @classmethod
    def offers(cls) -> dict[str, bool | str]:
        """What it offers: any of `complete`, `capture`, `edits`, `logprobs`, `tokenize`, `embed` and `local`, each with true, or
        with a JSON pointer into the configuration: it offers that if there is true there. Completions alone, as by default. A
        request for anything else is refused before it comes to `complete`."""
        return {"complete": True}

    def _take_config(self, config: Json) -> None:
        # Not among its fields: those are options.
        object.__setattr__(self, "_config", config)

    def _answer(self, document: Any, host: Host) -> Any:
        asked = {
            "capture": document.capture is not None,
            "edits": bool(document.edits),
            "logprobs": document.logprobs is not None,
            "tokenize": document.tokenize,
            "embed": document.embed,
        }
        for ability, is_asked in asked.items():
            if is_asked and not self._has(ability):
                raise InvalidInput(f"the model `{self.NAME}` does not offer `{ability}`, which was asked for")
        return self.complete(document, host)

    def _has(self, ability: str) -> bool:
        """Whether it offers this, configured as it is."""
        condition = type(self).offers().get(ability)
        return _at_pointer(self._config, condition) is True if isinstance(condition, str) else condition is True

    @classmethod
    def _types(cls) -> tuple[Any, Any]:
        return CompletionRequest, Completion

    @classmethod
    def _schemas(cls) -> tuple[Json, Json]:
        offers = cls.offers()
        for ability, condition in offers.items():
            if ability not in _ABILITIES or not (condition is True or isinstance(condition, str)):
                known = ", ".join(_ABILITIES)
                raise TypeError(f"{cls.__name__} offers `{ability}`: {condition!r}; each of {known} goes with true or a pointer")
        declared = {} if offers == {"complete": True} else {"x-offers": offers}
        return {**contract.COMPLETION_REQUEST, **declared}, contract.COMPLETION


def _at_pointer(value: Any, pointer: str) -> Any:
    """What stands at a JSON pointer (RFC 6901) in a value; none if there is nothing."""
    if pointer and not pointer.startswith("/"):
        return None
    for part in pointer.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(value, dict):
            value = value.get(key)
        elif isinstance(value, list):
            value = value[int(key)] if key.isascii() and key.isdigit() and int(key) < len(value) else None
        else:
            return None
    return value


_ABILITIES = ("complete", "capture", "edits", "logprobs", "tokenize", "embed", "local")


class DirectionExtractor(Extension):
    """Finds, per layer of a model, the unit direction of the residual stream that sets two sets of prompts apart. Derive from it,
    as a dataclass with a `NAME`. A stage uses an extractor as it does an analyzer; the host checks the shapes of what it reads
    and answers. The tensors may be larger than the plugin's memory: it reads slices of them, by `Host.tensor`."""

    KIND = "direction-extractor"

    def extract(self, contrast: ContrastSet, host: Host) -> Directions:
        """Extracts a direction a layer. Raises `InvalidInput` for sets that cannot be compared, or hidden states that are not
        numbers: the message names the set, the prompt and the layer."""
        raise NotImplementedError

    def _answer(self, document: Any, host: Host) -> Any:
        return self.extract(document, host)

    @classmethod
    def _types(cls) -> tuple[Any, Any]:
        return ContrastSet, Directions

    @classmethod
    def _schemas(cls) -> tuple[Json, Json]:
        return contract.CONTRAST_SET, contract.DIRECTIONS


class CacheBackend(Extension):
    """Keeps values for a while. Derive from it, as a dataclass with a `NAME`.

    Values are bytes, keys any text. An instance serves one operation, so it keeps them on a server (`http:HOST`). A value that has
    expired is never given out. A backend that cannot be reached raises `Unavailable`: the host goes on with the next tier. A
    component that offers one is built for the world `cache-plugin`."""

    KIND = "cache-backend"

    def get(self, key: str, host: Host) -> bytes | None:
        """The value under a key."""
        raise NotImplementedError

    def put(self, key: str, value: bytes, ttl: float | None, host: Host) -> None:
        """Keeps a value, for `ttl` seconds at the most, in place of what was there. One that cannot be kept (it is too large, its
        time is over) removes what was there, and is not a failure."""
        raise NotImplementedError

    def remove(self, key: str, host: Host) -> None:
        """Forgets a value. It is not a failure if there is none."""
        raise NotImplementedError

    def clear(self, prefix: str, host: Host) -> int:
        """Forgets every value whose key begins with `prefix`, and returns how many there were."""
        raise NotImplementedError

    def size(self, prefix: str, host: Host) -> CacheSize:
        """How much is kept under keys that begin with `prefix`."""
        raise NotImplementedError

    def entries(self, prefix: str, after: str | None, limit: int, host: Host) -> list[CacheEntry]:
        """The values whose keys begin with `prefix` and come after `after`, in order of their keys (as bytes in UTF-8), at most `limit`."""
        raise NotImplementedError

    def is_durable(self) -> bool:
        """Whether the values outlive the process."""
        raise NotImplementedError

    def _answer(self, document: Any, host: Host) -> Any:
        raise InvalidInput("a cache backend is not called with documents")

    @classmethod
    def _types(cls) -> tuple[Any, Any]:
        return Any, Any

    @classmethod
    def _schemas(cls) -> tuple[Json, Json]:
        return {}, {}


def value_type(kind: Any) -> Any:
    """The type of the JSON part of an input or output."""
    return typing.get_args(kind)[0] if typing.get_origin(kind) is WithTensors else kind


@dataclass
class Descriptor:
    """The description of an extension; schemas and the parts of examples are JSON values."""

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
    """The description of a class. Raises `TypeError` for a class that is not a valid extension."""
    if "__dataclass_fields__" not in cls.__dict__:
        raise TypeError(f"{cls.__name__} is not a dataclass: put @dataclass before it, so that its fields become options")
    if not isinstance(getattr(cls, "NAME", None), str):
        raise TypeError(f'{cls.__name__} has no name: give it one with NAME = "…"')
    read, written = cls._schemas()
    return Descriptor(
        kind=cls.KIND,
        name=cls.NAME,
        version=version,
        summary=summary_of(cls),
        config=schema_of(cls, strict=True),
        input=read,
        output=written,
        permissions=cls.permissions(),
        examples=[
            Example(one.summary, to_json(one.input), to_json(one.output), to_json(one.config)) for one in cls.examples()
        ],
        stability=cls.STABILITY,
    )
