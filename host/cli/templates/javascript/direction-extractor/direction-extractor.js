// The direction extractor `{{name}}`, and the analyzer `sample-states`, which makes hidden states up.

import {
  analyzer,
  directionExtractor,
  integer,
  InvalidInput,
  object,
  plugin,
  string,
  tensorRef,
} from "./vendor/jackfield/jackfield.js";

// A few prompts that are unlike the others move it less than they move the difference of the means.
export const medianDifference = directionExtractor({
  name: "{{name}}",
  summary: "Takes the difference of the medians, component by component",

  extract(contrast, { host }) {
    const [positive, negative] = [host.tensor(contrast.positive), host.tensor(contrast.negative)];
    const [shape, other] = [positive.shape, negative.shape];
    if (shape.length !== 3 || other.length !== 3 || shape[1] !== other[1] || shape[2] !== other[2]) {
      throw new InvalidInput(`sets of shapes [${shape}] and [${other}] cannot be compared`);
    }
    if (shape.includes(0) || other.includes(0)) throw new InvalidInput(`a set is empty: [${shape}], [${other}]`);
    const [, layers, d] = shape;
    const directions = host.createTensor([layers, d]);
    const known = [];
    // A layer at a time: the tensors may be larger than the memory.
    for (let layer = 0; layer < layers; layer += 1) {
      const [direction, diagnostics] = compared(
        columns("positive", positive, layer),
        columns("negative", negative, layer),
      );
      directions.write(direction);
      known.push(diagnostics);
    }
    return { directions: directions.finish(), layers: known };
  },
});

/** The direction of a layer, and what is known of it. */
function compared(positive, negative) {
  const means = [positive, negative].map((columns) => columns.map((column) => sum(column) / column.length));
  const norms = means.map(norm);
  const difference = positive.map((column, at) => median(column) - median(negative[at]));
  const length = norm(difference);
  const direction = difference.map((one) => (length > 0 ? one / length : 0));
  const along = sum(means[0].map((one, at) => one * means[1][at]));
  return [
    direction,
    {
      norm_median_difference: length,
      degenerate: length === 0,
      norm_mean_positive: norms[0],
      norm_mean_negative: norms[1],
      norm_difference: norm(means[0].map((one, at) => one - means[1][at])),
      cos_means: norms[0] > 0 && norms[1] > 0 ? along / (norms[0] * norms[1]) : undefined,
    },
  ];
}

/** The components of a layer, each with its values over all prompts in order of size. */
function columns(name, tensor, layer) {
  const [prompts, layers, d] = tensor.shape;
  const found = Array.from({ length: d }, () => new Float64Array(prompts));
  for (let prompt = 0; prompt < prompts; prompt += 1) {
    const row = tensor.read((prompt * layers + layer) * d, d);
    if (!row.every(Number.isFinite)) {
      throw new InvalidInput(`\`${name}\`: prompt ${prompt} has a value in layer ${layer} that is not a number`);
    }
    row.forEach((value, at) => (found[at][prompt] = value));
  }
  return found.map((column) => column.sort());
}

function median(column) {
  const middle = Math.floor(column.length / 2);
  return column.length % 2 === 1 ? column[middle] : (column[middle - 1] + column[middle]) / 2;
}

const sum = (values) => values.reduce((sum, one) => sum + one, 0);
const norm = (vector) => Math.sqrt(sum(vector.map((one) => one * one)));

// The two sets differ in the first component of every layer but the embeddings.
export const sampleStates = analyzer({
  name: "sample-states",
  summary: "Makes hidden states up",

  config: object({
    prompts: integer({ minimum: 1, maximum: 512, default: 8, description: "Prompts a set." }),
    layers: integer({ minimum: 1, maximum: 64, default: 3, description: "Layers, the embeddings among them." }),
    d: integer({ minimum: 1, maximum: 4096, default: 16, description: "Width of a layer." }),
  }),
  input: object({ text: string({ description: "Any text: each item has hidden states of its own." }) }),
  output: object({
    positive: tensorRef({ shape: ["prompts", "layers", "d"], description: "Hidden states that are moved." }),
    negative: tensorRef({ shape: ["prompts", "layers", "d"], description: "Hidden states that are not." }),
  }),

  analyze(_, { config: { prompts, layers, d }, host }) {
    const random = host.random();
    const made = (shift) => {
      const states = new Float32Array(prompts * layers * d);
      states.forEach((_, at) => {
        const [layer, component] = [Math.floor(at / d) % layers, at % d];
        const moved = component === 0 ? shift : 0;
        states[at] = layer > 0 ? random.nextFloat() - 0.5 + moved : 1;
      });
      return host.keepTensor([prompts, layers, d], states);
    };
    return { positive: made(2), negative: made(0) };
  },
});

export default plugin("0.1.0", medianDifference, sampleStates);
