"""From the classes of a plugin to what its component exports."""

from __future__ import annotations

import importlib.util
import json
import typing
from collections.abc import Sequence
from typing import Any

from .documents import Context, Document, WithTensors
from .extensions import Descriptor, Extension, describe, value_type
from .failures import Failure, Internal, InvalidConfig, InvalidInput, InvalidOutput, of_exception, trace_of
from .host import Host, HostCalls
from .schema import Misfit, from_json, to_json

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
            opened = from_json(extension, _load(config), strict=True)
        except (Misfit, ValueError, RecursionError) as error:
            raise InvalidConfig(str(error)) from None
        try:
            opened.open()
        except Exception as error:
            raise of_exception(error) from error
        self._opened = opened

    def call(self, batch: Sequence[Request], calls: HostCalls) -> list[Document | Failure]:
        """Answers one document, or what it failed of, for each request, in order."""
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
    return json.loads(text, parse_constant=_no_number)


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")


def export_plugin(*extensions: type[Extension], version: str) -> tuple[Any, Any]:
    """Offers these classes. What it gives is what the component exports:

        Meta, Extension = export_plugin(WordCount, version="0.1.0")

    Outside of a component, where a test imports the plugin, the two are a stand-in; see `jackfield.testing`."""
    plugin = Plugin(extensions, version)
    if importlib.util.find_spec("wit_world") is None:
        return plugin, plugin
    from .component import exports

    return exports(plugin)
