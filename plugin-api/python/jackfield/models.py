"""What is asked of a model and what it answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from .schema import Range

_Count = Annotated[int, Range(minimum=0)]


@dataclass
class Message:
    """A turn of a conversation."""

    role: Annotated[Literal["system", "user", "assistant"], "Who speaks."]
    content: Annotated[str, "What is said."]

    @classmethod
    def system(cls, content: str) -> Message:
        """How to behave."""
        return cls("system", content)

    @classmethod
    def user(cls, content: str) -> Message:
        """What is asked."""
        return cls("user", content)

    @classmethod
    def assistant(cls, content: str) -> Message:
        """What was answered."""
        return cls("assistant", content)


@dataclass
class CompletionRequest:
    """A prompt for a model. Equal requests have equal answers within a cache's lifetime, so whoever wants several answers to
    one prompt counts `replicate` up."""

    messages: Annotated[list[Message], "The conversation so far; at least one message."]
    schema: Annotated[Any, "JSON Schema (2020-12) of the answer; free text without one."] = None
    held: Annotated[bool, "Whether the host holds the answer to `schema`, and repairs it once."] = True
    cached: Annotated[bool, "Whether the answer may come from the model's cache, and go there."] = True
    max_tokens: Annotated[int | None, "The most tokens of an answer; the server's default without it."] = None
    temperature: Annotated[float | None, "Temperature of sampling, 0 to 2."] = None
    stop: Annotated[list[str], "Texts that end the answer."] = field(default_factory=list)
    seed: Annotated[int | None, "Seed of sampling, for servers that take one."] = None
    replicate: Annotated[_Count, "Number of this answer among several to the same prompt."] = 0


@dataclass
class Usage:
    """Tokens of a call."""

    input: Annotated[_Count, "Tokens read."] = 0
    output: Annotated[_Count, "Tokens written."] = 0


@dataclass
class Completion:
    """An answer."""

    text: Annotated[str, "The text; JSON if the request had a schema that was held."]
    finish: Annotated[
        Literal["stop", "length", "other"],
        "Why it ended: it was complete, it reached `max_tokens` or the model's own limit, or something else.",
    ] = "stop"
    usage: Annotated[Usage | None, "Tokens, as the model counts them; the host counts where it does not."] = None
    model: Annotated[str | None, "The model, as the server calls it."] = None
    cached: Annotated[bool, "Whether no call was made for it. Set by the host; a model leaves it."] = False
    usd: Annotated[float, "What its tokens cost in USD, whether or not it was cached. Set by the host; a model leaves it."] = 0.0
