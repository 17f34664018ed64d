"""The component: between the values of the contract, as componentize-py makes them, and those of this package.

Imported while a component is built, and only then: `wit_world` and `componentize_py_types` are made for it."""

from __future__ import annotations

import json
from typing import Any

from componentize_py_types import Err, Ok
from wit_world.imports import cache, host, http, model, types

from .documents import Context, Document, Tensor
from .failures import KINDS, Failure, RateLimited
from .host import HttpResponse, Level
from .plugin import Plugin

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


def _lowered(failure: Failure) -> Any:
    if isinstance(failure, RateLimited):
        after = None if failure.after is None else max(0, round(failure.after * 1000))
        return types.Failure_RateLimited(types.RateLimit(failure.message, after))
    return _VARIANTS[failure.kind](failure.message)


def _lifted(error: Err[Any]) -> Failure:
    failure = error.value
    if isinstance(failure, types.Failure_RateLimited):
        after = failure.value.after_ms
        return RateLimited(failure.value.message, None if after is None else after / 1000)
    return KINDS[_KINDS[type(failure)]](failure.value)


class _Calls:
    """The real host."""

    def log(self, level: Level, target: str, message: str) -> None:
        host.log(host.Level[level.upper()], target, message)

    def progress(self, index: int, done: int, total: int | None, note: str) -> None:
        host.progress(index, done, total, note)

    def cancelled(self) -> bool:
        return host.cancelled()

    def complete(self, index: int, request: str) -> str:
        try:
            return model.complete(index, request)
        except Err as error:
            raise _lifted(error) from None

    def model_name(self) -> str | None:
        return model.name()

    def cache_get(self, index: int, key: str) -> bytes | None:
        try:
            return cache.get(index, key)
        except Err as error:
            raise _lifted(error) from None

    def cache_put(self, index: int, key: str, value: bytes, ttl_ms: int | None) -> None:
        try:
            cache.put(index, key, value, ttl_ms)
        except Err as error:
            raise _lifted(error) from None

    def fetch(
        self, index: int, method: str, url: str, headers: list[tuple[str, str]], body: bytes, timeout_ms: int | None
    ) -> HttpResponse:
        asked = http.HttpRequest(method, url, [http.Header(name, value) for name, value in headers], body, timeout_ms)
        try:
            answer = http.fetch(index, asked)
        except Err as error:
            raise _lifted(error) from None
        return HttpResponse(answer.status, [(header.name, header.value) for header in answer.headers], answer.body)


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


def exports(plugin: Plugin) -> tuple[type, type]:
    """The two classes whose methods the component exports."""
    described = _descriptor(plugin)

    class Meta:
        def describe(self) -> list[Any]:
            return described

    class Extension:
        def open(self, kind: str, name: str, config: str) -> None:
            try:
                plugin.open(kind, name, config)
            except Failure as failure:
                raise Err(_lowered(failure)) from None

        def call(self, batch: list[Any]) -> list[Any]:
            requests = []
            for one in batch:
                tensors = [Tensor(tensor.name, tensor.shape, tensor.data) for tensor in one.document.tensors]
                at = one.context
                context = Context(at.stage, at.item, at.element, at.replicate, at.seed)
                requests.append((Document(one.document.json, tensors), context))
            return [_result(answer) for answer in plugin.call(requests, _Calls())]

    return Meta, Extension


def _result(answer: Document | Failure) -> Any:
    if isinstance(answer, Failure):
        return Err(_lowered(answer))
    tensors = [types.Tensor(one.name, one.shape, list(one.data)) for one in answer.tensors]
    return Ok(types.Document(answer.json, tensors))
