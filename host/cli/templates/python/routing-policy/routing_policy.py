"""The routing policy `{{name}}`, and the analyzer `slot-machine`, whose arms pay more or less often."""

from dataclasses import dataclass, field
from typing import Annotated, Any

from jackfield import (
    Analyzer,
    Decision,
    Example,
    Host,
    Outcome,
    Question,
    Range,
    RoutingPolicy,
    export_plugin,
)


@dataclass
class Seen:
    """What is known of an arm."""

    count: Annotated[int, "How many rewards came.", Range(minimum=0)] = 0
    sum: Annotated[float, "Their sum."] = 0.0


@dataclass
class Learned:
    """What was learned."""

    contexts: Annotated[dict[str, dict[str, Seen]], "By context, and by name of the arm."] = field(default_factory=dict)


@dataclass
class Greedy(RoutingPolicy):
    """Picks the arm with the greatest mean reward so far, and now and then any arm.

    An arm without a reward comes first. One that failed counts as one with the reward 0."""

    NAME = "{{name}}"
    LEARNS = "reward"

    epsilon: Annotated[float, "How likely any arm is picked.", Range(0, 1)] = 0.1

    def decide(self, state: Learned, question: Question) -> Decision:
        seen = state.contexts.get(question.context, {})
        known = [seen.get(arm.name, Seen()) for arm in question.arms]
        means = [one.sum / one.count if one.count > 0 else None for one in known]
        if None in means:
            # Of those that nothing is known of, the one that was picked least for items that are not done.
            waiting = [pending.arm for pending in question.pending if pending.context == question.context]
            new = [arm for arm, mean in enumerate(means) if mean is None]
            return Decision(min(new, key=lambda arm: waiting.count(question.arms[arm].name)), means)
        random = question.random()
        if random.next_f64() < self.epsilon:
            return Decision(random.below(len(means)), means)
        return Decision(max(range(len(means)), key=means.__getitem__), means)

    def learn(self, state: Learned, outcome: Outcome) -> None:
        arms = state.contexts.setdefault(outcome.context, {})
        rewards = [(arm, 0.0) for arm in outcome.failed()]
        used = outcome.used()
        if used is not None and outcome.reward is not None:
            rewards.append((used, outcome.reward))
        for arm, reward in rewards:
            seen = arms.setdefault(arm, Seen())
            seen.count += 1
            seen.sum += reward

    @classmethod
    def examples(cls) -> list[Example]:
        learned = Learned({"": {"a": Seen(2, 1.0), "b": Seen(1, 0.75)}})
        return [
            Example(
                "Without chance, the greatest mean is picked",
                config={"epsilon": 0.0},
                input={"state": learned, "arms": [{"name": "a"}, {"name": "b"}], "decide": [{"seed": 0}]},
                output={"state": learned, "decisions": [Decision(1, [0.5, 0.75])]},
            )
        ]


@dataclass
class Turn:
    """What `slot-machine` reads."""

    turn: Annotated[Any, "What is played for: anything."]


@dataclass
class Win:
    """What `slot-machine` answers."""

    reward: Annotated[int, "1 for a win, else 0."]


@dataclass
class SlotMachine(Analyzer):
    """Wins now and then."""

    NAME = "slot-machine"

    pays: Annotated[float, "How likely it wins.", Range(0, 1)] = 0.5

    def analyze(self, document: Turn, host: Host) -> Win:
        return Win(int(host.random().next_f64() < self.pays))

    @classmethod
    def examples(cls) -> list[Example]:
        return [Example("One that always pays", config={"pays": 1}, input=Turn(1), output=Win(1))]


Meta, Extension = export_plugin(Greedy, SlotMachine, version="0.1.0")
