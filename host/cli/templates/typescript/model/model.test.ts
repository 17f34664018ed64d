import assert from "node:assert/strict";
import { test } from "node:test";

import { ask, parrot } from "./model.js";
import { type Failure, InvalidConfig, InvalidInput } from "../vendor/jackfield/jackfield.js";
import { call, checkExamples, FakeHost } from "../vendor/jackfield/testing.js";

const prompt = (...contents: string[]) => ({ messages: contents.map((content) => ({ role: "user", content })) });
const refused = (kind: new (message: string) => Failure, message: string) => (thrown: unknown) => thrown instanceof kind && thrown.message.includes(message);

test("examples hold", () => checkExamples(parrot));

test("the last message is repeated", () => {
  const answer = call(parrot, prompt("one two", "three  four"));
  assert.equal(answer.text, "three four");
  assert.equal(answer.finish, "stop");
  assert.deepEqual(answer.usage, { input: 4, output: 2 });
});

test("max_tokens is heeded", () => {
  const answer = call(parrot, { ...prompt("one two three"), max_tokens: 1 });
  assert.equal(answer.text, "one");
  assert.equal(answer.finish, "length");
});

test("what does not fit is refused", () => {
  const schema = { type: "object" };
  assert.throws(() => call(parrot, { ...prompt("one"), schema }), refused(InvalidInput, "no schema"));
  assert.throws(() => call(parrot, prompt()), refused(InvalidInput, "no message"));
  const config = { words: 0 };
  assert.throws(() => call(parrot, prompt("one"), { config }), refused(InvalidConfig, "`words`: 0 is less than 1"));
});

test("the model is asked", () => {
  const host = new FakeHost({ model: ({ messages }) => messages[0]!.content.toUpperCase() });
  assert.deepEqual(call(ask, { text: "hello" }, { host }), { answer: "HELLO" });
  assert.equal(host.requests.length, 1);
});

test("without a model it fails", () => {
  assert.throws(() => call(ask, { text: "hello" }), refused(InvalidConfig, "no model"));
});
