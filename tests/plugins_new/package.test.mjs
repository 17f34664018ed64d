// What the package for JavaScript does with types, failures and chance. Its folder is in JACKFIELD_PACKAGE.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";

const folder = process.env.JACKFIELD_PACKAGE;
const jackfield = await import(`${folder}/jackfield.js`);
const { call, checkExamples, FakeHost } = await import(`${folder}/testing.js`);
const { decode, encode } = await import(`${folder}/utf8.js`);

const { any, boolean, integer, list, map, nullable, number, object, oneOf, optional, string, textFile, textFiles } = jackfield;

const leaf = object({
  size: number({ minimum: 0, maximum: 10, description: "How large." }),
  colour: oneOf("red", "blue").with({ default: "red" }),
  note: optional(string()),
  green: boolean({ default: false }),
});
const tree = object({ leaves: list(leaf), by_name: map(integer(), { default: {} }), parent: nullable(any()) });

test("a schema has every field", () => {
  const schema = tree.schema();
  assert.deepEqual(schema.required, ["leaves", "parent"]);
  assert.deepEqual(schema.properties.parent, { anyOf: [{}, { type: "null" }] });
  const { properties, required } = schema.properties.leaves.items;
  assert.deepEqual(required, ["size"]);
  assert.deepEqual(properties.size, { type: "number", minimum: 0, maximum: 10, description: "How large." });
  assert.deepEqual(properties.colour, { enum: ["red", "blue"], default: "red" });
  assert.deepEqual(leaf.schema(true).required, ["size", "colour", "green"]);
});

test("values are read with their defaults", () => {
  assert.deepEqual(leaf.read({ size: 1, other: 2 }), { size: 1, colour: "red", note: undefined, green: false });
  const { by_name, ...rest } = tree.read({ leaves: [], parent: null });
  assert.deepEqual(rest, { leaves: [], parent: null });
  // A key is one like any other, and what stands in for an absent one belongs to whoever reads it.
  assert.equal(by_name.constructor, undefined);
  by_name.constructor = 1;
  assert.deepEqual(Object.keys(tree.read({ leaves: [], parent: null }).by_name), []);
  assert.equal(leaf.read({ size: 1, note: null }).note, undefined);
});

test("a misfit is told with its place", () => {
  for (const [value, wanted] of [
    [{ leaves: [{ size: "big" }], parent: 1 }, "`leaves[0].size`: expected a number, found a string"],
    [{ leaves: [{ size: 11 }], parent: 1 }, "`leaves[0].size`: 11 is more than 10"],
    [{ leaves: [{ size: 1, colour: "pink" }], parent: 1 }, "`leaves[0].colour`: expected one of `red`, `blue`, found a string"],
    [{ leaves: [{ size: 1, note: 1 }], parent: 1 }, "`leaves[0].note`: expected a string, found 1"],
    [{ leaves: [], by_name: { a: 1.5 }, parent: 1 }, "`by_name.a`: expected an integer, found 1.5"],
    [{ leaves: {}, parent: 1 }, "`leaves`: expected a list, found an object"],
    [{}, "missing `leaves`, `parent`"],
    [[], "expected an object, found a list"],
  ]) {
    assert.throws(() => tree.read(value), { message: wanted });
  }
  assert.throws(() => leaf.read({ size: 1, x: 2 }, "", true), { message: /^unknown key `x`, expected `size`/ });
});

const probe = jackfield.analyzer({
  name: "probe",
  summary: "Does as it is told",
  config: object({ file: optional(textFile()), files: optional(textFiles()) }),
  input: object({ text: string() }),
  output: object({ size: number() }),
  examples: [{ summary: "wrong", input: { text: "ab" }, output: { size: 3 } }],
  analyze({ text }, { config }) {
    switch (text) {
      case "crash":
        return undefined.size;
      case "string":
        throw "a string";
      case "promise":
        return Promise.resolve({ size: 1 });
      case "nothing":
        return undefined;
      case "big":
        return { size: 1n };
      case "file":
        return { size: config.file.text.length };
      case "files":
        return { size: config.files.reduce((size, { text }) => size + text.length, 0) };
    }
    return { size: text.length };
  },
});

test("anything thrown becomes a failure with its place", () => {
  const host = new FakeHost();
  assert.throws(() => call(probe, { text: "crash" }, { host }), { kind: "internal", message: /TypeError.*package.test.mjs:\d+/ });
  assert.deepEqual(host.logged.map(({ level }) => level), ["debug"]);
  assert.throws(() => call(probe, { text: "string" }), { kind: "internal", message: "threw a string" });
});

test("an answer without a JSON form is refused", () => {
  for (const text of ["promise", "nothing", "big"]) {
    assert.throws(() => call(probe, { text }), { kind: "invalid-output" });
  }
  // JSON writes half a pair as an escape, which no other reader takes.
  assert.throws(() => encode("\ud800"), URIError);
});

test("a file is handed over with the options", () => {
  const config = { file: { path: "a.txt", text: "abc" } };
  assert.deepEqual(call(probe, { text: "file" }, { config }), { size: 3 });
});

test("the files of a folder are handed over with the options", () => {
  const files = [{ path: "p/a.txt", text: "abc" }, { path: "p/b.txt", text: "d" }];
  assert.deepEqual(call(probe, { text: "files" }, { config: { files } }), { size: 4 });
  const wrong = { files: [{ path: "p/a.txt" }] };
  assert.throws(() => call(probe, { text: "files" }, { config: wrong }), { kind: "invalid-config", message: /files\[0\]/ });
});

test("examples that do not hold are told", () => {
  assert.throws(() => checkExamples(probe), { name: "AssertionError", message: /`wrong`/ });
});

test("first numbers are those of the published generator", () => {
  const random = new FakeHost().view({ seed: 1234567n }).random();
  const drawn = [random.nextU64(), random.nextU64(), random.nextU64()];
  assert.deepEqual(drawn, [6457827717110365317n, 3203168211198807973n, 9817491932198370423n]);
  assert.equal(new jackfield.Random(7).below(0), 0);
  assert.equal(new Set(Array.from({ length: 50 }, (_, seed) => new jackfield.Random(seed).below(3))).size, 3);
});

test("texts go to bytes and back", () => {
  const text = "aä€🦀\u0000\u{10ffff}".repeat(5000);
  assert.deepEqual(Buffer.from(encode(text)), Buffer.from(text));
  assert.equal(decode(Buffer.from(text)), text);
  assert.equal(decode(new Uint8Array()), "");
  assert.throws(() => decode(new Uint8Array([0xff])), URIError);
});

test("a tensor has the elements of its shape", () => {
  assert.deepEqual([...new jackfield.Tensor("t", [2], [1, 2]).data], [1, 2]);
  assert.throws(() => new jackfield.Tensor("t", [2], [1]), { kind: "invalid-output" });
});

const { cacheBackend, directionExtractor, model, plugin, routingPolicy, tensorRef } = jackfield;
const { openCache, openPolicy } = await import(`${folder}/testing.js`);

test("a reference is read as it is written, and nothing else is one", () => {
  const good = { $tensor: "0".repeat(64), shape: [2, 3], dtype: "f32" };
  assert.deepEqual(tensorRef().read(good), good);
  for (const bad of [{ ...good, dtype: "f64" }, { ...good, more: 1 }, { ...good, shape: [-1] }, { ...good, $tensor: "0" }, [], null]) {
    assert.throws(() => tensorRef().read(bad, "at"), { message: /^`at`: / });
  }
  assert.deepEqual(tensorRef({ shape: ["n", 3, null] }).schema()["x-tensor"], { shape: ["n", 3, null] });
});

test("tensors are read and made a slice at a time, within their shape", () => {
  const host = new FakeHost();
  const view = host.view();
  const long = Float32Array.from({ length: 70_000 }, (_, at) => at);
  const reference = view.keepTensor([2, 35_000], long);
  assert.deepEqual(view.tensor(reference).asArray(), long);
  assert.deepEqual([...view.tensor(reference).read(69_998, 2)], [69_998, 69_999]);
  for (const [offset, length] of [[69_999, 2], [-1, 1], [0, 0.5]]) {
    assert.throws(() => view.tensor(reference).read(offset, length), { kind: "invalid-input" });
  }
  assert.throws(() => view.keepTensor([3], [1]), { kind: "invalid-input", message: /has 3 elements, and 1 were/ });
  assert.throws(() => view.keepTensor([1], [1, 2]), { kind: "invalid-input" });
  assert.throws(() => view.createTensor(new Array(9).fill(1)), { kind: "invalid-input" });
  assert.throws(() => view.tensor({ ...reference, $tensor: "0".repeat(64) }), { kind: "invalid-input" });
  // SHA-256 of the four bytes of 1.0, the least first.
  const one = view.keepTensor([1], [1]).$tensor;
  assert.equal(one, createHash("sha256").update(Buffer.from([0, 0, 0x80, 0x3f])).digest("hex"));
});

/** What an extension says of itself. */
function described(extension) {
  const [said] = plugin("1.0.0", extension).describe();
  return { ...said, input: JSON.parse(said.inputSchema), output: JSON.parse(said.outputSchema) };
}

test("each kind says what the contract has it say", () => {
  const common = { name: "a", summary: "Does something" };
  const complete = () => ({ text: "" });
  assert.equal(described(model({ ...common, complete })).input["x-offers"], undefined);
  const offers = { complete: true, local: "/local" };
  assert.deepEqual(described(model({ ...common, complete, offers })).input["x-offers"], offers);
  assert.throws(() => model({ ...common, complete, offers: { fly: true } }), TypeError);

  const extractor = described(directionExtractor({ ...common, extract() {} }));
  assert.deepEqual(extractor.output.properties.directions["x-tensor"], { shape: ["layers", "d"] });
  const state = object({ seen: integer({ default: 0 }) });
  const policy = { ...common, state, learns: "reward", decide: () => ({ arm: 0 }), learn() {} };
  assert.equal(described(routingPolicy(policy)).input["x-learns"], "reward");
  assert.deepEqual(described(routingPolicy(policy)).output.properties.state.properties.seen, { type: "integer" });
  assert.throws(() => routingPolicy({ ...policy, learns: "gossip" }), TypeError);
  assert.throws(() => routingPolicy({ ...policy, state: object({ seen: integer() }) }), TypeError);
  assert.throws(() => cacheBackend(common), TypeError);

  const give = { ...common, input: object({}), output: object({}), analyze: () => jackfield.withTensors({}, []) };
  assert.throws(() => call(jackfield.analyzer(give), {}), { kind: "invalid-output", message: /tensors: true/ });
  assert.equal(described(jackfield.analyzer({ ...give, tensors: true })).output["x-tensors"], true);
});

test("a model is asked for what it offers alone", () => {
  const config = object({ reads: object({ well: boolean() }) });
  const offers = { complete: true, tokenize: "/reads/well" };
  const parrot = model({ name: "parrot", summary: "Says nothing", config, offers, complete: () => ({ text: "" }) });
  const asked = (more) => ({ messages: [{ role: "user", content: "Hello" }], ...more });
  const ask = (well, more) => call(parrot, asked(more), { config: { reads: { well } } });
  assert.equal(ask(false, {}).text, "");
  assert.equal(ask(true, { tokenize: true }).text, "");
  const edit = { component: "mlp-down", layer: 0, direction: { $tensor: "0".repeat(64), shape: [1], dtype: "f32" }, weight: 1 };
  for (const more of [{ tokenize: true }, { embed: true }, { capture: {} }, { logprobs: {} }, { edits: [edit] }]) {
    const [ability] = Object.keys(more);
    const message = `the model \`parrot\` does not offer \`${ability}\`, which was asked for`;
    assert.throws(() => ask(false, more), { kind: "invalid-input", message });
  }
});

test("a policy is held to its question, and reads seeds of 64 bits", () => {
  let decided = { arm: 0 };
  let seen;
  const policy = routingPolicy({
    name: "told",
    summary: "Decides as it is told",
    learns: "nothing",
    state: object({}),
    decide(_, question) {
      seen = question.seed;
      return decided;
    },
    decideAgain: () => decided,
    learn() {},
  });
  const opened = openPolicy(policy, ["a", "b"]);
  for (const seed of [0n, 5n, 2n ** 53n + 1n, 2n ** 64n - 1n]) {
    opened.decide(seed, '\\"seed":12345678901234567890');
    assert.equal(seen, seed);
  }
  for (const [wrong, message] of [
    [{ arm: 2 }, "the policy `told` picked arm 2 of 2"],
    [{ arm: 1, scores: [1, 2, 3] }, "the policy `told` gave 3 scores of 2 arms"],
    [undefined, "the policy `told` decided something other than an arm"],
  ]) {
    decided = wrong;
    assert.throws(() => opened.decide(), { kind: "internal", message });
  }
  decided = { arm: 1 };
  assert.throws(() => opened.decideAgain([1]), { message: "the policy `told` picked arm 1 again, which failed" });
  decided = undefined;
  assert.equal(opened.decideAgain([1]), null);
});

test("a cache backend answers operations, and no documents", () => {
  const none = () => undefined;
  const operations = { put: none, remove: none, clear: () => 0, size: none, entries: () => [], isDurable: () => false };
  const backend = cacheBackend({ name: "a", summary: "Fails", get: () => undefined.x, ...operations });
  const host = new FakeHost();
  assert.throws(() => openCache(backend, { host }).get("a"), { kind: "internal" });
  assert.deepEqual(host.logged.map(({ level }) => level), ["debug"]);
  assert.equal(openCache(backend).clear(), 0);
  assert.throws(() => call(backend, {}), { kind: "invalid-input" });
  assert.throws(() => openCache(probe).get("a"), { message: "the analyzer `probe` is not a cache backend" });
});

test("the globals that QuickJS lacks are made of what the host gives", async () => {
  const names = ["console", "process", "crypto"];
  const kept = Object.fromEntries(names.map((name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)]));
  const { random } = Math;
  const said = [];
  const errors = [];
  const got = {};
  try {
    Object.defineProperty(globalThis, "console", { value: undefined, writable: true, configurable: true });
    Object.defineProperty(globalThis, "crypto", { value: undefined, writable: true, configurable: true });
    const { connect } = await import(`${folder}/globals.js?in-a-component`);
    console.log("nobody hears this");
    connect({
      log: (level, target, message) => said.push(`${level} ${message}`),
      environment: () => [["GRANTED", "yes"]],
      randomBytes: (length) => new Array(length).fill(255),
    });
    console.log("text", { a: [1n, null] }, 2n, undefined, new Map([["k", 1]]), () => 1);
    console.warn("one\n\n two");
    console.assert(true, "no");
    console.assert(false, "yes");
    const circle = {};
    circle.circle = circle;
    console.error(circle);
    got.random = Math.random();
    got.uuid = crypto.randomUUID();
    got.environment = [process.env.GRANTED, "OTHER" in process.env, { ...process.env }];
    try {
      process.env.OTHER;
    } catch (error) {
      errors.push(error.message);
    }
    process.env.OTHER = "set";
    got.set = process.env.OTHER;
  } finally {
    for (const name of names) Object.defineProperty(globalThis, name, kept[name]);
    Math.random = random;
  }
  assert.deepEqual(said, [
    'info text {"a":["1n",null]} 2n undefined Map [["k",1]] [function ]',
    "warn one",
    "warn  two",
    "error assertion failed: yes",
    "error [object Object]",
  ]);
  assert.equal(got.random, 1 - 2 ** -53);
  assert.equal(got.uuid, "ffffffff-ffff-4fff-bfff-ffffffffffff");
  assert.deepEqual(got.environment, ["yes", false, { NODE_ENV: "production", GRANTED: "yes" }]);
  assert.equal(got.set, "set");
  assert.match(errors[0], /^process\.env\.OTHER is not there: it is not set where jackfield runs, or not granted: the plugin asks for `env:OTHER` in its permissions/);
});
