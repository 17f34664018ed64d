// The component: between the contract and a plugin. Only the build imports this file.

import * as cache from "jackfield:plugin/cache@0.1.0";
import * as host from "jackfield:plugin/host@0.1.0";
import * as http from "jackfield:plugin/http@0.1.0";
import * as model from "jackfield:plugin/model@0.1.0";

import { Failure, lifted, lowered } from "./failures.js";
import { Tensor } from "./plugin.js";

/** What a host call gives; what it fails of is thrown as a failure. */
function asked(call) {
  try {
    return call();
  } catch (error) {
    throw error?.payload?.tag === undefined ? error : lifted(error.payload);
  }
}

const calls = {
  log: (level, target, message) => host.log(level, target, message),
  progress: (index, done, total, note) => host.progress(index, done, total, note),
  cancelled: () => host.cancelled(),
  complete: (index, request) => asked(() => model.complete(index, request)),
  modelName: () => model.name(),
  cacheGet: (index, key) => asked(() => cache.get(index, key)),
  cachePut: (index, key, value, ttlMs) => asked(() => cache.put(index, key, value, ttlMs)),
  fetch: (index, request) => asked(() => http.fetch(index, request)),
};

/** What the component exports:
 *
 *     export const { meta, extension } = component(plugin);
 */
export function component(plugin) {
  const described = plugin.describe();
  return {
    meta: { describe: () => described },
    extension: {
      open(kind, name, config) {
        try {
          plugin.open(kind, name, config);
        } catch (thrown) {
          throw thrown instanceof Failure ? lowered(thrown) : thrown;
        }
      },
      call(batch) {
        const requests = batch.map(({ document: { json, tensors }, context }) => ({
          document: { json, tensors: tensors.map(({ name, shape, data }) => new Tensor(name, shape, data)) },
          context: { ...context, seed: BigInt(context.seed) },
        }));
        return plugin.call(requests, calls).map((answer) => {
          return answer instanceof Failure ? { tag: "err", val: lowered(answer) } : { tag: "ok", val: answer };
        });
      },
    },
  };
}
