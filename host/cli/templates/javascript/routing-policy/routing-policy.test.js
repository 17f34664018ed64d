import assert from "node:assert/strict";
import { test } from "node:test";

import { greedy, slotMachine } from "./routing-policy.js";
import { call, checkExamples, openPolicy } from "./vendor/jackfield/testing.js";

const used = (arm, reward, context = "") => ({ attempts: [{ arm, failed: false }], context, reward });

test("examples hold", () => {
  checkExamples(greedy);
  checkExamples(slotMachine);
});

test("an arm without a reward comes first, and then the best", () => {
  const policy = openPolicy(greedy, ["a", "b"], { config: { epsilon: 0 } });
  assert.equal(policy.decide().arm, 0);
  policy.learn(used("a", 0.9));
  assert.equal(policy.decide().arm, 1);
  policy.learn(used("b", 0.2));
  assert.deepEqual(policy.decide(), { arm: 0, scores: [0.9, 0.2] });
  // What is learned in one context is not known in another.
  assert.deepEqual(policy.decide(0, "constructor").scores, [null, null]);
});

test("chance picks any arm, and follows the seed", () => {
  const policy = openPolicy(greedy, ["a", "b", "c"], { config: { epsilon: 1 } });
  for (const arm of ["a", "b", "c"]) policy.learn(used(arm, 0.5));
  const decided = () => Array.from({ length: 50 }, (_, seed) => policy.decide(2n ** 63n + BigInt(seed)).arm);
  assert.deepEqual(new Set(decided()), new Set([0, 1, 2]));
  assert.deepEqual(decided(), decided());
});

test("a failure counts as nothing won", () => {
  const policy = openPolicy(greedy, ["a", "b"], { config: { epsilon: 0 } });
  policy.learn({ attempts: [{ arm: "a", failed: true }] });
  policy.learn(used("b", undefined));
  assert.deepEqual(policy.state, { contexts: { "": { a: { count: 1, sum: 0 } } } });
});

test("an option out of its range is refused", () => {
  const bad = () => openPolicy(greedy, ["a"], { config: { epsilon: 2 } });
  assert.throws(bad, { message: /`epsilon`: 2 is more than 1/ });
});

test("a machine that never pays", () => {
  assert.deepEqual(call(slotMachine, { turn: 1 }, { config: { pays: 0 } }), { reward: 0 });
});
