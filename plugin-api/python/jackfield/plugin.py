"""From the classes of a plugin to what its component exports."""

from __future__ import annotations

import importlib.util
import json
import re
import typing
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from .documents import Context, Document, WithTensors
from .extensions import CacheBackend, Descriptor, Extension, describe, value_type
from .failures import Failure, Internal, InvalidConfig, InvalidInput, InvalidOutput, of_exception, trace_of
from .host import Host, HostCalls
from .schema import Misfit, from_json, to_json

T = TypeVar("T")

Request = tuple[Document, Context]
"""One document to work on, and where it belongs."""


class Plugin:
    """The extensions of a plugin, of which one is opened at a time."""

    def __init__(self, extensions: Sequence[type[Extension]], version: str) -> None:
        self.descriptors: list[Descriptor] = [describe(extension, version) for extension in extensions]
        self._extensions = {(extension.KIND, extension.NAME): extension for extension in extensions}
        self._opened: Extension | None = None

    def open(self, kind: str, name: str, config: str) -> None:
        """Prepares an extension with its configuration. Raises `Failure`."""
        extension = self._extensions.get((kind, name))
        if extension is None:
            raise Internal(f"no {kind} `{name}`")
        try:
            options = _load(config)
            opened = from_json(extension, options, strict=True)
            opened._take_config(options)
        except (Misfit, ValueError, RecursionError) as error:
            raise InvalidConfig(str(error)) from None
        try:
            opened.open()
        except Exception as error:
            raise of_exception(error) from error
        self._opened = opened

    def call(self, batch: Sequence[Request], calls: HostCalls) -> list[Document | Failure]:
        """Answers one document, or a failure, for each request, in order."""
        answers: list[Document | Failure] = []
        for index, (document, context) in enumerate(batch):
            try:
                answers.append(self._answer(document, Host(calls, context, index)))
            except Failure as failure:
                answers.append(failure)
            except Exception as error:
                calls.log("debug", "plugin", trace_of(error))
                answers.append(of_exception(error))
        return answers

    @property
    def has_cache_backends(self) -> bool:
        """Whether it offers cache backends: a component is then built for the world `cache-plugin`."""
        return any(descriptor.kind == CacheBackend.KIND for descriptor in self.descriptors)

    def operate(self, operation: Callable[[CacheBackend, Host], T], calls: HostCalls) -> T:
        """Operates on the cache backend that was opened. Raises `Failure`."""
        if self._opened is None:
            raise Internal("called before it was opened")
        if not isinstance(self._opened, CacheBackend):
            raise Internal(f"the {self._opened.KIND} `{self._opened.NAME}` is not a cache backend")
        try:
            return operation(self._opened, Host(calls, Context(), 0))
        except Failure:
            raise
        except Exception as error:
            calls.log("debug", "plugin", trace_of(error))
            raise of_exception(error) from error

    def _answer(self, document: Document, host: Host) -> Document:
        if self._opened is None:
            raise Internal("called before it was opened")
        read, written = self._opened._types()
        try:
            value = from_json(value_type(read), _load(document.json))
        except (Misfit, ValueError, RecursionError) as error:
            raise InvalidInput(str(error)) from None
        if typing.get_origin(read) is WithTensors:
            value = WithTensors(value, document.tensors)
        answer = self._opened._answer(value, host)
        tensors = []
        if typing.get_origin(written) is WithTensors:
            if not isinstance(answer, WithTensors):
                raise InvalidOutput(f"answered a {type(answer).__name__}, not a WithTensors")
            answer, tensors = answer.value, answer.tensors
        try:
            text = json.dumps(to_json(answer), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
            return Document(text.encode(), tensors)
        except (TypeError, ValueError, RecursionError) as error:
            raise InvalidOutput(f"the answer has no JSON form: {error}") from None


def _load(text: str | bytes) -> Any:
    value = json.loads(text, parse_constant=_no_number)
    # Half a surrogate pair, which only an escape can bring in, is not text: no other language can hold it.
    if _HALF.search(text if isinstance(text, str) else text.decode()):
        try:
            json.dumps(value, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            raise Misfit("a text holds half a surrogate pair") from None
    return value


_HALF = re.compile(r"\\u[dD][89a-fA-F]")


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON number")


def export_plugin(*extensions: type[Extension], version: str) -> tuple[Any, ...]:
    """Offers these classes. What it gives is what the component exports:

        Meta, Extension = export_plugin(WordCount, version="0.1.0")

    With a cache backend among them there is a third, for the world `cache-plugin`:

        Meta, Extension, CacheBackend = jackfield.export_plugin(Shelf, version="0.1.0")

    Outside of a component, where a test imports the plugin, they are a stand-in; see `jackfield.testing`."""
    plugin = Plugin(extensions, version)
    if importlib.util.find_spec("wit_world") is None:
        return (plugin,) * (3 if plugin.has_cache_backends else 2)
    from .component import exports

    return exports(plugin)
