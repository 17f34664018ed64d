// The cache backend `{{name}}`: keeps values on a server that takes the commands of Redis over HTTP.

import { cacheBackend, InvalidConfig, object, plugin, string, Unavailable } from "./vendor/jackfield/jackfield.js";

// A command is a JSON list, as in `["GET", "key"]`, and its answer `{"result": "value"}`, as Upstash has it. Each key has the
// namespace before it, and each value is written in hexadecimal digits. The server forgets a value when its time is over.
export const shelf = cacheBackend({
  name: "{{name}}",
  summary: "Keeps values on a server that takes the commands of Redis over HTTP",
  permissions: [{ name: "http:*", reason: "to reach the server that `url` names" }],

  config: object({
    url: string({ default: "http://127.0.0.1:8079", description: "Where the server listens." }),
    namespace: string({
      default: "{{name}}:",
      description: "What each key on the server begins with, so that several can share it.",
    }),
  }),

  open({ url }) {
    if (!/^https?:\/\//.test(url)) {
      throw new InvalidConfig(`\`url\`: ${url} does not begin with \`http://\` or \`https://\``);
    }
  },

  get(key, call) {
    return valueOf(ask(call, "GET", call.config.namespace + key), call);
  },

  put(key, value, ttlMs, call) {
    const [name, digits] = [call.config.namespace + key, toHex(value)];
    if (ttlMs === undefined) ask(call, "SET", name, digits);
    else if (ttlMs > 0) ask(call, "SET", name, digits, "PX", String(ttlMs));
    else ask(call, "DEL", name);
  },

  remove(key, call) {
    ask(call, "DEL", call.config.namespace + key);
  },

  clear(prefix, call) {
    const keys = keysOf(prefix, call);
    return keys.length === 0 ? 0 : ask(call, "DEL", ...keys.map((key) => call.config.namespace + key));
  },

  size(prefix, call) {
    const held = heldOf(keysOf(prefix, call), call);
    const bytes = held.reduce((sum, [key, value]) => sum + lengthOf(key) + value.length, 0);
    return { entries: held.length, bytes };
  },

  entries(prefix, after, limit, call) {
    const keys = keysOf(prefix, call).filter((key) => after === undefined || inOrder(key, after) > 0);
    return heldOf(keys.slice(0, limit), call).map(([key, value]) => {
      const left = ask(call, "PTTL", call.config.namespace + key);
      return { key, value, ttlMs: left < 0 ? undefined : left };
    });
  },

  isDurable: () => true,
});

/** The keys that begin so, without the namespace, in order of their bytes. */
function keysOf(prefix, call) {
  const { namespace } = call.config;
  const pattern = (namespace + prefix).replace(/[*?[\]\\]/g, "\\$&") + "*";
  const keys = ask(call, "KEYS", pattern) ?? [];
  return keys.map((key) => key.slice(namespace.length)).sort(inOrder);
}

/** The keys whose values are still there, with these. */
function heldOf(keys, call) {
  if (keys.length === 0) return [];
  const found = ask(call, "MGET", ...keys.map((key) => call.config.namespace + key));
  const values = found.map((digits) => valueOf(digits, call));
  return keys.map((key, index) => [key, values[index]]).filter(([, value]) => value !== undefined);
}

function valueOf(digits, call) {
  if (digits === null) return undefined;
  if (typeof digits !== "string" || !/^([0-9a-f]{2})*$/.test(digits)) {
    throw new Unavailable(`a value at ${call.config.url} is not in hexadecimal digits`);
  }
  return Uint8Array.from({ length: digits.length / 2 }, (_, at) => parseInt(digits.slice(2 * at, 2 * at + 2), 16));
}

const toHex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

/** What the server answers to a command. */
function ask({ config: { url }, host }, ...command) {
  const answer = host.fetch(url, { method: "POST", body: JSON.stringify(command) });
  let found;
  try {
    found = JSON.parse(answer.text());
  } catch {
    found = undefined;
  }
  if (typeof found?.error === "string") throw new Unavailable(`${url} refused ${command[0]}: ${found.error}`);
  if (found?.result === undefined) {
    throw new Unavailable(`${url} does not answer as Redis does (status ${answer.status})`);
  }
  return found.result;
}

/** Whether one text comes after another by their bytes in UTF-8: the order of code points, not that of JavaScript's units. */
function inOrder(one, other) {
  const [left, right] = [[...one], [...other]];
  const at = left.findIndex((character, index) => character !== right[index]);
  if (at < 0) return left.length - right.length;
  return at >= right.length ? 1 : left[at].codePointAt(0) - right[at].codePointAt(0);
}

/** How many bytes a text has in UTF-8. */
function lengthOf(text) {
  const width = (code) => (code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4);
  return [...text].reduce((sum, character) => sum + width(character.codePointAt(0)), 0);
}

export default plugin("0.1.0", shelf);
