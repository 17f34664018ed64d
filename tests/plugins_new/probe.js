// Asks everything of the host that there is to ask.

import * as jackfield from "./vendor/jackfield/jackfield.js";

const { analyzer, integer, list, map, any, model, object, plugin, string, Tensor, withTensors } = jackfield;

export const echo = model({
  name: "echo",
  summary: "Says the last message once more",
  complete: ({ messages }) => ({ text: messages[messages.length - 1].content }),
});

export const probe = analyzer({
  name: "probe",
  summary: "Says what the host answered",
  permissions: [
    { name: "model", reason: "to ask" },
    { name: "cache", reason: "to keep" },
    { name: "http:127.0.0.1:9", reason: "to be refused" },
  ],
  config: object({ word: string({ default: "no", description: "Any word." }) }),
  input: object({ text: string() }),
  output: object({ report: map(any()) }),
  open(config) {
    if (config.word === "bad") throw new jackfield.InvalidConfig("`word` is bad");
    return { word: config.word };
  },
  analyze({ text }, { state, host }) {
    const tried = (ask) => {
      try {
        return ask() ?? null;
      } catch (failure) {
        return failure.kind;
      }
    };
    const kept = () => {
      const value = host.cacheGet("a");
      return value === undefined ? "nothing" : decodeURIComponent(escape(String.fromCharCode(...value)));
    };
    const random = host.random();
    host.log("warn", `said in ${host.context.stage}`);
    host.progress(1, 2, "half");
    host.progress(2);
    return {
      report: {
        word: state.word,
        stage: host.context.stage,
        item: host.context.item,
        seed: String(host.context.seed),
        random: [String(random.nextU64()), String(random.below(1000)), random.nextFloat().toFixed(6)],
        cancelled: host.cancelled(),
        model: host.modelName() ?? null,
        answer: tried(() => host.complete({ messages: [{ role: "user", content: text }] }).text),
        before: tried(kept),
        put: tried(() => host.cachePut("a", "ü", { ttlMs: 60000 })),
        after: tried(kept),
        fetch: tried(() => host.fetch("http://127.0.0.1:9/", { headers: { a: "b" }, body: "x", timeoutMs: 1000 })),
      },
    };
  },
});

export const give = analyzer({
  name: "give",
  summary: "Gives a tensor",
  input: object({ text: string() }),
  output: object({}),
  tensors: true,
  analyze: () => withTensors({}, [new Tensor("t", [2, 3], [0.5, 1, 2, 4, 8, 16])]),
});

export const take = analyzer({
  name: "take",
  summary: "Adds a tensor up",
  input: object({}),
  output: object({ shape: list(integer()), sum: string() }),
  analyze(_, { tensors: [tensor] }) {
    return { shape: tensor.shape, sum: tensor.data.reduce((sum, one) => sum + one, 0).toFixed(1) };
  },
});

export const fail = analyzer({
  name: "fail",
  summary: "Fails as it is told",
  input: object({ kind: string() }),
  output: object({}),
  analyze({ kind }) {
    if (kind === "crash") return undefined.crash;
    if (kind === "rate-limited") throw new jackfield.RateLimited("slowly", { retryAfterMs: 1 });
    const name = kind.replace(/(^|-)./g, (start) => start[start.length - 1].toUpperCase());
    throw new jackfield[name](`told so: ${kind}`);
  },
});

console.log("nobody hears this: the component is being built");

export const surroundings = analyzer({
  name: "surroundings",
  summary: "Uses what is around it, as programs do",
  permissions: ["clock", "random", "env:JACKFIELD_PROBE"].map((name) => ({ name, reason: "to try it" })),
  input: object({ text: string() }),
  output: object({ report: map(any()) }),
  analyze({ text }, { host }) {
    let got = null;
    if (text === "say") {
      console.log("one\n\u001b[2Jtwo");
      console.error("an error");
      console.log("no end");
    } else if (text === "time") {
      got = Date.now() > 1_000_000_000_000;
    } else if (text === "chance") {
      got = String(Math.random());
    } else if (text === "seeded") {
      got = String(host.random().nextFloat());
    } else {
      got = process.env.JACKFIELD_PROBE;
    }
    return { report: { got } };
  },
});

export default plugin("0.1.0", echo, probe, give, take, fail, surroundings);
