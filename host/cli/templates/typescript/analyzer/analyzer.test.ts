import assert from "node:assert/strict";
import { test } from "node:test";

import { wordCount } from "./analyzer.js";
import { type Failure, InvalidConfig, InvalidInput } from "../vendor/jackfield/jackfield.js";
import { call, checkExamples } from "../vendor/jackfield/testing.js";

test("examples hold", () => checkExamples(wordCount));

test("only four characters separate words", () => {
  const counts = call(wordCount, { text: "one\u00a0word\u2028still\x0bit  two\r\n" });
  assert.deepEqual(counts, { words: 2, characters: 24, longest: 17 });
});

test("a text without words", () => {
  assert.deepEqual(call(wordCount, { text: " \t" }), { words: 0, characters: 2, longest: 0 });
});

test("what does not fit is refused", () => {
  const refused = (kind: new (message: string) => Failure, message: string) => (thrown: unknown) => thrown instanceof kind && thrown.message.includes(message);
  assert.throws(() => call(wordCount, {}), refused(InvalidInput, "missing `text`"));
  const text = "";
  const bad = (config: object) => () => call(wordCount, { text }, { config });
  assert.throws(bad({ min_length: 0 }), refused(InvalidConfig, "`min_length`: 0 is less than 1"));
  assert.throws(bad({ min_lenght: 2 }), refused(InvalidConfig, "unknown key `min_lenght`"));
});
