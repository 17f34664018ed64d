// The model `{{name}}`, which repeats what it is told, and the analyzer `ask`, which asks a model.

import { analyzer, integer, InvalidInput, model, object, plugin, string } from "./vendor/jackfield/jackfield.js";

// A token is a word here. Of the wishes of a request it heeds `max_tokens`.
export const parrot = model({
  name: "{{name}}",
  summary: "Repeats the first words of the last message",

  config: object({
    words: integer({ minimum: 1, default: 8, description: "Most words of an answer." }),
  }),

  examples: [
    {
      summary: "Two words at most",
      config: { words: 2 },
      input: { messages: [{ role: "user", content: "Polly wants a cracker" }] },
      output: { text: "Polly wants", finish: "length", usage: { input: 4, output: 2 }, cached: false, usd: 0 },
    },
  ],

  complete({ messages, schema, max_tokens }, { config }) {
    if (schema !== undefined) throw new InvalidInput("a parrot follows no schema");
    if (messages.length === 0) throw new InvalidInput("there is no message to answer");
    const heard = words(messages[messages.length - 1].content);
    const said = heard.slice(0, Math.min(config.words, max_tokens ?? config.words));
    const read = messages.reduce((sum, message) => sum + words(message.content).length, 0);
    return {
      text: said.join(" "),
      finish: said.length < heard.length ? "length" : "stop",
      usage: { input: read, output: said.length },
      cached: false,
      usd: 0,
    };
  },
});

export const ask = analyzer({
  name: "ask",
  summary: "Puts a text to the stage's model",
  permissions: [{ name: "model", reason: "to put the text to" }],

  input: object({ text: string({ description: "What to ask." }) }),
  output: object({ answer: string({ description: "What the model said." }) }),

  analyze({ text }, { host }) {
    return { answer: host.complete(text).text };
  },
});

const words = (text) => text.split(/\s+/).filter((word) => word !== "");

export default plugin("0.1.0", parrot, ask);
