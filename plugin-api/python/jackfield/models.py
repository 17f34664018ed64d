"""Requests for completions, and completions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from .documents import TensorRef
from .schema import Json, Range, Shape, fields_to_json

_Count = Annotated[int, Range(minimum=0)]


class _Sparse:
    """A class whose fields are left out of its JSON where they hold none."""

    def write_json(self) -> Json:
        return fields_to_json(self, sparse=True)


@dataclass
class Message:
    """A message of a conversation."""

    role: Annotated[Literal["system", "user", "assistant"], "The author."]
    content: Annotated[str, "The text."]

    @classmethod
    def system(cls, content: str) -> Message:
        """An instruction how to behave."""
        return cls("system", content)

    @classmethod
    def user(cls, content: str) -> Message:
        """A question to the model."""
        return cls("user", content)

    @classmethod
    def assistant(cls, content: str) -> Message:
        """An earlier answer of the model."""
        return cls("assistant", content)


@dataclass
class Capture(_Sparse):
    """Which hidden states to answer with: those of the residual stream. Layer 0 is the embeddings, layer n what the n-th block
    hands on."""

    layers: Annotated[list[_Count] | None, "The layers, in this order; all of them without it."] = None
    positions: Annotated[
        list[int] | None,
        "The positions in the prompt, in this order: from 0 at its first token, or from -1 at its last. The last alone without it.",
    ] = None


@dataclass
class Edit:
    """Takes a direction out of what a component of a layer adds to the residual stream."""

    component: Annotated[
        Literal["attention-output", "mlp-down"], "The output projection of attention, or the down projection of the MLP."
    ]
    layer: Annotated[_Count, "The block, from 0."]
    direction: Annotated[TensorRef, "Holds the direction, a unit vector: of shape [d], or [rows, d]."]
    weight: Annotated[float, "How much of it to take out: 0 leaves everything as it is, 1 takes all of it."]
    row: Annotated[_Count, "Which row of the tensor, where it has several."] = 0
    row_normalization: Annotated[Literal["none", "pre", "full"], "How the norms of the rows are treated."] = "none"


@dataclass
class First:
    """The first so many tokens that the model itself answers with."""

    first: _Count


@dataclass
class Reply:
    """This reply, read as if the model had generated it (teacher forcing)."""

    reply: str


@dataclass
class LogProbs:
    """Which log-probabilities to answer with."""

    top: Annotated[_Count, "How many of the likeliest tokens to list at each position."] = 0
    distribution: Annotated[bool, "Whether to answer with the whole distribution at each position, as a tensor."] = False
    on: Annotated[First | Reply, "Of which tokens."] = field(default_factory=lambda: First(1))


@dataclass
class CompletionRequest(_Sparse):
    """A prompt for a model. Equal requests have equal answers within a cache's lifetime, so whoever wants several answers to
    one prompt counts `replicate` up."""

    messages: Annotated[list[Message], "The conversation so far; at least one message."]
    schema: Annotated[Any, "JSON Schema (2020-12) of the answer; free text without one."] = None
    validate: Annotated[bool, "Whether the host validates the answer against `schema`, and has it repaired once."] = True
    cached: Annotated[bool, "Whether the answer may come from the model's cache, and go there."] = True
    max_tokens: Annotated[_Count | None, "The most tokens of an answer; the server's default without it."] = None
    temperature: Annotated[float | None, "Temperature of sampling, 0 to 2."] = None
    stop: Annotated[list[str], "Texts that end the answer."] = field(default_factory=list)
    seed: Annotated[_Count | None, "Seed of sampling, for models that take one."] = None
    replicate: Annotated[_Count, "Number of this answer among several to the same prompt."] = 0
    capture: Annotated[Capture | None, "Hidden states to answer with, for models that offer `capture`."] = None
    edits: Annotated[list[Edit], "Edits to run under, for models that offer `edits`."] = field(default_factory=list)
    logprobs: Annotated[LogProbs | None, "Log-probabilities to answer with, for models that offer `logprobs`."] = None
    tokenize: Annotated[bool, "Whether to answer with the tokens of the prompt, for models that offer `tokenize`."] = False
    embed: Annotated[bool, "Whether to answer with a vector that stands for the prompt, for models that offer `embed`."] = False


@dataclass
class Usage:
    """Tokens of a call."""

    input: Annotated[_Count, "Tokens read."] = 0
    output: Annotated[_Count, "Tokens written."] = 0
    cached_input: Annotated[_Count, "Those of `input` that the server read from its own cache of prompts."] = 0
    cache_write: Annotated[_Count, "Those of `input` that the server put into its own cache of prompts."] = 0
    reasoning: Annotated[_Count, "Those of `output` that the model thought in."] = 0


@dataclass
class Captured:
    """Hidden states of a prompt."""

    hidden_states: Annotated[TensorRef, "The hidden states.", Shape("positions", "layers", "d")]
    layers: Annotated[list[_Count], "The layers, in order."]
    positions: Annotated[list[_Count], "The positions in the prompt, from 0, in order."]


@dataclass
class Token:
    """A token."""

    id: Annotated[_Count, "Its number in the vocabulary."]
    text: Annotated[str, "Its text; a part of a character is written as U+FFFD."]


@dataclass
class LikelyToken:
    """A token that was likely."""

    token: Annotated[Token, "The token."]
    logprob: Annotated[float, "Its log-probability."]


@dataclass
class TokenLogProb:
    """A token of a sequence, and what was likely in its place. Natural logarithms."""

    token: Annotated[Token, "The token."]
    logprob: Annotated[float | None, "Its log-probability, given all before it; none if it cannot come."]
    top: Annotated[list[LikelyToken], "The likeliest tokens in its place, the likeliest first."] = field(default_factory=list)


@dataclass
class TokenLogProbs(_Sparse):
    """Log-probabilities of a sequence of tokens."""

    tokens: Annotated[list[TokenLogProb], "The tokens, in order."]
    distribution: Annotated[
        TensorRef | None, "The whole distribution at each position, of shape [positions, vocabulary], if it was asked for."
    ] = None


@dataclass
class Completion(_Sparse):
    """An answer."""

    text: Annotated[str, "The text; JSON if the request had a schema that the answer was validated against."]
    finish: Annotated[
        Literal["stop", "length", "other"],
        "Why it ended: it was complete, it reached `max_tokens` or the model's own limit, or something else.",
    ] = "stop"
    usage: Annotated[Usage | None, "Tokens, as the model counts them; the host counts where it does not."] = None
    model: Annotated[str | None, "The model, as the server calls it."] = None
    cached: Annotated[bool, "Whether no call was made for it. Set by the host; a model leaves it."] = False
    usd: Annotated[float, "What its tokens cost in USD, whether or not it was cached. Set by the host; a model leaves it."] = 0.0
    reasoning: Annotated[str | None, "What the model thought before it answered, where it says that apart."] = None
    captured: Annotated[Captured | None, "The hidden states that were asked for."] = None
    logprobs: Annotated[TokenLogProbs | None, "The log-probabilities that were asked for."] = None
    tokens: Annotated[list[Token] | None, "The tokens of the prompt, if they were asked for."] = None
    embedding: Annotated[TensorRef | None, "The vector that was asked for, of shape [d]."] = None
