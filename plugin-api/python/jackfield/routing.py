"""The questions and outcomes that a routing policy is given, and its answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any

from .rng import Random
from .schema import Misfit, Range

_Index = Annotated[int, Range(minimum=0)]


@dataclass
class Arm:
    """Something a stage can run with: what a policy picks from."""

    name: Annotated[str, "The name, unique among the arms: what is learned is kept under it."]
    with_: dict[str, Any] = field(default_factory=dict)
    """The configuration that the arm lays over the stage's own; `with` in JSON."""

    @classmethod
    def read_json(cls, value: Any, place: str) -> Arm:
        """An arm, from JSON. Raises `Misfit`."""
        if not isinstance(value, dict) or not isinstance(value.get("name"), str):
            raise Misfit((f"`{place}`: " if place else "") + "expected an arm, with its `name`")
        return cls(value["name"], value.get("with") or {})

    def write_json(self) -> Any:
        """The JSON object."""
        return {"name": self.name, "with": self.with_}


@dataclass
class PendingDecision:
    """A decision whose outcome is not in yet."""

    arm: Annotated[str, "Name of the arm that was picked first."]
    context: Annotated[str, "The question's context."] = ""


@dataclass
class Question:
    """Asks for an arm."""

    context: str
    """What the item has in common with others that are best served by the same arm, such as a domain; empty where the route has
    no context."""
    arms: list[Arm]
    """The arms, in the order of the pipeline, at least one."""
    tried: list[int]
    """Indices of the arms that failed for good for this item, in the order in which they were tried."""
    pending: list[PendingDecision]
    """The decisions about earlier items whose outcomes are not in yet, in the order of the items."""
    seed: int
    """Where all chance comes from."""

    def random(self) -> Random:
        """A generator seeded for this question."""
        return Random(self.seed)


@dataclass
class Decision:
    """An arm, picked."""

    arm: Annotated[_Index, "Index of the arm in the question's list."]
    scores: list[float | None] = field(default_factory=list)
    """What the arms were compared by, one number per arm in the order of the list; none for an arm that was not compared. For
    reports alone; empty where the policy compares nothing."""

    def write_json(self) -> Any:
        """The JSON object."""
        return {"arm": self.arm, **({"scores": self.scores} if self.scores else {})}


@dataclass
class Attempt:
    """A try of an item with an arm."""

    arm: Annotated[str, "Name of the arm."]
    failed: Annotated[bool, "Whether the stage failed for good with it."] = False


@dataclass
class Objective:
    """One of several measures of an outcome."""

    name: Annotated[str, "The name, such as `cost`."]
    value: Annotated[float, "The value; finite."]
    minimize: Annotated[bool, "Whether less is better."] = False


@dataclass
class Outcome:
    """What came of a decision."""

    attempts: Annotated[list[Attempt], "The arms that the item was tried with, in order."] = field(default_factory=list)
    context: Annotated[str, "The question's context."] = ""
    reward: Annotated[float | None, "How well the item fared; none where that never came."] = None
    objectives: Annotated[list[Objective], "How well the item fared by several measures."] = field(default_factory=list)
    trial: Annotated[_Index | None, "Number of the trial, where values were picked and not an arm."] = None
    values: Annotated[dict[str, Any], "The values that were picked; empty where an arm was."] = field(default_factory=dict)
    reports: Annotated[list[float], "What the trial reported before it was done, in order."] = field(default_factory=list)
    pruned: Annotated[bool, "Whether the trial was stopped after its last report."] = False

    def used(self) -> str | None:
        """Name of the arm that the item used; none if every attempt failed."""
        return self.attempts[-1].arm if self.attempts and not self.attempts[-1].failed else None

    def failed(self) -> Iterator[str]:
        """Names of the arms that failed, in the order in which they were tried."""
        return (attempt.arm for attempt in self.attempts if attempt.failed)


@dataclass
class PolicyQuestion:
    """A question in a document, where the arms stand beside it: see `Question`."""

    seed: Annotated[_Index, "Where all chance comes from."]
    context: str = ""
    tried: list[_Index] = field(default_factory=list)
    pending: list[PendingDecision] = field(default_factory=list)


@dataclass
class PolicyRequest:
    """A policy's work, as a document: checks the arms, takes the outcomes in, then answers the questions, all of them from the
    state after the last outcome."""

    state: Any = None
    arms: list[Arm] = field(default_factory=list)
    learn: list[Outcome] = field(default_factory=list)
    decide: list[PolicyQuestion] = field(default_factory=list)
    again: bool = False


@dataclass
class PolicyAnswer:
    """What a `PolicyRequest` gave."""

    state: Any
    """What is learned by now."""
    decisions: list[Decision | None]
    """One decision per question, in order; none where no arm is left to try."""
