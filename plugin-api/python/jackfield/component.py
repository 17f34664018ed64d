"""The component: between the values of the contract, as componentize-py makes them, and those of this package.

Imported while a component is built, and only then: `wit_world` and `componentize_py_types` are made for it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeVar

from componentize_py_types import Err, Ok
from wit_world.imports import cache, host, http, model, tensors, types

from . import sandbox
from .caches import CacheEntry, CacheSize
from .documents import Context, Document, Tensor
from .extensions import CacheBackend as Backend
from .failures import KINDS, Failure, InvalidInput, RateLimited
from .host import Host, HttpResponse, Level
from .plugin import Plugin

T = TypeVar("T")

_VARIANTS = {
    "invalid-config": types.Failure_InvalidConfig,
    "invalid-input": types.Failure_InvalidInput,
    "invalid-output": types.Failure_InvalidOutput,
    "unavailable": types.Failure_Unavailable,
    "cancelled": types.Failure_Cancelled,
    "over-budget": types.Failure_OverBudget,
    "internal": types.Failure_Internal,
}
_KINDS = {variant: kind for kind, variant in _VARIANTS.items()}


def _shown(text: str) -> str:
    """A text for people, with half a surrogate pair written out: no text of the contract holds one."""
    return text.encode(errors="backslashreplace").decode()


def _whole(text: str) -> str:
    """A text for the host. Raises `InvalidInput` for one that holds half a surrogate pair."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise InvalidInput(f"a text for the host holds half a surrogate pair: {_shown(text)}") from None
    return text


def _lowered(failure: Failure) -> Any:
    if isinstance(failure, RateLimited):
        after_ms = None if failure.retry_after is None else max(0, round(failure.retry_after * 1000))
        return types.Failure_RateLimited(types.RateLimit(_shown(failure.message), after_ms))
    return _VARIANTS[failure.kind](_shown(failure.message))


def _lifted(error: Err[Any]) -> Failure:
    failure = error.value
    if isinstance(failure, types.Failure_RateLimited):
        after_ms = failure.value.after_ms
        return RateLimited(failure.value.message, None if after_ms is None else after_ms / 1000)
    return KINDS[_KINDS[type(failure)]](failure.value)


def _asked(call: Callable[[], T]) -> T:
    """What a host call gives; what it fails of is raised as a failure."""
    try:
        return call()
    except Err as error:
        raise _lifted(error) from None


class _Calls:
    """The real host."""

    def log(self, level: Level, target: str, message: str) -> None:
        host.log(host.Level[level.upper()], target, _shown(message))

    def progress(self, index: int, done: int, total: int | None, note: str) -> None:
        host.progress(index, done, total, _shown(note))

    def cancelled(self) -> bool:
        return host.cancelled()

    def complete(self, index: int, request: str) -> str:
        return _asked(lambda: model.complete(index, request))

    def model_name(self) -> str | None:
        return model.name()

    def cache_get(self, index: int, key: str) -> bytes | None:
        return _asked(lambda: cache.get(index, _whole(key)))

    def cache_put(self, index: int, key: str, value: bytes, ttl_ms: int | None) -> None:
        _asked(lambda: cache.put(index, _whole(key), value, ttl_ms))

    def fetch(
        self, index: int, method: str, url: str, headers: list[tuple[str, str]], body: bytes, timeout_ms: int | None
    ) -> HttpResponse:
        sent = [http.Header(_whole(name), _whole(value)) for name, value in headers]
        asked = http.HttpRequest(_whole(method), _whole(url), sent, body, timeout_ms)
        answer = _asked(lambda: http.fetch(index, asked))
        return HttpResponse(answer.status, [(header.name, header.value) for header in answer.headers], answer.body)

    def open_tensor(self, index: int, reference: str) -> _Reader:
        return _Reader(_asked(lambda: tensors.open(index, reference)))

    def create_tensor(self, index: int, shape: list[int]) -> _Writer:
        return _Writer(_asked(lambda: tensors.create(index, shape)))


class _Reader:
    """A tensor of the host's that is read."""

    def __init__(self, reader: Any) -> None:
        self._reader = reader

    def read(self, offset: int, length: int) -> list[float]:
        return _asked(lambda: self._reader.read(offset, length))


class _Writer:
    """A tensor that the host takes in."""

    def __init__(self, writer: Any) -> None:
        self._writer = writer

    def write(self, elements: list[float]) -> None:
        _asked(lambda: self._writer.write(elements))

    def finish(self) -> str:
        return _asked(self._writer.finish)


def _descriptor(plugin: Plugin) -> list[Any]:
    def text(value: Any) -> str:
        return json.dumps(value, ensure_ascii=False)

    return [
        types.Descriptor(
            kind=one.kind,
            name=one.name,
            version=one.version,
            summary=one.summary,
            config_schema=text(one.config),
            input_schema=text(one.input),
            output_schema=text(one.output),
            permissions=[types.Permission(asked.name, asked.reason) for asked in one.permissions],
            examples=[
                types.Example(shown.summary, text(shown.config), text(shown.input), text(shown.output))
                for shown in one.examples
            ],
            stability=types.Stability[one.stability.upper()],
        )
        for one in plugin.descriptors
    ]


def exports(plugin: Plugin) -> tuple[type, ...]:
    """The classes whose methods the component exports."""
    described = _descriptor(plugin)
    sandbox.prepare()

    class Meta:
        def describe(self) -> list[Any]:
            return described

    class Extension:
        def open(self, kind: str, name: str, config: str) -> None:
            sandbox.begin()
            try:
                plugin.open(kind, name, config)
            except Failure as failure:
                raise Err(_lowered(failure)) from None
            finally:
                sandbox.flush()

        def call(self, batch: list[Any]) -> list[Any]:
            requests = []
            for one in batch:
                tensors = [Tensor(tensor.name, tensor.shape, tensor.data) for tensor in one.document.tensors]
                at = one.context
                context = Context(at.stage, at.item, at.element, at.replicate, at.seed)
                requests.append((Document(one.document.json, tensors), context))
            answers = [_result(answer) for answer in plugin.call(requests, _Calls())]
            sandbox.flush()
            return answers

    return (Meta, Extension, _cache_backend(plugin)) if plugin.has_cache_backends else (Meta, Extension)


def _cache_backend(plugin: Plugin) -> type:
    """The operations of a cache backend."""
    from wit_world.exports import cache_backend

    def operate(operation: Callable[[Backend, Host], T]) -> T:
        try:
            return plugin.operate(operation, _Calls())
        except Failure as failure:
            raise Err(_lowered(failure)) from None
        finally:
            sandbox.flush()

    def entry(one: CacheEntry) -> Any:
        # Rounded down: a value is not said to be kept for longer than it is.
        return cache_backend.CacheEntry(one.key, one.value, None if one.ttl is None else max(0, int(one.ttl * 1000)))

    class CacheBackend:
        def get(self, key: str) -> bytes | None:
            return operate(lambda backend, host: backend.get(key, host))

        def put(self, key: str, value: bytes, ttl_ms: int | None) -> None:
            ttl = None if ttl_ms is None else ttl_ms / 1000
            operate(lambda backend, host: backend.put(key, value, ttl, host))

        def remove(self, key: str) -> None:
            operate(lambda backend, host: backend.remove(key, host))

        def clear(self, prefix: str) -> int:
            return operate(lambda backend, host: backend.clear(prefix, host))

        def size(self, prefix: str) -> Any:
            size: CacheSize = operate(lambda backend, host: backend.size(prefix, host))
            return cache_backend.CacheSize(size.entries, size.bytes)

        def entries(self, prefix: str, after: str | None, limit: int) -> list[Any]:
            found = operate(lambda backend, host: backend.entries(prefix, after, limit, host))
            return [entry(one) for one in found]

        def is_durable(self) -> bool:
            return operate(lambda backend, host: backend.is_durable())

    return CacheBackend


def _result(answer: Document | Failure) -> Any:
    if isinstance(answer, Failure):
        return Err(_lowered(answer))
    tensors = [types.Tensor(one.name, one.shape, list(one.data)) for one in answer.tensors]
    return Ok(types.Document(answer.json, tensors))
