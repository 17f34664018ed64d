// Tensors that travel by reference, as a plugin reads and makes them.

import { Internal, InvalidInput } from "./failures.js";
import { Misfit, Type } from "./schema.js";

const MAX_DIMENSIONS = 8;
/** The most elements that pass the boundary at a time. */
const AT_A_TIME = 1 << 16;

const isLength = (value) => Number.isSafeInteger(value) && value >= 0;
const elementCount = (shape) => shape.reduce((product, length) => product * length, 1);

/** A tensor by reference: a JSON value `{ $tensor, shape, dtype }`. */
export function tensorRef({ shape, ...options } = {}) {
  const schema = {
    type: "object",
    properties: {
      $tensor: { type: "string", pattern: "^[0-9a-f]{64}$" },
      shape: { type: "array", items: { type: "integer", minimum: 0 }, maxItems: MAX_DIMENSIONS },
      dtype: { enum: ["f32"] },
    },
    required: ["$tensor", "shape", "dtype"],
    additionalProperties: false,
    "x-tensor": shape === undefined ? {} : { shape },
  };
  const read = (value, place) => {
    const at = place === "" ? "" : `\`${place}\`: `;
    const keys = value === null || typeof value !== "object" ? [] : Object.keys(value);
    if (keys.length !== 3 || !["$tensor", "shape", "dtype"].every((key) => keys.includes(key))) {
      throw new Misfit(`${at}expected the reference of a tensor, with \`$tensor\`, \`shape\` and \`dtype\``);
    }
    if (typeof value.$tensor !== "string" || !/^[0-9a-f]{64}$/.test(value.$tensor)) {
      throw new Misfit(`${at}\`$tensor\` is not a SHA-256`);
    }
    if (!Array.isArray(value.shape) || value.shape.length > MAX_DIMENSIONS || !value.shape.every(isLength)) {
      throw new Misfit(`${at}\`shape\` is not a list of at most ${MAX_DIMENSIONS} lengths`);
    }
    if (value.dtype !== "f32") throw new Misfit(`${at}\`dtype\` is not \`f32\``);
    return { $tensor: value.$tensor, shape: [...value.shape], dtype: "f32" };
  };
  return new Type(schema, read, options);
}

const TensorRef = tensorRef();

/** A tensor that can be read, for the time of a call. Made by `host.tensor`. */
export class TensorReader {
  #calls;

  constructor(calls, shape) {
    this.#calls = calls;
    this.shape = [...shape];
    this.length = elementCount(shape);
  }

  read(offset, length) {
    if (!isLength(offset) || !isLength(length) || offset + length > this.length) {
      throw new InvalidInput(`there are no ${length} elements from ${offset} on: the tensor has ${this.length}`);
    }
    const elements = new Float32Array(length);
    for (let at = 0; at < length; at += AT_A_TIME) {
      const wanted = Math.min(AT_A_TIME, length - at);
      const part = this.#calls.read(offset + at, wanted);
      if (part.length !== wanted) throw new Internal("the host gave a different number of elements than was requested");
      elements.set(part, at);
    }
    return elements;
  }

  asArray() {
    return this.read(0, this.length);
  }
}

/** A tensor that is being made, a piece at a time. Made by `host.createTensor`. */
export class TensorWriter {
  #calls;

  constructor(calls, shape) {
    this.#calls = calls;
    this.shape = [...shape];
  }

  write(elements) {
    const all = elements instanceof Float32Array ? elements : Float32Array.from(elements);
    for (let at = 0; at < all.length; at += AT_A_TIME) this.#calls.write(all.slice(at, at + AT_A_TIME));
  }

  finish() {
    return TensorRef.read(JSON.parse(this.#calls.finish()));
  }
}

/** The shape as a list; throws `InvalidInput` for one that no tensor has. */
export function checkedShape(shape) {
  const lengths = [...shape];
  if (lengths.length > MAX_DIMENSIONS) {
    throw new InvalidInput(`a tensor of ${lengths.length} dimensions, more than ${MAX_DIMENSIONS}`);
  }
  if (!lengths.every(isLength) || !Number.isSafeInteger(elementCount(lengths))) {
    throw new InvalidInput(`no tensor has the shape [${lengths}]`);
  }
  return lengths;
}
