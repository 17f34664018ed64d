import assert from "node:assert/strict";
import { test } from "node:test";

import { medianDifference, sampleStates } from "./direction-extractor.js";
import { call, FakeHost } from "./vendor/jackfield/testing.js";

/** The directions of two sets, and what is known of each layer. */
function extracted(positive, negative, [shape, other] = [[3, 2, 2], [2, 2, 2]]) {
  const host = new FakeHost();
  const contrast = { positive: host.addTensor(shape, positive), negative: host.addTensor(other, negative) };
  const { directions, layers } = call(medianDifference, contrast, { host });
  assert.deepEqual(directions.shape, shape.slice(1));
  return [[...host.tensor(directions)], layers];
}

const zeros = (count) => new Array(count).fill(0);

test("one prompt that is unlike the others does not move it", () => {
  // Prompts of two layers of two components each.
  const [directions, layers] = extracted([1, 1, 0, 3, 1, 1, 0, 5, 1, 1, 900, 4], [1, 1, 0, 0, 1, 1, 0, 0]);
  assert.deepEqual(directions, [0, 0, 0, 1]);
  assert.deepEqual(layers.map(({ degenerate }) => degenerate), [true, false]);
  assert.deepEqual(layers.map((layer) => layer.norm_median_difference), [0, 4]);
  assert.equal(layers[1].norm_mean_negative, 0);
  assert.equal(layers[1].cos_means, undefined);
  assert.ok(Math.abs(layers[0].cos_means - 1) < 1e-9);
});

test("what is not a number is named with its place", () => {
  const message = "`positive`: prompt 2 has a value in layer 1 that is not a number";
  assert.throws(() => extracted([...zeros(10), NaN, 0], zeros(8)), { kind: "invalid-input", message });
});

test("sets that cannot be compared are refused", () => {
  assert.throws(() => extracted(zeros(12), zeros(6), [[3, 2, 2], [2, 1, 3]]), { message: /cannot be compared/ });
  assert.throws(() => extracted(zeros(12), zeros(8), [[3, 4], [2, 4]]), { message: /cannot be compared/ });
  assert.throws(() => extracted([], zeros(8), [[0, 2, 2], [2, 2, 2]]), { message: /is empty/ });
});

test("a direction is found in what is made up", () => {
  const host = new FakeHost();
  const contrast = call(sampleStates, { text: "" }, { host });
  assert.deepEqual(contrast.negative.shape, [8, 3, 16]);
  const { layers } = call(medianDifference, contrast, { host });
  assert.deepEqual(layers.map(({ degenerate }) => degenerate), [true, false, false]);
});

test("an option out of its range is refused", () => {
  const bad = () => call(sampleStates, { text: "" }, { config: { layers: 0 } });
  assert.throws(bad, { message: /`layers`: 0 is less than 1/ });
});
