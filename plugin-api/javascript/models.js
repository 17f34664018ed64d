// Requests for completions, and completions.

import { any, boolean, integer, list, nullable, number, object, oneOf, optional, string } from "./schema.js";
import { tensorRef } from "./tensors.js";

const count = (description) => integer({ minimum: 0, description });

const Message = object(
  {
    role: oneOf("system", "user", "assistant").with({ description: "The author." }),
    content: string({ description: "The text." }),
  },
  { description: "A message of a conversation." },
);

const Capture = object(
  {
    layers: optional(list(count()), { description: "The layers, in this order; all of them without it." }),
    positions: optional(list(integer()), { description: "The positions, in this order; the last alone without it." }),
  },
  { description: "Which hidden states to answer with." },
);

const Edit = object(
  {
    component: oneOf("attention-output", "mlp-down").with({ description: "Whose output is edited." }),
    layer: count("The block, from 0."),
    direction: tensorRef({ description: "Holds the direction, a unit vector: of shape [d], or [rows, d]." }),
    row: integer({ minimum: 0, default: 0, description: "Which row of the tensor, where it has several." }),
    weight: number({ description: "How much of it to take out: 1 takes all of it." }),
    row_normalization: oneOf("none", "pre", "full").with({ default: "none", description: "How norms of rows are treated." }),
  },
  { description: "Takes a direction out of what a component of a layer adds to the residual stream." },
);

const LogProbs = object(
  {
    top: integer({ minimum: 0, default: 0, description: "How many of the likeliest tokens to list at each position." }),
    distribution: boolean({ default: false, description: "Whether to answer with the whole distribution, as a tensor." }),
    on: object(
      {
        first: optional(count(), { description: "The first tokens, this many, that the model itself answers with." }),
        reply: optional(string(), { description: "This reply, read as if the model had generated it." }),
      },
      { default: { first: 1 }, description: "Of which tokens: one of the two." },
    ),
  },
  { description: "Which log-probabilities to answer with." },
);

export const CompletionRequest = object(
  {
    messages: list(Message, { description: "The conversation so far; at least one message." }),
    schema: optional(any(), { description: "JSON Schema (2020-12) of the answer; free text without one." }),
    validate: boolean({
      default: true,
      description: "Whether the host validates the answer against `schema`, and has it repaired once.",
    }),
    cached: boolean({ default: true, description: "Whether the answer may come from the model's cache, and go there." }),
    max_tokens: optional(integer({ minimum: 0 }), { description: "The most tokens of an answer." }),
    temperature: optional(number(), { description: "Temperature of sampling, 0 to 2." }),
    stop: list(string(), { default: [], description: "Texts that end the answer." }),
    seed: optional(integer({ minimum: 0 }), { description: "Seed of sampling, for models that take one." }),
    replicate: integer({ minimum: 0, default: 0, description: "Number of this answer among several to the same prompt." }),
    capture: optional(Capture, { description: "Hidden states to answer with, for models that offer `capture`." }),
    edits: list(Edit, { default: [], description: "Edits to run under, for models that offer `edits`." }),
    logprobs: optional(LogProbs, { description: "Log-probabilities to answer with, for models that offer `logprobs`." }),
    tokenize: boolean({ default: false, description: "Whether to answer with the tokens of the prompt." }),
    embed: boolean({ default: false, description: "Whether to answer with a vector that stands for the prompt." }),
  },
  { description: "A prompt for a model." },
);

const Usage = object({
  input: integer({ minimum: 0, description: "Tokens read." }),
  output: integer({ minimum: 0, description: "Tokens written." }),
  cached_input: integer({ default: 0, minimum: 0, description: "Those of `input` that the server read from its own cache of prompts." }),
  cache_write: integer({ default: 0, minimum: 0, description: "Those of `input` that the server put into its own cache of prompts." }),
  reasoning: integer({ default: 0, minimum: 0, description: "Those of `output` that the model thought in." }),
});

const Captured = object({
  hidden_states: tensorRef({ shape: ["positions", "layers", "d"], description: "The hidden states." }),
  layers: list(count(), { description: "The layers, in order." }),
  positions: list(count(), { description: "The positions in the prompt, from 0, in order." }),
});

const Token = object({
  id: count("Its number in the vocabulary."),
  text: string({ description: "Its text." }),
});

const LikelyToken = object({ token: Token, logprob: number({ description: "Its log-probability." }) });

const TokenLogProbs = object({
  tokens: list(
    object({
      token: Token,
      logprob: nullable(number(), { description: "Its log-probability, given all before it; null if it cannot come." }),
      top: list(LikelyToken, { default: [], description: "The likeliest tokens in its place, the likeliest first." }),
    }),
    { description: "The tokens, in order." },
  ),
  distribution: optional(tensorRef(), { description: "The whole distribution at each position." }),
});

export const Completion = object(
  {
    text: string({ description: "The text; JSON if the request had a schema that the answer was validated against." }),
    finish: oneOf("stop", "length", "other").with({ default: "stop", description: "Why it ended." }),
    usage: optional(nullable(Usage), { description: "Tokens, as the model counts them." }),
    model: optional(string(), { description: "The model, as the server calls it." }),
    cached: boolean({ default: false, description: "Whether no call was made for it. Set by the host." }),
    usd: number({ default: 0, description: "What it cost in USD. Set by the host." }),
    reasoning: optional(string(), { description: "What the model thought before it answered." }),
    captured: optional(Captured, { description: "The hidden states that were asked for." }),
    logprobs: optional(TokenLogProbs, { description: "The log-probabilities that were asked for." }),
    tokens: optional(list(Token), { description: "The tokens of the prompt, if they were asked for." }),
    embedding: optional(tensorRef(), { description: "The vector that was asked for." }),
  },
  { description: "An answer." },
);
