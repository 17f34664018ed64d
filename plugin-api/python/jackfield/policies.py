"""The kind `routing-policy`."""

from __future__ import annotations

import dataclasses
import typing
from typing import Any, ClassVar

from . import contract
from .extensions import Extension
from .failures import Internal, InvalidInput
from .host import Host
from .routing import Arm, Decision, Outcome, PolicyAnswer, PolicyRequest, Question
from .schema import Json, Misfit, from_json, schema_of, to_json


class RoutingPolicy(Extension):
    """Picks, per item, the arm that a stage runs with, and learns from what came of it. Derive from it, as a dataclass with a
    `NAME`, and write

        def decide(self, state: State, question: Question) -> Decision
        def learn(self, state: State, outcome: Outcome) -> None

    where the state is a dataclass whose fields all have a default: what is learned, to begin with nothing. The host holds it, so a
    policy is a pure function of it: by context and by name of the arm, so that it can be used again with other arms."""

    KIND = "routing-policy"
    LEARNS: ClassVar[str]
    """What an outcome has to carry for the policy to learn: `reward`, `objectives` or `nothing`."""

    def check(self, arms: list[Arm]) -> None:
        """Checks the arms once, before any decision about them. Raises `InvalidConfig` if the configuration does not fit them."""

    def decide(self, state: Any, question: Question) -> Decision:
        """Picks an arm. The same state, question and seed give the same decision."""
        raise NotImplementedError

    def decide_again(self, state: Any, question: Question) -> Decision | None:
        """Picks another arm after one failed for good, not one that `question.tried` lists. Picks none by default."""
        return None

    def learn(self, state: Any, outcome: Outcome) -> None:
        """Learns from one outcome, by changing the state. Outcomes come in the order of the items, one for every item that was decided
        about; one whose reward or objectives never came is not an error. Raises `InvalidInput` for one that cannot be learned from."""
        raise NotImplementedError

    def _answer(self, document: Any, host: Host) -> Any:
        request: PolicyRequest = document
        if request.arms:
            self.check(request.arms)
        kind = self._state()
        try:
            state = kind() if request.state is None else from_json(kind, request.state, "state")
        except Misfit as misfit:
            raise InvalidInput(str(misfit)) from None
        for outcome in request.learn:
            self.learn(state, outcome)
        decisions = []
        for given in request.decide:
            question = Question(given.context, request.arms, given.tried, given.pending, given.seed)
            decisions.append(self._decided(state, question, request.again))
        return PolicyAnswer(_sorted(to_json(state)), decisions)

    def _decided(self, state: Any, question: Question, again: bool) -> Decision | None:
        """The decision, checked against its question."""
        if not again and not question.arms:
            raise InvalidInput("there are no arms to pick from")
        if not again and question.tried:
            raise InvalidInput("a first decision is asked for, and an arm was tried: such a question is asked with `again`")
        decision = self.decide_again(state, question) if again else self.decide(state, question)
        if decision is None and again:
            return None
        if not isinstance(decision, Decision):
            raise Internal(f"the policy `{self.NAME}` decided a {type(decision).__name__}, not a Decision")
        arms, scores = len(question.arms), len(decision.scores)
        if not 0 <= decision.arm < arms:
            raise Internal(f"the policy `{self.NAME}` picked arm {decision.arm} of {arms}")
        if decision.arm in question.tried:
            raise Internal(f"the policy `{self.NAME}` picked arm {decision.arm} again, which failed")
        if scores not in (0, arms):
            raise Internal(f"the policy `{self.NAME}` gave {scores} scores of {arms} arms")
        return decision

    @classmethod
    def _state(cls) -> type:
        """The type of what is learned."""
        hints = typing.get_type_hints(cls.decide, include_extras=True)
        hints.pop("return", None)
        states = [hint for hint in hints.values() if hint is not Question]
        if len(states) != 1 or not dataclasses.is_dataclass(states[0]):
            wanted = "(self, state: State, question: Question) -> Decision, where State is a dataclass"
            raise TypeError(f"{cls.__name__}.decide says what it has learned: {wanted}")
        return typing.cast(type, states[0])

    @classmethod
    def _types(cls) -> tuple[Any, Any]:
        return PolicyRequest, PolicyAnswer

    @classmethod
    def _schemas(cls) -> tuple[Json, Json]:
        learns = getattr(cls, "LEARNS", None)
        if learns not in ("nothing", "reward", "objectives"):
            raise TypeError(f'{cls.__name__} says what it learns from: LEARNS = "reward", "objectives" or "nothing"')
        kind = cls._state()
        try:
            kind()
        except TypeError:
            raise TypeError(f"{kind.__name__} has a field without a default: a policy begins with nothing learned") from None
        read = _with_state(contract.POLICY_REQUEST, schema_of(kind), absent=True)
        return {**read, "x-learns": learns}, _with_state(contract.POLICY_ANSWER, schema_of(kind, written=True), absent=False)


def _with_state(fixed: Json, state: Json, *, absent: bool) -> Json:
    """A schema of the contract with that of what is learned put in."""
    own = {key: value for key, value in state.items() if key not in ("$schema", "$defs")}
    defined = {**fixed.get("$defs", {}), **state.get("$defs", {}), own["title"]: own}
    clash = (set(state.get("$defs", {})) | {own["title"]}) & set(fixed.get("$defs", {}))
    if clash:
        raise TypeError(f"the contract has a class `{sorted(clash)[0]}` already: give that of the state another name")
    reference = {"$ref": f"#/$defs/{own['title']}"}
    described = {"description": fixed["properties"]["state"]["description"]}
    described_state = {"anyOf": [reference, {"type": "null"}]} if absent else reference
    properties = {**fixed["properties"], "state": {**described, **described_state}}
    return {**fixed, "properties": properties, "$defs": defined}


def _sorted(value: Json) -> Json:
    """The value with the keys of its objects in order, so that equal states are equal texts."""
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(one) for one in value] if isinstance(value, list) else value
