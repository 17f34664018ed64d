"""A host for unit tests: no Jackfield, no component."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .documents import Context, Document, Tensor
from .extensions import Extension
from .failures import Failure, InvalidConfig
from .host import Host, HttpResponse, Level
from .models import Completion, CompletionRequest
from .plugin import Plugin
from .schema import from_json, to_json


@dataclass
class FakeHost:
    """The host's side of the calls, with what a test gives it. It keeps what was said and asked."""

    model: Callable[[CompletionRequest], Completion | str] | None = None
    """Answers prompts; a stage has no model without it."""
    cache: dict[str, bytes] | None = None
    """What the cache holds; a stage has none without it."""
    server: Callable[[str, str, bytes], HttpResponse] | None = None
    """Answers HTTP requests: method, address, body."""
    is_cancelled: bool = False
    """Whether the answer is no longer wanted."""
    logged: list[tuple[str, str]] = field(default_factory=list)
    """Level and text of each log line."""
    progressed: list[tuple[int, int | None, str]] = field(default_factory=list)
    """Done, total and note of each report."""
    asked: list[CompletionRequest] = field(default_factory=list)
    """Each prompt."""

    def view(self, context: Context | None = None) -> Host:
        """What an extension's method is called with."""
        return Host(self, context or Context(), 0)

    def log(self, level: Level, target: str, message: str) -> None:
        self.logged.append((level, message))

    def progress(self, index: int, done: int, total: int | None, note: str) -> None:
        self.progressed.append((done, total, note))

    def cancelled(self) -> bool:
        return self.is_cancelled

    def complete(self, index: int, request: str) -> str:
        if self.model is None:
            raise InvalidConfig('the stage has no model: give it one with `model = "name"`')
        asked = from_json(CompletionRequest, json.loads(request))
        self.asked.append(asked)
        answer = self.model(asked)
        return json.dumps(to_json(Completion(answer) if isinstance(answer, str) else answer))

    def model_name(self) -> str | None:
        return None if self.model is None else "fake"

    def cache_get(self, index: int, key: str) -> bytes | None:
        return self._cache().get(key)

    def cache_put(self, index: int, key: str, value: bytes, ttl_ms: int | None) -> None:
        self._cache()[key] = value

    def _cache(self) -> dict[str, bytes]:
        if self.cache is None:
            raise InvalidConfig('the stage has no cache: give it one with `store = "name"`')
        return self.cache

    def fetch(
        self, index: int, method: str, url: str, headers: list[tuple[str, str]], body: bytes, timeout_ms: int | None
    ) -> HttpResponse:
        if self.server is None:
            raise InvalidConfig("this host makes no HTTP requests")
        return self.server(method, url, body)


def call(
    extension: type[Extension],
    document: Any,
    config: Any = None,
    host: FakeHost | None = None,
    *,
    tensors: list[Tensor] | None = None,
    context: Context | None = None,
) -> Any:
    """Opens an extension with a configuration and has it answer one document, as the host does: through JSON, held to the
    types. Gives the answer as a JSON value; raises its failure."""
    plugin = Plugin([extension], "0.0.0")
    plugin.open(extension.KIND, extension.NAME, json.dumps(to_json(config or {})))
    request = Document(json.dumps(to_json(document)).encode(), tensors or [])
    (answer,) = plugin.call([(request, context or Context())], host or FakeHost())
    if isinstance(answer, Failure):
        raise answer
    return json.loads(answer.json)


def check_examples(extension: type[Extension], host: FakeHost | None = None) -> None:
    """Runs the worked examples of an extension. Raises `AssertionError` for one whose output is another."""
    for example in extension.examples():
        found = call(extension, example.input, example.config, host)
        wanted = to_json(example.output)
        assert found == wanted, f"example `{example.summary}` gives {found}, not {wanted}"
