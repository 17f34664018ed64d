// A host for unit tests: no Jackfield, no component.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";

import { Failure, InvalidConfig, InvalidInput } from "./failures.js";
import { Host } from "./host.js";
import { Completion, CompletionRequest } from "./models.js";
import { plugin } from "./plugin.js";
import { tensorRef } from "./tensors.js";
import { decode, encode } from "./utf8.js";

const OUTSIDE_RUN = { stage: "", item: "", element: 0, replicate: 0, seed: 0n };

/** The host's side of the calls, with what a test gives it. It records what was logged and requested. */
export class FakeHost {
  logged = [];
  progressed = [];
  requests = [];
  tensors = new Map();

  constructor({ model, cache, server, isCancelled = false } = {}) {
    Object.assign(this, { model, cache, server, isCancelled });
  }

  view(context = {}) {
    return new Host(this, { ...OUTSIDE_RUN, ...context }, 0);
  }

  log(level, _target, message) {
    this.logged.push({ level, message });
  }

  progress(_index, done, total, note) {
    this.progressed.push({ done, total, note });
  }

  cancelled() {
    return this.isCancelled;
  }

  complete(_index, request) {
    if (this.model === undefined) throw new InvalidConfig('the stage has no model: give it one with `model = "name"`');
    const completionRequest = CompletionRequest.read(JSON.parse(request));
    this.requests.push(completionRequest);
    const answer = this.model(completionRequest);
    return JSON.stringify(Completion.read(typeof answer === "string" ? { text: answer } : answer));
  }

  modelName() {
    return this.model === undefined ? null : "fake";
  }

  #cache() {
    if (this.cache === undefined) throw new InvalidConfig('the stage has no cache: give it one with `store = "name"`');
    return this.cache;
  }

  cacheGet(_index, key) {
    return this.#cache().get(key) ?? null;
  }

  cachePut(_index, key, value, _ttlMs) {
    this.#cache().set(key, value);
  }

  fetch(_index, request) {
    if (this.server === undefined) throw new InvalidConfig("this host makes no HTTP requests");
    const { status, headers = [], body = "" } = this.server(request);
    return { status, headers, body: typeof body === "string" ? encode(body) : body };
  }

  addTensor(shape, elements) {
    const values = Float32Array.from(elements);
    const wanted = shape.reduce((product, length) => product * length, 1);
    assert.equal(values.length, wanted, `the elements of a tensor of shape [${shape}]`);
    const bytes = Buffer.alloc(values.length * 4);
    values.forEach((element, index) => bytes.writeFloatLE(element, index * 4));
    const $tensor = createHash("sha256").update(bytes).digest("hex");
    this.tensors.set($tensor, values);
    return { $tensor, shape: [...shape], dtype: "f32" };
  }

  tensor(reference) {
    const elements = this.tensors.get(tensorRef().read(reference).$tensor);
    if (elements === undefined) throw new InvalidInput(`there is no tensor ${reference.$tensor}`);
    return elements;
  }

  openTensor(_index, reference) {
    const elements = this.tensor(JSON.parse(reference));
    return { read: (offset, length) => [...elements.subarray(offset, offset + length)] };
  }

  createTensor(_index, shape) {
    const wanted = shape.reduce((product, length) => product * length, 1);
    const elements = [];
    const wrong = () => new InvalidInput(`a tensor of shape [${shape}] has ${wanted} elements, and ${elements.length} were written`);
    return {
      write(part) {
        for (const element of part) elements.push(element);
        if (elements.length > wanted) throw wrong();
      },
      finish: () => {
        if (elements.length < wanted) throw wrong();
        return JSON.stringify(this.addTensor(shape, elements));
      },
    };
  }
}

function opened(extension, config) {
  const offered = plugin("0.0.0", extension);
  offered.open(extension.kind, extension.name, JSON.stringify(config));
  return offered;
}

/**
 * Opens an extension with a configuration and has it answer one document, as the host does: through JSON, with the types checked.
 * Gives the answer as a JSON value; throws its failure.
 */
export function call(extension, document, { config = {}, host = new FakeHost(), context = {}, tensors = [] } = {}) {
  const offered = opened(extension, config);
  const request = { document: { json: encode(JSON.stringify(document)), tensors }, context: { ...OUTSIDE_RUN, ...context } };
  const [answer] = offered.call([request], host);
  if (answer instanceof Failure) throw answer;
  return JSON.parse(decode(answer.json));
}

/** Runs the worked examples of an extension; throws an `AssertionError` for one whose output is another. */
export function checkExamples(extension, host) {
  for (const { summary, config, input, output } of extension.examples) {
    assert.deepEqual(call(extension, input, { config, host }), output, `example \`${summary}\` gives something else`);
  }
}

/** A cache backend that was opened with a configuration, and a host for it. Failures are thrown. */
export function openCache(extension, { config = {}, host = new FakeHost() } = {}) {
  const offered = opened(extension, config);
  const operate = (operation, ...parameters) => offered.operate(operation, parameters, host);
  return {
    host,
    get: (key) => operate("get", key),
    put: (key, value, ttlMs) => operate("put", key, typeof value === "string" ? encode(value) : value, ttlMs),
    remove: (key) => operate("remove", key),
    clear: (prefix = "") => operate("clear", prefix),
    size: (prefix = "") => operate("size", prefix),
    entries: (prefix = "", after = undefined, limit = 1000) => operate("entries", prefix, after, limit),
    isDurable: () => operate("isDurable"),
  };
}

/**
 * A routing policy that was opened with a configuration, with what it has learned. It is called as the host calls it: by
 * documents that carry the state there and back. Failures are thrown.
 */
export function openPolicy(extension, arms, { config = {} } = {}) {
  const offered = opened(extension, config);
  const all = arms.map((arm) => (typeof arm === "string" ? { name: arm, with: {} } : arm));
  const policy = { state: undefined };
  const ask = (request) => {
    // A seed of 64 bits is written as the number that it is.
    const json = JSON.stringify(request, (key, value) => (typeof value === "bigint" ? `#${value}` : value));
    const document = { json: encode(json.replace(/"#(\d+)"/g, "$1")), tensors: [] };
    const [answer] = offered.call([{ document, context: OUTSIDE_RUN }], new FakeHost());
    if (answer instanceof Failure) throw answer;
    const found = JSON.parse(decode(answer.json));
    policy.state = found.state;
    return found.decisions;
  };
  ask({ arms: all });
  return Object.assign(policy, {
    decide(seed = 0n, context = "") {
      return ask({ state: policy.state, arms: all, decide: [{ context, seed: BigInt(seed) }] })[0];
    },
    decideAgain(tried, seed = 0n, context = "") {
      return ask({ state: policy.state, arms: all, decide: [{ context, tried, seed: BigInt(seed) }], again: true })[0];
    },
    learn(outcome) {
      ask({ state: policy.state, learn: [outcome] });
    },
  });
}
