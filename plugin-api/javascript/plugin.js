// From what an author writes to what a component exports.

import { failureOf, Internal, InvalidConfig, InvalidInput, InvalidOutput } from "./failures.js";
import * as contract from "./contract.js";
import { Host } from "./host.js";
import { CompletionRequest } from "./models.js";
import { PolicyRequest, routed } from "./routing.js";
import { any, Misfit, object } from "./schema.js";
import { tensorRef } from "./tensors.js";
import { decode, encode } from "./utf8.js";

/** A named array of 32-bit floats, row-major. */
export class Tensor {
  constructor(name, shape, data) {
    this.name = name;
    this.shape = [...shape];
    this.data = data instanceof Float32Array ? data : Float32Array.from(data);
    const wanted = this.shape.reduce((product, length) => product * length, 1);
    if (wanted !== this.data.length) {
      throw new InvalidOutput(`the tensor \`${name}\` has ${this.data.length} elements, but the shape [${this.shape}]`);
    }
  }
}

class WithTensors {
  constructor(value, tensors) {
    this.value = value;
    this.tensors = tensors;
  }
}

/** An answer with tensors beside it. */
export function withTensors(value, tensors) {
  return new WithTensors(value, tensors);
}

const named = (definition) => {
  for (const key of ["name", "summary"]) {
    if (typeof definition[key] !== "string") throw new TypeError(`an extension needs a \`${key}\``);
  }
  return { stability: "experimental", permissions: [], examples: [], config: object({}), open() {}, checkRequest() {}, parse, ...definition };
};

const DIALECT = { $schema: "https://json-schema.org/draft/2020-12/schema" };

/** An analyzer. */
export function analyzer(definition) {
  const answer = definition.analyze;
  return {
    kind: "analyzer",
    tensors: false,
    ...named(definition),
    answer,
    schemas() {
      const beside = this.tensors ? { "x-tensors": true } : {};
      return [{ ...DIALECT, ...this.input.schema() }, { ...DIALECT, ...this.output.schema(true), ...beside }];
    },
  };
}

const ABILITIES = ["complete", "capture", "edits", "logprobs", "tokenize", "embed", "local"];

/** Whether a request asks a model for more than a text. */
const ASKED = {
  capture: ({ capture }) => capture !== undefined,
  edits: ({ edits }) => edits.length > 0,
  logprobs: ({ logprobs }) => logprobs !== undefined,
  tokenize: ({ tokenize }) => tokenize,
  embed: ({ embed }) => embed,
};

/** What stands at a JSON pointer (RFC 6901) in a value. */
function atPointer(value, pointer) {
  if (pointer !== "" && !pointer.startsWith("/")) return undefined;
  const keys = pointer.split("/").slice(1).map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
  return keys.reduce((inside, key) => (inside !== null && typeof inside === "object" ? inside[key] : undefined), value);
}

/** A model. */
export function model(definition) {
  const { offers = { complete: true }, complete: answer } = definition;
  for (const [ability, condition] of Object.entries(offers)) {
    if (!ABILITIES.includes(ability) || (condition !== true && typeof condition !== "string")) {
      const known = ABILITIES.join(", ");
      throw new TypeError(`a model offers \`${ability}\`: ${condition}; each of ${known} goes with true or a pointer`);
    }
  }
  const checkRequest = (request, options) => {
    const has = (ability) => {
      const condition = offers[ability];
      return (typeof condition === "string" ? atPointer(options, condition) : condition) === true;
    };
    const missing = Object.keys(ASKED).find((ability) => ASKED[ability](request) && !has(ability));
    if (missing !== undefined) {
      throw new InvalidInput(`the model \`${definition.name}\` does not offer \`${missing}\`, which was asked for`);
    }
  };
  const beyond = JSON.stringify(offers) === JSON.stringify({ complete: true }) ? {} : { "x-offers": offers };
  return {
    kind: "model",
    ...named(definition),
    input: CompletionRequest,
    checkRequest,
    answer,
    schemas: () => [{ ...contract.COMPLETION_REQUEST, ...beyond }, contract.COMPLETION],
  };
}

const ContrastSet = object({ positive: tensorRef(), negative: tensorRef() });

/** A direction extractor. */
export function directionExtractor(definition) {
  const answer = definition.extract;
  const schemas = () => [contract.CONTRAST_SET, contract.DIRECTIONS];
  return { kind: "direction-extractor", ...named(definition), input: ContrastSet, answer, schemas };
}

/** A cache backend. */
export function cacheBackend(definition) {
  const operations = ["get", "put", "remove", "clear", "size", "entries", "isDurable"];
  const missing = operations.find((operation) => typeof definition[operation] !== "function");
  if (missing !== undefined) throw new TypeError(`a cache backend needs a function \`${missing}\``);
  const answer = () => {
    throw new InvalidInput("a cache backend is not called with documents");
  };
  return { kind: "cache-backend", ...named(definition), input: any(), answer, schemas: () => [{}, {}] };
}

/** A routing policy. */
export function routingPolicy(definition) {
  const { state, learns } = definition;
  if (!["nothing", "reward", "objectives"].includes(learns)) {
    throw new TypeError("a routing policy declares what it learns from: `learns` is `reward`, `objectives` or `nothing`");
  }
  try {
    state.read({});
  } catch (misfit) {
    throw new TypeError(`a policy begins with nothing learned, so its state is an object with defaults: ${misfit.message}`);
  }
  const answer = (request, call) => routed(definition, request, call);
  const schemas = () => [
    { ...withState(contract.POLICY_REQUEST, { anyOf: [state.schema(), { type: "null" }] }), "x-learns": learns },
    withState(contract.POLICY_ANSWER, state.schema(true)),
  ];
  return { kind: "routing-policy", ...named(definition), input: PolicyRequest, answer, schemas, parse: parseRequest };
}

/** A schema of the contract with that of what is learned put in. */
function withState(fixed, schema) {
  const { description } = fixed.properties.state;
  return { ...fixed, properties: { ...fixed.properties, state: { description, ...schema } } };
}

/** A plugin of these extensions. */
export function plugin(version, ...extensions) {
  return new Plugin(version, extensions);
}

class Plugin {
  #version;
  #extensions;
  #opened;

  constructor(version, extensions) {
    this.#version = version;
    this.#extensions = extensions;
  }

  /** The description of each extension, as values of the contract. */
  describe() {
    return this.#extensions.map((extension) => {
      const [inputSchema, outputSchema] = extension.schemas();
      return this.#described(extension, inputSchema, outputSchema);
    });
  }

  #described(extension, inputSchema, outputSchema) {
    return {
      kind: extension.kind,
      name: extension.name,
      version: this.#version,
      summary: extension.summary,
      configSchema: JSON.stringify({ ...DIALECT, ...extension.config.schema(), additionalProperties: false }),
      inputSchema: JSON.stringify(inputSchema),
      outputSchema: JSON.stringify(outputSchema),
      permissions: extension.permissions,
      examples: extension.examples.map(({ summary, config = {}, input, output }) => ({
        summary,
        config: JSON.stringify(config),
        input: JSON.stringify(input),
        output: JSON.stringify(output),
      })),
      stability: extension.stability,
    };
  }

  /** Prepares an extension with its configuration; throws a failure. */
  open(kind, name, text) {
    const extension = this.#extensions.find((one) => one.kind === kind && one.name === name);
    if (extension === undefined) throw new Internal(`no ${kind} \`${name}\``);
    const options = readAs(InvalidConfig, () => parse(text));
    const config = readAs(InvalidConfig, () => extension.config.read(options, "", true));
    try {
      // What `open` gives, if anything, is what calls get as `state`.
      const state = extension.open(config);
      this.#opened = { extension, options, config, state };
    } catch (thrown) {
      throw failureOf(thrown);
    }
  }

  /** Answers one document, or a failure, for each request, in order. */
  call(batch, calls) {
    return batch.map(({ document, context }, index) => {
      try {
        return this.#answer(document, new Host(calls, context, index));
      } catch (thrown) {
        noted(thrown, calls);
        return failureOf(thrown);
      }
    });
  }

  /** What an operation on the cache backend that was opened gives; throws a failure. */
  operate(operation, parameters, calls) {
    try {
      if (this.#opened === undefined) throw new Internal("called before it was opened");
      const { extension, config, state } = this.#opened;
      if (extension.kind !== "cache-backend") {
        throw new Internal(`the ${extension.kind} \`${extension.name}\` is not a cache backend`);
      }
      const host = new Host(calls, OUTSIDE_RUN, 0);
      return immediate(extension[operation](...parameters, { config, state, host, tensors: [] }));
    } catch (thrown) {
      noted(thrown, calls);
      throw failureOf(thrown);
    }
  }

  #answer({ json, tensors }, host) {
    if (this.#opened === undefined) throw new Internal("called before it was opened");
    const { extension, options, config, state } = this.#opened;
    const input = readAs(InvalidInput, () => extension.input.read(extension.parse(decode(json))));
    extension.checkRequest(input, options);
    const answer = immediate(extension.answer(input, { config, state, host, tensors }));
    const [value, beside] = answer instanceof WithTensors ? [answer.value, answer.tensors] : [answer, []];
    if (answer instanceof WithTensors && extension.tensors !== true) {
      throw new InvalidOutput("answered with tensors beside a value: its definition has to say so, by `tensors: true`");
    }
    const text = readAs(InvalidOutput, () => JSON.stringify(value));
    if (text === undefined) throw new InvalidOutput(`the answer has no JSON form: ${String(value)}`);
    if (/(^|[^\\])(\\\\)*\\ud[89a-f]/.test(text)) throw new InvalidOutput("the answer holds half a surrogate pair: was a text cut?");
    return { json: readAs(InvalidOutput, () => encode(text)), tensors: beside };
  }
}

/** The context of an operation of a cache, which belongs to no document of a run. */
const OUTSIDE_RUN = { stage: "", item: "", element: 0, replicate: 0, seed: 0n };

/** Logs an exception that is not a failure. */
function noted(thrown, calls) {
  if (thrown instanceof Error && thrown.kind === undefined) {
    calls.log("debug", "plugin", `${thrown.name}: ${thrown.message}\n${thrown.stack}`);
  }
}

/** An answer, which must not be a promise. */
function immediate(answer) {
  if (answer instanceof Promise) throw new InvalidOutput("answered a promise: host calls answer at once, so nothing is async");
  return answer;
}

/** A value from JSON. Half a surrogate pair, which only an escape can bring in, is not text: no other language can hold it. */
function parse(json) {
  const whole = (key, value) => {
    if (!key.isWellFormed() || (typeof value === "string" && !value.isWellFormed())) {
      throw new Misfit("a text holds half a surrogate pair");
    }
    return value;
  };
  return JSON.parse(json, /\\u[dD][89a-fA-F]/.test(json) ? whole : undefined);
}

/**
 * A policy's request from JSON. A seed has 64 bits, which a number of JavaScript does not have: it is read as text. A quotation mark
 * that no backslash stands before begins or ends a text, so what is found is a key.
 */
function parseRequest(json) {
  const request = parse(json);
  const exact = JSON.parse(json.replace(/(?<!\\)("seed"\s*:\s*)(\d{16,})/g, '$1"$2"'));
  for (const [index, question] of (Array.isArray(request?.decide) ? request.decide : []).entries()) {
    const seed = exact.decide[index]?.seed;
    if (!Number.isSafeInteger(seed) && !/^\d{16,20}$/.test(seed)) throw new Misfit(`\`decide[${index}].seed\` is not a seed`);
    question.seed = BigInt(seed);
  }
  return request;
}

/** What `read` gives; what it throws because of the value becomes a failure of this class. */
function readAs(Failure, read) {
  try {
    return read();
  } catch (error) {
    const expected = [Misfit, SyntaxError, URIError, TypeError, RangeError].some((kind) => error instanceof kind);
    throw expected ? new Failure(error.message) : error;
  }
}
