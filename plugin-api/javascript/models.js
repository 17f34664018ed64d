// What is asked of a model and what it answers.

import { any, boolean, integer, list, nullable, number, object, oneOf, optional, string } from "./schema.js";

const Message = object(
  {
    role: oneOf("system", "user", "assistant").with({ description: "Who speaks." }),
    content: string({ description: "What is said." }),
  },
  { description: "A turn of a conversation." },
);

export const CompletionRequest = object(
  {
    messages: list(Message, { description: "The conversation so far; at least one message." }),
    schema: optional(any(), { description: "JSON Schema (2020-12) of the answer; free text without one." }),
    held: boolean({ default: true, description: "Whether the host holds the answer to `schema`, and repairs it once." }),
    cached: boolean({ default: true, description: "Whether the answer may come from the model's cache, and go there." }),
    max_tokens: optional(integer({ minimum: 0 }), { description: "The most tokens of an answer." }),
    temperature: optional(number(), { description: "Temperature of sampling, 0 to 2." }),
    stop: list(string(), { default: [], description: "Texts that end the answer." }),
    seed: optional(integer(), { description: "Seed of sampling, for servers that take one." }),
    replicate: integer({ default: 0, description: "Number of this answer among several to the same prompt." }),
  },
  { description: "A prompt for a model." },
);

const Usage = object({
  input: integer({ minimum: 0, description: "Tokens read." }),
  output: integer({ minimum: 0, description: "Tokens written." }),
});

export const Completion = object(
  {
    text: string({ description: "The text; JSON if the request had a schema that was held." }),
    finish: oneOf("stop", "length", "other").with({ default: "stop", description: "Why it ended." }),
    usage: optional(nullable(Usage), { description: "Tokens, as the model counts them." }),
    model: optional(string(), { description: "The model, as the server calls it." }),
    cached: boolean({ default: false, description: "Whether no call was made for it. Set by the host." }),
    usd: number({ default: 0, description: "What it cost in USD. Set by the host." }),
  },
  { description: "An answer." },
);
