// From what an author writes to what a component exports.

import { failureOf, Internal, InvalidConfig, InvalidInput, InvalidOutput } from "./failures.js";
import { Host } from "./host.js";
import { Completion, CompletionRequest } from "./models.js";
import { Misfit, object } from "./schema.js";
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
  return { stability: "experimental", permissions: [], examples: [], config: object({}), open() {}, ...definition };
};

/** An analyzer. */
export function analyzer(definition) {
  return { kind: "analyzer", ...named(definition), answer: definition.analyze };
}

/** A model. */
export function model(definition) {
  return { kind: "model", ...named(definition), input: CompletionRequest, output: Completion, answer: definition.complete };
}

/** A plugin of these extensions. */
export function plugin(version, ...extensions) {
  return new Plugin(version, extensions);
}

const DIALECT = { $schema: "https://json-schema.org/draft/2020-12/schema" };

class Plugin {
  #version;
  #extensions;
  #opened;

  constructor(version, extensions) {
    this.#version = version;
    this.#extensions = extensions;
  }

  /** What each extension says of itself, as values of the contract. */
  describe() {
    return this.#extensions.map((extension) => ({
      kind: extension.kind,
      name: extension.name,
      version: this.#version,
      summary: extension.summary,
      configSchema: JSON.stringify({ ...DIALECT, ...extension.config.schema(), additionalProperties: false }),
      inputSchema: JSON.stringify({ ...DIALECT, ...extension.input.schema() }),
      outputSchema: JSON.stringify({ ...DIALECT, ...extension.output.schema(true) }),
      permissions: extension.permissions,
      examples: extension.examples.map(({ summary, config = {}, input, output }) => ({
        summary,
        config: JSON.stringify(config),
        input: JSON.stringify(input),
        output: JSON.stringify(output),
      })),
      stability: extension.stability,
    }));
  }

  /** Prepares an extension with its configuration; throws a failure. */
  open(kind, name, text) {
    const extension = this.#extensions.find((one) => one.kind === kind && one.name === name);
    if (extension === undefined) throw new Internal(`no ${kind} \`${name}\``);
    const config = readAs(InvalidConfig, () => extension.config.read(parse(text), "", true));
    try {
      // What `open` gives, if anything, is what calls get as `state`.
      const state = extension.open(config);
      this.#opened = { extension, config, state };
    } catch (thrown) {
      throw failureOf(thrown);
    }
  }

  /** Answers one document, or what it failed of, for each request, in order. */
  call(batch, calls) {
    return batch.map(({ document, context }, index) => {
      try {
        return this.#answer(document, new Host(calls, context, index));
      } catch (thrown) {
        if (thrown instanceof Error && thrown.kind === undefined) {
          calls.log("debug", "plugin", `${thrown.name}: ${thrown.message}\n${thrown.stack}`);
        }
        return failureOf(thrown);
      }
    });
  }

  #answer({ json, tensors }, host) {
    if (this.#opened === undefined) throw new Internal("called before it was opened");
    const { extension, config, state } = this.#opened;
    const input = readAs(InvalidInput, () => extension.input.read(parse(decode(json))));
    const answer = extension.answer(input, { config, state, host, tensors });
    if (answer instanceof Promise) throw new InvalidOutput("answered a promise: host calls answer at once, so nothing is async");
    const [value, beside] = answer instanceof WithTensors ? [answer.value, answer.tensors] : [answer, []];
    const text = readAs(InvalidOutput, () => JSON.stringify(value));
    if (text === undefined) throw new InvalidOutput(`the answer has no JSON form: ${String(value)}`);
    if (/(^|[^\\])(\\\\)*\\ud[89a-f]/.test(text)) throw new InvalidOutput("the answer holds half a surrogate pair: was a text cut?");
    return { json: readAs(InvalidOutput, () => encode(text)), tensors: beside };
  }
}

/** What `read` gives; what it throws because of the value becomes a failure of this class. */
/** A value from JSON. Half a surrogate pair, which only an escape can bring in, is no text: no other language can hold it. */
function parse(json) {
  const whole = (key, value) => {
    if (!key.isWellFormed() || (typeof value === "string" && !value.isWellFormed())) {
      throw new Misfit("a text holds half a surrogate pair");
    }
    return value;
  };
  return JSON.parse(json, /\\u[dD][89a-fA-F]/.test(json) ? whole : undefined);
}

function readAs(Failure, read) {
  try {
    return read();
  } catch (error) {
    const expected = [Misfit, SyntaxError, URIError, TypeError, RangeError].some((kind) => error instanceof kind);
    throw expected ? new Failure(error.message) : error;
  }
}
