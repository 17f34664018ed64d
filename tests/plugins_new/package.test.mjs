// What the package for JavaScript does with types, failures and chance. Its folder is in JACKFIELD_PACKAGE.

import assert from "node:assert/strict";
import { test } from "node:test";

const folder = process.env.JACKFIELD_PACKAGE;
const jackfield = await import(`${folder}/jackfield.js`);
const { call, checkExamples, FakeHost } = await import(`${folder}/testing.js`);
const { decode, encode } = await import(`${folder}/utf8.js`);

const { any, boolean, integer, list, map, nullable, number, object, oneOf, optional, string, textFile } = jackfield;

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
  assert.deepEqual(tree.read({ leaves: [], parent: null }), { leaves: [], by_name: {}, parent: null });
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
  config: object({ file: optional(textFile()) }),
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
