// Types that are values: each knows its JSON Schema and reads a JSON value.

/** A value is not of its type; the message says where and how. */
export class Misfit extends Error {}

export class Type {
  constructor(schema, read, { description, default: fallback } = {}) {
    this.body = schema;
    this.check = read;
    this.description = description;
    this.fallback = fallback;
    this.isOptional = false;
  }

  /** The JSON Schema; of what is `written`, every field is there. */
  schema(written = false) {
    const schema = { ...(typeof this.body === "function" ? this.body(written) : this.body) };
    if (this.description !== undefined) schema.description = this.description;
    if (this.fallback !== undefined && !written) schema.default = this.fallback;
    return schema;
  }

  /** What stands in where the key is absent: a value of its own each time. */
  byDefault(place) {
    return this.fallback === undefined ? undefined : this.read(JSON.parse(JSON.stringify(this.fallback)), place);
  }

  /** The value, if it is one of this type. Unknown keys of an object are a misfit if `strict`. */
  read(value, place = "", strict = false) {
    return this.check(value, place, strict);
  }
}

const at = (place) => (place === "" ? "" : `\`${place}\`: `);
const listed = (names) => names.map((name) => `\`${name}\``).join(", ");

function shown(value) {
  if (value === null || typeof value !== "object") return typeof value === "string" ? "a string" : String(value);
  return Array.isArray(value) ? "a list" : "an object";
}

function misfit(wanted, value, place) {
  return new Misfit(`${at(place)}expected ${wanted}, found ${shown(value)}`);
}

export function string(options = {}) {
  const read = (value, place) => {
    if (typeof value !== "string") throw misfit("a string", value, place);
    return value;
  };
  return new Type({ type: "string" }, read, options);
}

export function boolean(options = {}) {
  const read = (value, place) => {
    if (typeof value !== "boolean") throw misfit("a truth value", value, place);
    return value;
  };
  return new Type({ type: "boolean" }, read, options);
}

function numeric(type, wanted, fits, options) {
  const { minimum, maximum } = options;
  const schema = { type };
  if (minimum !== undefined) schema.minimum = minimum;
  if (maximum !== undefined) schema.maximum = maximum;
  const read = (value, place) => {
    if (!fits(value)) throw misfit(wanted, value, place);
    if (value < minimum) throw new Misfit(`${at(place)}${value} is less than ${minimum}`);
    if (value > maximum) throw new Misfit(`${at(place)}${value} is more than ${maximum}`);
    return value;
  };
  return new Type(schema, read, options);
}

export function number(options = {}) {
  return numeric("number", "a number", (value) => typeof value === "number", options);
}

export function integer(options = {}) {
  return numeric("integer", "an integer", Number.isInteger, options);
}

export function any(options = {}) {
  return new Type({}, (value) => value, options);
}

export function oneOf(...values) {
  const read = (value, place) => {
    if (!values.includes(value)) throw new Misfit(`${at(place)}expected one of ${listed(values)}, found ${shown(value)}`);
    return value;
  };
  const type = new Type({ enum: values }, read);
  type.with = (options) => new Type({ enum: values }, read, options);
  return type;
}

export function list(of, options = {}) {
  const read = (value, place) => {
    if (!Array.isArray(value)) throw misfit("a list", value, place);
    return value.map((one, index) => of.read(one, `${place}[${index}]`));
  };
  return new Type((written) => ({ type: "array", items: of.schema(written) }), read, options);
}

export function map(of, options = {}) {
  const read = (value, place) => {
    if (value === null || typeof value !== "object" || Array.isArray(value)) throw misfit("an object", value, place);
    // Without a prototype: a key such as `constructor` is one like any other.
    const found = Object.create(null);
    for (const [key, one] of Object.entries(value)) found[key] = of.read(one, join(place, key));
    return found;
  };
  return new Type((written) => ({ type: "object", additionalProperties: of.schema(written) }), read, options);
}

export function nullable(of, options = {}) {
  const read = (value, place) => (value === null ? null : of.read(value, place));
  return new Type((written) => ({ anyOf: [of.schema(written), { type: "null" }] }), read, options);
}

export function optional(of, options = {}) {
  const read = (value, place) => (value === null ? undefined : of.read(value, place));
  const type = new Type((written) => ({ anyOf: [of.schema(written), { type: "null" }] }), read, options);
  type.isOptional = true;
  return type;
}

function readFile(value, place) {
  if (typeof value?.path !== "string" || typeof value?.text !== "string") throw misfit("a file", value, place);
  return { path: value.path, text: value.text };
}

export function textFile(options = {}) {
  return new Type({ type: "string", format: "jackfield-text-file" }, readFile, options);
}

export function textFiles(options = {}) {
  const read = (value, place) => {
    if (!Array.isArray(value)) throw misfit("a list of files", value, place);
    return value.map((one, index) => readFile(one, `${place}[${index}]`));
  };
  return new Type({ type: "string", format: "jackfield-text-files" }, read, options);
}

const join = (place, name) => (place === "" ? name : `${place}.${name}`);

export function object(fields, options = {}) {
  const names = Object.keys(fields);
  const isRequired = (name) => !fields[name].isOptional && fields[name].fallback === undefined;
  const schema = (written) => {
    const properties = Object.fromEntries(names.map((name) => [name, fields[name].schema(written)]));
    const required = names.filter((name) => isRequired(name) || (written && !fields[name].isOptional));
    return { type: "object", properties, ...(required.length > 0 && { required }) };
  };
  const read = (value, place, strict) => {
    if (value === null || typeof value !== "object" || Array.isArray(value)) throw misfit("an object", value, place);
    const found = {};
    const missing = [];
    for (const name of names) {
      if (Object.hasOwn(value, name)) found[name] = fields[name].read(value[name], join(place, name));
      else if (isRequired(name)) missing.push(name);
      else found[name] = fields[name].byDefault(join(place, name));
    }
    const unknown = strict && Object.keys(value).find((key) => !Object.hasOwn(fields, key));
    if (typeof unknown === "string") {
      throw new Misfit(`${at(place)}unknown key \`${unknown}\`, expected ${listed(names) || "none"}`);
    }
    if (missing.length > 0) throw new Misfit(`${at(place)}missing ${listed(missing)}`);
    return found;
  };
  return new Type(schema, read, options);
}
