"""A host for unit tests: no Jackfield, no component."""

from __future__ import annotations

import hashlib
import json
import sys
from array import array
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from math import prod
from typing import Any, TypeVar

from .caches import CacheEntry, CacheSize
from .documents import Context, Document, Tensor, TensorRef
from .extensions import CacheBackend, Extension
from .failures import Failure, InvalidConfig, InvalidInput
from .host import Host, HttpResponse, Level
from .models import Completion, CompletionRequest
from .plugin import Plugin
from .policies import RoutingPolicy
from .routing import Arm, Decision, Outcome, PolicyAnswer, PolicyQuestion, PolicyRequest
from .schema import from_json, to_json

T = TypeVar("T")


@dataclass
class FakeHost:
    """The host's side of the calls, with what a test gives it. It records what was logged and requested."""

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
    requests: list[CompletionRequest] = field(default_factory=list)
    """Each request for a completion."""
    tensors: dict[str, array[float]] = field(default_factory=dict)
    """The elements of each tensor that it holds, by SHA-256."""

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
        completion_request = from_json(CompletionRequest, json.loads(request))
        self.requests.append(completion_request)
        answer = self.model(completion_request)
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

    def add_tensor(self, shape: Iterable[int], elements: Iterable[float]) -> TensorRef:
        """Adds a tensor that plugins can open from now on, and returns its reference."""
        lengths, values = tuple(shape), array("f", elements)
        assert prod(lengths) == len(values), f"a tensor of shape {lengths} has {prod(lengths)} elements, not {len(values)}"
        little = array("f", values)
        if sys.byteorder == "big":
            little.byteswap()
        sha256 = hashlib.sha256(little.tobytes()).hexdigest()
        self.tensors[sha256] = values
        return TensorRef(sha256, lengths)

    def tensor(self, tensor: TensorRef | Any) -> array[float]:
        """The elements of a tensor that it holds, by its reference or what that is in JSON."""
        reference = tensor if isinstance(tensor, TensorRef) else TensorRef.read_json(tensor, "")
        return self.tensors[reference.sha256]

    def open_tensor(self, index: int, reference: str) -> HeldTensor:
        tensor = TensorRef.read_json(json.loads(reference), "")
        if tensor.sha256 not in self.tensors:
            raise InvalidInput(f"there is no tensor {tensor.sha256}")
        return HeldTensor(self.tensors[tensor.sha256])

    def create_tensor(self, index: int, shape: list[int]) -> GrowingTensor:
        return GrowingTensor(self, shape)


@dataclass
class HeldTensor:
    """A tensor of the fake host's that is read."""

    elements: array[float]

    def read(self, offset: int, length: int) -> list[float]:
        return self.elements[offset : offset + length].tolist()


@dataclass
class GrowingTensor:
    """A tensor that the fake host takes in."""

    host: FakeHost
    shape: list[int]
    elements: array[float] = field(default_factory=lambda: array("f"))

    def write(self, elements: list[float]) -> None:
        self.elements.extend(elements)
        if len(self.elements) > prod(self.shape):
            raise InvalidInput(self._wrong())

    def finish(self) -> str:
        if len(self.elements) < prod(self.shape):
            raise InvalidInput(self._wrong())
        return json.dumps(self.host.add_tensor(self.shape, self.elements).write_json())

    def _wrong(self) -> str:
        return f"a tensor of shape {self.shape} has {prod(self.shape)} elements, and {len(self.elements)} were written"


def opened(extension: type[Extension], config: Any = None) -> Plugin:
    """A plugin of this extension, opened with a configuration."""
    plugin = Plugin([extension], "0.0.0")
    plugin.open(extension.KIND, extension.NAME, json.dumps(to_json(config or {})))
    return plugin


def call(
    extension: type[Extension],
    document: Any,
    config: Any = None,
    host: FakeHost | None = None,
    *,
    tensors: list[Tensor] | None = None,
    context: Context | None = None,
) -> Any:
    """Opens an extension with a configuration and has it answer one document, as the host does: through JSON, with the types
    checked. Gives the answer as a JSON value; raises its failure."""
    plugin = opened(extension, config)
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


class OpenedCache:
    """A cache backend that was opened with a configuration, and a host for it. Failures are raised."""

    def __init__(self, extension: type[CacheBackend], config: Any = None, host: FakeHost | None = None) -> None:
        self.host = host or FakeHost()
        self._plugin = opened(extension, config)

    def _operate(self, operation: Callable[[CacheBackend, Host], T]) -> T:
        return self._plugin.operate(operation, self.host)

    def get(self, key: str) -> bytes | None:
        """The value under a key."""
        return self._operate(lambda backend, host: backend.get(key, host))

    def put(self, key: str, value: bytes, ttl: float | None = None) -> None:
        """Keeps a value, for `ttl` seconds at the most."""
        self._operate(lambda backend, host: backend.put(key, value, ttl, host))

    def remove(self, key: str) -> None:
        """Forgets a value."""
        self._operate(lambda backend, host: backend.remove(key, host))

    def clear(self, prefix: str = "") -> int:
        """Forgets every value whose key begins with `prefix`, and returns how many there were."""
        return self._operate(lambda backend, host: backend.clear(prefix, host))

    def size(self, prefix: str = "") -> CacheSize:
        """How much is kept under keys that begin with `prefix`."""
        return self._operate(lambda backend, host: backend.size(prefix, host))

    def entries(self, prefix: str = "", after: str | None = None, limit: int = 1000) -> list[CacheEntry]:
        """The values whose keys begin with `prefix` and come after `after`, in order of their keys, at most `limit`."""
        return self._operate(lambda backend, host: backend.entries(prefix, after, limit, host))

    def is_durable(self) -> bool:
        """Whether the values outlive the process."""
        return self._operate(lambda backend, host: backend.is_durable())


class OpenedPolicy:
    """A routing policy that was opened with a configuration, with what it has learned. It is called as the host calls it:
    by documents that carry the state there and back. Failures are raised."""

    def __init__(self, extension: type[RoutingPolicy], arms: Iterable[str | Arm], config: Any = None) -> None:
        self.arms = [Arm(arm) if isinstance(arm, str) else arm for arm in arms]
        self._plugin = opened(extension, config)
        self.state = self._answer(PolicyRequest(arms=self.arms)).state
        """What is learned, as a JSON value."""

    def _answer(self, request: PolicyRequest) -> PolicyAnswer:
        document = Document(json.dumps(to_json(request)).encode())
        (answer,) = self._plugin.call([(document, Context())], FakeHost())
        if isinstance(answer, Failure):
            raise answer
        found = from_json(PolicyAnswer, json.loads(answer.json))
        self.state = found.state
        return found

    def decide(self, seed: int = 0, context: str = "") -> Decision:
        """Picks an arm."""
        request = PolicyRequest(self.state, self.arms, decide=[PolicyQuestion(seed, context)])
        (decision,) = self._answer(request).decisions
        assert decision is not None
        return decision

    def decide_again(self, tried: list[int], seed: int = 0, context: str = "") -> Decision | None:
        """Picks another arm after those failed."""
        request = PolicyRequest(self.state, self.arms, decide=[PolicyQuestion(seed, context, tried)], again=True)
        (decision,) = self._answer(request).decisions
        return decision

    def learn(self, outcome: Outcome) -> None:
        """Learns from an outcome."""
        self._answer(PolicyRequest(self.state, learn=[outcome]))
