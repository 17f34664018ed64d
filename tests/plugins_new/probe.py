"""Asks everything of the host that there is to ask."""

import os
import random
import sys
import time
from dataclasses import dataclass
from typing import Annotated, Any

from jackfield import (
    Analyzer,
    Completion,
    CompletionRequest,
    Failure,
    Host,
    Message,
    Model,
    Permission,
    RateLimited,
    Tensor,
    WithTensors,
    export_plugin,
)
from jackfield.failures import KINDS


@dataclass
class Echo(Model):
    """Says the last message once more."""

    NAME = "echo"

    def complete(self, request: CompletionRequest, host: Host) -> Completion:
        return Completion(request.messages[-1].content)


@dataclass
class Text:
    text: str


@dataclass
class Report:
    report: dict[str, Any]


@dataclass
class Probe(Analyzer):
    """Says what the host answered."""

    NAME = "probe"

    word: Annotated[str, "Any word."] = "no"

    @classmethod
    def permissions(cls) -> list[Permission]:
        asked = {"model": "to ask", "cache": "to keep", "http:127.0.0.1:9": "to be refused"}
        return [Permission(name, reason) for name, reason in asked.items()]

    def open(self) -> None:
        if self.word == "bad":
            raise KINDS["invalid-config"]("`word` is bad")

    def analyze(self, document: Text, host: Host) -> Report:
        def tried(ask: Any) -> Any:
            try:
                return ask()
            except Failure as failure:
                return failure.kind

        def kept() -> str:
            value = host.cache_get("a")
            return "nothing" if value is None else value.decode()

        random = host.random()
        host.log("warn", f"said in {host.context.stage}")
        host.progress(1, 2, "half")
        host.progress(2)
        return Report(
            {
                "word": self.word,
                "stage": host.context.stage,
                "item": host.context.item,
                "seed": str(host.context.seed),
                "random": [str(random.next_u64()), str(random.below(1000)), f"{random.next_f64():.6f}"],
                "cancelled": host.cancelled(),
                "model": host.model_name(),
                "answer": tried(lambda: host.complete(CompletionRequest([Message.user(document.text)])).text),
                "before": tried(kept),
                "put": tried(lambda: host.cache_put("a", "ü".encode(), 60)),
                "after": tried(kept),
                "fetch": tried(lambda: host.fetch("http://127.0.0.1:9/", headers=[("a", "b")], body=b"x", timeout=1)),
            }
        )


@dataclass
class Nothing:
    pass


@dataclass
class Give(Analyzer):
    """Gives a tensor."""

    NAME = "give"

    def analyze(self, document: Text, host: Host) -> WithTensors[Nothing]:
        return WithTensors(Nothing(), [Tensor("t", [2, 3], [0.5, 1, 2, 4, 8, 16])])


@dataclass
class Sum:
    shape: list[int]
    sum: str


@dataclass
class Take(Analyzer):
    """Adds a tensor up."""

    NAME = "take"

    def analyze(self, document: WithTensors[Nothing], host: Host) -> Sum:
        tensor = document.tensor("t")
        return Sum(tensor.shape, f"{sum(tensor.data):.1f}")


@dataclass
class Kind:
    kind: str


@dataclass
class Fail(Analyzer):
    """Fails as it is told."""

    NAME = "fail"

    def analyze(self, document: Kind, host: Host) -> Nothing:
        if document.kind == "crash":
            return Nothing()["crash"]  # type: ignore[index]
        if document.kind == "rate-limited":
            raise RateLimited("slowly", retry_after=0.001)
        raise KINDS[document.kind](f"told so: {document.kind}")


@dataclass
class Surroundings(Analyzer):
    """Uses what is around it, as programs do."""

    NAME = "surroundings"

    @classmethod
    def permissions(cls) -> list[Permission]:
        return [Permission(name, "to try it") for name in ("clock", "random", "env:JACKFIELD_PROBE")]

    def analyze(self, document: Text, host: Host) -> Report:
        got: Any = None
        if document.text == "say":
            print("one\n\x1b[2Jtwo")
            print("an error", file=sys.stderr)
            print("no end", end="")
        elif document.text == "time":
            got = time.time() > 1_000_000_000
        elif document.text == "chance":
            got = str(random.random())
        elif document.text == "seeded":
            random.seed(host.context.seed)
            got = str(random.random())
        else:
            got = os.environ["JACKFIELD_PROBE"]
        return Report({"got": got})


Meta, Extension = export_plugin(Echo, Probe, Give, Take, Fail, Surroundings, version="0.1.0")
