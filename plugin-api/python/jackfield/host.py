"""What a plugin may call on its host."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, Protocol

from .documents import Context, TensorRef
from .failures import Internal
from .models import Completion, CompletionRequest, Message
from .rng import Random
from .schema import Misfit, from_json, to_json
from .tensors import ReaderCalls, TensorReader, TensorWriter, WriterCalls, checked_shape

Level = Literal["error", "warn", "info", "debug", "trace"]
"""Severity of a log line, the most severe first."""


@dataclass
class HttpResponse:
    """What a server answered, whatever its status. A redirect comes back as it is: the host follows none."""

    status: int
    """The status, such as 200."""
    headers: list[tuple[str, str]]
    """Names, in lower case, and values that are text, in order."""
    body: bytes
    """At most as large as the stage's limit on output."""

    def header(self, name: str) -> str | None:
        """The first value of a header."""
        return next((value for found, value in self.headers if found == name.lower()), None)


class HostCalls(Protocol):
    """The host's side of the calls, for all documents of a batch: the real one while running, a fake in tests. Failures are
    raised."""

    def log(self, level: Level, target: str, message: str) -> None: ...

    def progress(self, index: int, done: int, total: int | None, note: str) -> None: ...

    def cancelled(self) -> bool: ...

    def complete(self, index: int, request: str) -> str: ...

    def model_name(self) -> str | None: ...

    def cache_get(self, index: int, key: str) -> bytes | None: ...

    def cache_put(self, index: int, key: str, value: bytes, ttl_ms: int | None) -> None: ...

    def fetch(
        self, index: int, method: str, url: str, headers: list[tuple[str, str]], body: bytes, timeout_ms: int | None
    ) -> HttpResponse: ...

    def open_tensor(self, index: int, reference: str) -> ReaderCalls: ...

    def create_tensor(self, index: int, shape: list[int]) -> WriterCalls: ...


class Host:
    """A plugin's view of the host during one call for one document."""

    def __init__(self, calls: HostCalls, context: Context, index: int) -> None:
        self._calls, self._context, self._index = calls, context, index

    @property
    def context(self) -> Context:
        """Where in the run the document belongs."""
        return self._context

    def random(self) -> Random:
        """A generator seeded for this call: the only source of chance that leaves results reproducible."""
        return Random(self._context.seed)

    def log(self, level: Level, message: str) -> None:
        """Writes a line to the host's log; one of more than 16 KiB is cut."""
        self._calls.log(level, "plugin", message)

    def progress(self, done: int, total: int | None = None, note: str = "") -> None:
        """Reports how far a long call has come, in a unit of the plugin's choice."""
        self._calls.progress(self._index, done, total, note)

    def cancelled(self) -> bool:
        """Whether the answer is no longer wanted: a long computation checks this now and then, and raises `Cancelled`."""
        return self._calls.cancelled()

    def complete(self, request: CompletionRequest | str) -> Completion:
        """Asks the model that the pipeline gives to the stage (`model = "name"`). A string is the one message of a user.

        The host answers from the model's cache where it can, keeps to limits and budget, retries
        failures that may pass, and validates the answer against the request's schema. Raises `InvalidConfig` if the stage has no model, `InvalidOutput` if the
        answer does not fit the schema or was refused, `OverBudget` if the budget does not allow it, otherwise what the last
        try gave."""
        if isinstance(request, str):
            request = CompletionRequest([Message.user(request)])
        answer = self._calls.complete(self._index, json.dumps(to_json(request)))
        try:
            return from_json(Completion, json.loads(answer))
        except Misfit as misfit:
            raise Internal(f"the host's answer is not a completion: {misfit}") from None

    def model_name(self) -> str | None:
        """What the stage's model is, such as `openai/qwen2.5-7b`; none for a stage without a model."""
        return self._calls.model_name()

    def cache_get(self, key: str) -> bytes | None:
        """What is kept under a key in the cache that the pipeline gives to the stage (`store = "name"`). A cache that
        cannot be reached finds nothing. Raises `InvalidConfig` if the stage has no cache."""
        return self._calls.cache_get(self._index, key)

    def cache_put(self, key: str, value: bytes, ttl: float | None = None) -> None:
        """Keeps a value of at most 64 MiB in the stage's cache, for as long as the cache's tiers say, or for `ttl` seconds
        if that is shorter. Raises `InvalidConfig` if the stage has no cache."""
        self._calls.cache_put(self._index, key, value, None if ttl is None else max(0, round(ttl * 1000)))

    def fetch(
        self,
        url: str,
        *,
        method: str = "GET",
        headers: Iterable[tuple[str, str]] = (),
        body: bytes = b"",
        timeout: float | None = None,
    ) -> HttpResponse:
        """Makes an HTTP request to a server that the plugin asks for in its permissions (`http:HOST`) and that it was
        granted; the whole answer has to be there within `timeout` seconds, 30 by default.

        Raises `InvalidConfig` if the server was not granted, `InvalidInput` if the request makes no sense, `Unavailable` if
        the server cannot be reached or does not answer in time, `OverBudget` if the answer is too large."""
        timeout_ms = None if timeout is None else max(0, round(timeout * 1000))
        return self._calls.fetch(self._index, method, url, list(headers), body, timeout_ms)

    def tensor(self, tensor: TensorRef) -> TensorReader:
        """Opens a tensor that travels by reference: one that the input named, or an answer to a call of this host, or that this
        call made. It can be read for as long as the call lasts, a slice at a time where it is larger than the plugin's memory.
        Raises `InvalidInput` for any other tensor."""
        calls = self._calls.open_tensor(self._index, json.dumps(tensor.write_json()))
        return TensorReader(calls, tensor.shape)

    def create_tensor(self, shape: Iterable[int]) -> TensorWriter:
        """Begins a tensor of this shape, to be written a piece at a time. Raises `InvalidInput` for a shape that no tensor has,
        `OverBudget` beyond the stage's limit on tensors."""
        lengths = checked_shape(shape)
        return TensorWriter(self._calls.create_tensor(self._index, list(lengths)), lengths)

    def keep_tensor(self, shape: Iterable[int], elements: Iterable[float]) -> TensorRef:
        """Keeps a tensor that is in memory and gives its reference, to be put into an answer. Raises as `create_tensor` does, and
        `InvalidInput` if there are not as many elements as the shape says."""
        writer = self.create_tensor(shape)
        writer.write(elements)
        return writer.finish()
