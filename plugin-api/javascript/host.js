// What a plugin may call on its host.

import { Internal } from "./failures.js";
import { Completion } from "./models.js";
import { Random } from "./random.js";
import { checkedShape, TensorReader, TensorWriter } from "./tensors.js";
import { decode, encode } from "./utf8.js";

/** A plugin's view of the host during one call for one document. */
export class Host {
  #calls;
  #index;

  constructor(calls, context, index) {
    this.#calls = calls;
    this.context = context;
    this.#index = index;
  }

  random() {
    return new Random(this.context.seed);
  }

  log(level, message) {
    this.#calls.log(level, "plugin", message);
  }

  progress(done, total, note = "") {
    this.#calls.progress(this.#index, done, total ?? null, note);
  }

  cancelled() {
    return this.#calls.cancelled();
  }

  complete(request) {
    const completionRequest = typeof request === "string" ? { messages: [{ role: "user", content: request }] } : request;
    const answer = JSON.parse(this.#calls.complete(this.#index, JSON.stringify(completionRequest)));
    try {
      return Completion.read(answer);
    } catch (error) {
      throw new Internal(`the host's answer is not a completion: ${error.message}`);
    }
  }

  modelName() {
    return this.#calls.modelName() ?? undefined;
  }

  cacheGet(key) {
    return this.#calls.cacheGet(this.#index, key) ?? undefined;
  }

  cachePut(key, value, { ttlMs } = {}) {
    this.#calls.cachePut(this.#index, key, bytesOf(value), milliseconds(ttlMs));
  }

  fetch(url, { method = "GET", headers = {}, body = "", timeoutMs } = {}) {
    const lines = Object.entries(headers).map(([name, value]) => ({ name, value }));
    const request = { method, url, headers: lines, body: bytesOf(body), timeoutMs: milliseconds(timeoutMs) };
    return new HttpResponse(this.#calls.fetch(this.#index, request));
  }

  tensor(reference) {
    return new TensorReader(this.#calls.openTensor(this.#index, JSON.stringify(reference)), reference.shape);
  }

  createTensor(shape) {
    const lengths = checkedShape(shape);
    return new TensorWriter(this.#calls.createTensor(this.#index, lengths), lengths);
  }

  keepTensor(shape, elements) {
    const writer = this.createTensor(shape);
    writer.write(elements);
    return writer.finish();
  }
}

class HttpResponse {
  constructor({ status, headers, body }) {
    this.status = status;
    this.headers = headers;
    this.body = body;
  }

  header(name) {
    return this.headers.find((header) => header.name === name.toLowerCase())?.value;
  }

  text() {
    return decode(this.body);
  }
}

const bytesOf = (value) => (typeof value === "string" ? encode(value) : value);
const milliseconds = (value) => (value === undefined ? null : Math.max(0, Math.round(value)));
