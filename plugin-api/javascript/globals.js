// What programs in JavaScript look for in `globalThis` and QuickJS does not have: `console`, `process.env`, `crypto`. In Node.js, where
// tests run, they are there already and stay as they are.

/** What the component gives. While it is built there is no host to ask. */
let system;

/**
 * From now on the host is asked: `system` has `log(level, target, message)`, `environment()`, a list of names with values, and
 * `randomBytes(length)`. `Math.random`, which would give the same numbers in each instance, gives those of the host.
 */
export function connect(given) {
  system = given;
  Math.random = () => {
    const [high, low] = new Uint32Array(Uint8Array.from(system.randomBytes(8)).buffer);
    return ((high >>> 5) * 2 ** 26 + (low >>> 6)) / 2 ** 53;
  };
}

/** A value as `console` shows it: text as it is, and of other values what can be told. */
function shown(value) {
  if (typeof value === "string") return value;
  if (value instanceof Error) return `${value.name}: ${value.message}\n${value.stack}`.trimEnd();
  if (typeof value === "function") return `[function ${value.name}]`;
  if (typeof value === "bigint") return `${value}n`;
  if (value instanceof Map) return `Map ${shown([...value])}`;
  if (value instanceof Set) return `Set ${shown([...value])}`;
  if (typeof value !== "object" || value === null) return String(value);
  try {
    return JSON.stringify(value, (key, inner) => (typeof inner === "bigint" ? `${inner}n` : inner)) ?? String(value);
  } catch {
    return String(value);
  }
}

/** Each line becomes one of the log. What is said while the component is built is said to nobody. */
const log = (level) => (...values) => {
  for (const line of values.map(shown).join(" ").split("\n")) {
    if (line.trim() !== "") system?.log(level, "console", line);
  }
};

function makeConsole() {
  return {
    error: log("error"),
    warn: log("warn"),
    log: log("info"),
    info: log("info"),
    debug: log("debug"),
    trace: log("trace"),
    assert(holds, ...values) {
      if (!holds) log("error")("assertion failed:", ...values);
    },
  };
}

/** The variables that were granted. To read another one is a mistake that names the grant, but for those that packages look at. */
function makeEnvironment() {
  let variables;
  const all = () => (variables ??= { NODE_ENV: "production", ...Object.fromEntries(system?.environment() ?? []) });
  const name = (key) => typeof key === "string" && !["toJSON", "then", "DEBUG", "NODE_DEBUG"].includes(key);
  return new Proxy({}, {
    get(_, key) {
      if (!name(key) || key in all()) return all()[key];
      throw new Error(
        `process.env.${key} is not there: it is not set where jackfield runs, or not granted: the plugin asks for ` +
          `\`env:${key}\` in its permissions, and the pipeline grants it, \`grant = ["env:${key}"]\``,
      );
    },
    set: (_, key, value) => ((all()[key] = String(value)), true),
    has: (_, key) => key in all(),
    deleteProperty: (_, key) => delete all()[key],
    ownKeys: () => Reflect.ownKeys(all()),
    getOwnPropertyDescriptor: (_, key) => Object.getOwnPropertyDescriptor(all(), key),
  });
}

function makeCrypto() {
  const getRandomValues = (array) => {
    const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
    bytes.set(system.randomBytes(bytes.length));
    return array;
  };
  return {
    getRandomValues,
    randomUUID() {
      const bytes = getRandomValues(new Uint8Array(16));
      bytes[6] = (bytes[6] & 0x0f) | 0x40;
      bytes[8] = (bytes[8] & 0x3f) | 0x80;
      const digits = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
      return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
    },
  };
}

if (globalThis.console === undefined) {
  globalThis.console = makeConsole();
  globalThis.process = { env: makeEnvironment(), argv: [] };
  globalThis.crypto = makeCrypto();
}
