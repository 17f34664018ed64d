// A host for unit tests: no Jackfield, no component.

import assert from "node:assert/strict";

import { Failure, InvalidConfig } from "./failures.js";
import { Host } from "./host.js";
import { Completion, CompletionRequest } from "./models.js";
import { plugin } from "./plugin.js";
import { decode, encode } from "./utf8.js";

const NOWHERE = { stage: "", item: "", element: 0, replicate: 0, seed: 0n };

/** The host's side of the calls, with what a test gives it. It keeps what was said and asked. */
export class FakeHost {
  logged = [];
  progressed = [];
  asked = [];

  constructor({ model, cache, server, isCancelled = false } = {}) {
    Object.assign(this, { model, cache, server, isCancelled });
  }

  view(context = {}) {
    return new Host(this, { ...NOWHERE, ...context }, 0);
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
    const asked = CompletionRequest.read(JSON.parse(request));
    this.asked.push(asked);
    const answer = this.model(asked);
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
}

/**
 * Opens an extension with a configuration and has it answer one document, as the host does: through JSON, held to the types.
 * Gives the answer as a JSON value; throws its failure.
 */
export function call(extension, document, { config = {}, host = new FakeHost(), context = {}, tensors = [] } = {}) {
  const offered = plugin("0.0.0", extension);
  offered.open(extension.kind, extension.name, JSON.stringify(config));
  const request = { document: { json: encode(JSON.stringify(document)), tensors }, context: { ...NOWHERE, ...context } };
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
