// All that the author of a Jackfield plugin in JavaScript or TypeScript needs.
//
//     import { analyzer, integer, object, plugin, string } from "./vendor/jackfield/jackfield.js";
//
//     export const wordCount = analyzer({
//       name: "word-count",
//       summary: "Counts words",
//       config: object({ min_length: integer({ minimum: 1, default: 1, description: "Shorter words are not counted." }) }),
//       input: object({ text: string({ description: "Any text." }) }),
//       output: object({ words: integer({ description: "How many words there are." }) }),
//       analyze({ text }, { config }) {
//         return { words: text.split(/\s+/).filter((word) => word.length >= config.min_length).length };
//       },
//     });
//
//     export default plugin("0.1.0", wordCount);
//
// Whatever can differ between machines (random numbers, models, caches, servers) is asked of the host; an extension is
// otherwise a pure function of its configuration and its input.

import "./globals.js";

export {
  Cancelled,
  Failure,
  Internal,
  InvalidConfig,
  InvalidInput,
  InvalidOutput,
  OverBudget,
  RateLimited,
  Unavailable,
} from "./failures.js";
export { Completion, CompletionRequest } from "./models.js";
export {
  analyzer,
  cacheBackend,
  directionExtractor,
  model,
  plugin,
  routingPolicy,
  Tensor,
  withTensors,
} from "./plugin.js";
export { Random } from "./random.js";
export {
  any,
  boolean,
  integer,
  list,
  map,
  nullable,
  number,
  object,
  oneOf,
  optional,
  string,
  textFile,
  textFiles,
} from "./schema.js";
export { tensorRef } from "./tensors.js";
