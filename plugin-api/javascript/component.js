// The component: between the contract and a plugin. Only the build imports this file.

import * as cache from "jackfield:plugin/cache@0.1.0";
import * as host from "jackfield:plugin/host@0.1.0";
import * as http from "jackfield:plugin/http@0.1.0";
import * as model from "jackfield:plugin/model@0.1.0";
import * as tensors from "jackfield:plugin/tensors@0.1.0";
import * as environment from "wasi:cli/environment@0.2.0";
import * as random from "wasi:random/random@0.2.0";

import { Failure, lifted, lowered } from "./failures.js";
import { connect } from "./globals.js";
import { Tensor } from "./plugin.js";

/** The answer of a host call; an error becomes a failure that is thrown. */
function callHost(call) {
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
  complete: (index, request) => callHost(() => model.complete(index, request)),
  modelName: () => model.name(),
  cacheGet: (index, key) => callHost(() => cache.get(index, key)),
  cachePut: (index, key, value, ttlMs) => callHost(() => cache.put(index, key, value, ttlMs)),
  fetch: (index, request) => callHost(() => http.fetch(index, request)),
  openTensor(index, reference) {
    const reader = callHost(() => tensors.open(index, reference));
    return { read: (offset, length) => callHost(() => reader.read(offset, length)) };
  },
  createTensor(index, shape) {
    const writer = callHost(() => tensors.create(index, shape));
    return { write: (elements) => callHost(() => writer.write(elements)), finish: () => callHost(() => writer.finish()) };
  },
};

/** The result of `call`; a failure is thrown as a value of the contract. */
function answered(call) {
  try {
    return call();
  } catch (thrown) {
    throw thrown instanceof Failure ? lowered(thrown) : thrown;
  }
}

/** The operations of a cache backend. */
function cacheBackendOf(plugin) {
  const operate = (operation, ...parameters) => answered(() => plugin.operate(operation, parameters, calls));
  return {
    get: (key) => operate("get", key) ?? null,
    put: (key, value, ttlMs) => void operate("put", key, value, ttlMs ?? undefined),
    remove: (key) => void operate("remove", key),
    clear: (prefix) => operate("clear", prefix),
    size: (prefix) => operate("size", prefix),
    entries(prefix, after, limit) {
      const found = operate("entries", prefix, after ?? undefined, limit);
      // Rounded down: a value must not seem to be kept for longer than it is.
      const left = (ttlMs) => (ttlMs === undefined ? null : Math.max(0, Math.floor(ttlMs)));
      return found.map(({ key, value, ttlMs }) => ({ key, value, ttlMs: left(ttlMs) }));
    },
    isDurable: () => operate("isDurable"),
  };
}

/** What the component exports:
 *
 *     export const { meta, extension } = component(plugin);
 *
 * and, where it is built for the world `cache-plugin`, `cacheBackend` as well.
 */
export function component(plugin) {
  const described = plugin.describe();
  const system = {
    log: calls.log,
    environment: () => environment.getEnvironment(),
    randomBytes: (length) => random.getRandomBytes(length),
  };
  return {
    cacheBackend: cacheBackendOf(plugin),
    meta: { describe: () => described },
    extension: {
      open(kind, name, config) {
        connect(system);
        answered(() => plugin.open(kind, name, config));
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
