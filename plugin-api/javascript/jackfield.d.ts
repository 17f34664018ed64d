// Types of jackfield.js; what each part is for is told here.

// Types that are values.

/** Says what a JSON value looks like: its schema for the host, and its type for the compiler. */
export interface Type<T> {
  /** The JSON Schema; of what is `written`, every field is there. */
  schema(written?: boolean): object;
  /** The value, if it is one of this type; unknown keys are ignored unless `strict`. */
  read(value: unknown, place?: string, strict?: boolean): T;
}

/** A field that may be absent. */
export interface OptionalType<T> extends Type<T | undefined> {
  readonly isOptional: true;
}

/** The type of the values of a `Type`: `type Config = Infer<typeof config>`. */
export type Infer<T> = T extends Type<infer U> ? U : never;

export interface Options<T> {
  /** What it is, for the people who read `jackfield plugins info`. */
  description?: string;
  /** Stands in where the key is absent. */
  default?: T;
}

export interface NumberOptions extends Options<number> {
  /** The least, itself included. */
  minimum?: number;
  /** The most, itself included. */
  maximum?: number;
}

/** A string. */
export function string(options?: Options<string>): Type<string>;
/** A truth value. */
export function boolean(options?: Options<boolean>): Type<boolean>;
/** A number. */
export function number(options?: NumberOptions): Type<number>;
/** A number without a fraction. */
export function integer(options?: NumberOptions): Type<number>;
/** Any JSON value. */
export function any(options?: Options<unknown>): Type<unknown>;
/** One of these strings or numbers. */
export function oneOf<const V extends readonly (string | number)[]>(
  ...values: V
): Type<V[number]> & { with(options: Options<V[number]>): Type<V[number]> };
/** A list. */
export function list<T>(of: Type<T>, options?: Options<T[]>): Type<T[]>;
/** An object with any keys, each with a value of this type. */
export function map<T>(of: Type<T>, options?: Options<Record<string, T>>): Type<Record<string, T>>;
/** A value, or null. */
export function nullable<T>(of: Type<T>, options?: Options<T | null>): Type<T | null>;
/** A field that may be absent (or null): it reads as `undefined`. */
export function optional<T>(of: Type<T>, options?: { description?: string }): OptionalType<T>;
/** An object with these fields. */
export function object<F extends Record<string, Type<any>>>(
  fields: F,
  options?: { description?: string },
): Type<ObjectOf<F>>;
/**
 * A text file that an option names, relative to the pipeline's folder. The host reads it and hands it over with the
 * configuration, so that a change of the file is a change of the configuration.
 */
export function textFile(options?: { description?: string }): Type<{ path: string; text: string }>;

type OptionalKeys<F> = { [K in keyof F]: F[K] extends OptionalType<any> ? K : never }[keyof F];
type ObjectOf<F> = { [K in Exclude<keyof F, OptionalKeys<F>>]: Infer<F[K]> } & {
  [K in OptionalKeys<F>]?: Infer<F[K]>;
};

// Documents.

/** Where in a run a document belongs. */
export interface Context {
  /** Name of the stage that makes the call. */
  readonly stage: string;
  /** Id of the item; empty for a stage that runs once a run. */
  readonly item: string;
  /** Index of the element, 0 for a stage without `for_each`. */
  readonly element: number;
  /** Index of the replicate, 0 for a stage without `repeat`. */
  readonly replicate: number;
  /**
   * Follows from the run's seed and all of the above: the same in every run with the same seed. The bindings of QuickJS hand
   * over the leading 53 of its 64 bits.
   */
  readonly seed: bigint;
}

/** A named array of 32-bit floats, row-major. */
export class Tensor {
  /** Throws `InvalidOutput` if the data is not as long as the product of the shape. */
  constructor(name: string, shape: Iterable<number>, data: Float32Array | Iterable<number>);
  /** Unique within its document. */
  readonly name: string;
  /** Length of each dimension, the slowest first. */
  readonly shape: number[];
  /** The elements. */
  readonly data: Float32Array;
}

declare const beside: unique symbol;
/** An answer with tensors beside it. */
export interface WithTensors<T> {
  readonly [beside]: T;
}
/** An answer with tensors beside it. */
export function withTensors<T>(value: T, tensors: Tensor[]): WithTensors<T>;

// Extensions.

/** A permission asked for, and why. */
export interface Permission {
  /** What is asked for, such as `http:api.example.org`. */
  name: string;
  /** Why, for the person who decides. */
  reason: string;
}

/** A worked example: small, and exact. The test kit runs it and compares. */
export interface Example<I, O> {
  /** What the example shows. */
  summary: string;
  /** The `with` table; empty unless told. */
  config?: object;
  /** The input document. */
  input: I;
  /** The output document that the input gives. */
  output: O;
}

/** What a call gets besides its input. */
export interface Call<C, S> {
  /** The configuration. */
  readonly config: C;
  /** What `open` gave. */
  readonly state: S;
  /** The host, for this document. */
  readonly host: Host;
  /** The tensors that came with the document. */
  readonly tensors: Tensor[];
}

interface Common<C, S> {
  /** Lower-case words joined by hyphens, unique within the kind; at most 64 bytes. */
  name: string;
  /** One line, without a full stop. */
  summary: string;
  /** The `with` table; unknown keys are refused. */
  config?: Type<C>;
  /** What the author promises; `experimental` unless told. */
  stability?: "experimental" | "beta" | "stable";
  /** Permissions asked for, with reasons. */
  permissions?: Permission[];
  /**
   * Prepares the instance once, before any call: checks what a schema cannot say, computes what calls share. Throws
   * `InvalidConfig` if the configuration makes no sense.
   */
  open?(config: C): S;
}

/** An extension, to be handed to `plugin`. */
export interface Extension {
  readonly kind: "analyzer" | "model";
  readonly name: string;
  readonly examples: Example<any, any>[];
}

/** An analyzer: answers one document per document. */
export function analyzer<I, O, C = {}, S = void>(
  definition: Common<C, S> & {
    /** What it reads. */
    input: Type<I>;
    /** What it answers. */
    output: Type<O>;
    /** Worked examples. */
    examples?: Example<NoInfer<I>, NoInfer<O>>[];
    /** Answers one document. Throw a failure to say why there is no answer. Nothing is async: host calls answer at once. */
    analyze(input: I, call: Call<C, S>): NoInfer<O> | WithTensors<NoInfer<O>>;
  },
): Extension;

/**
 * A model: answers prompts. The host does everything around a call (cache, limits, retries, budget, repair of answers), so a
 * model makes one call and says by the failure it throws what came of it. The configuration is part of every cache key: it
 * names the variable or the file that holds a secret, and never holds one.
 */
export function model<C = {}, S = void>(
  definition: Common<C, S> & {
    /** Worked examples. */
    examples?: Example<Partial<CompletionRequest> & Pick<CompletionRequest, "messages">, Completion>[];
    /** Makes one call. */
    complete(request: CompletionRequest, call: Call<C, S>): Partial<Completion> & Pick<Completion, "text">;
  },
): Extension;

/** A plugin of these extensions, with its semantic version. */
export interface Plugin {
  describe(): object[];
}
export function plugin(version: string, ...extensions: Extension[]): Plugin;

// Models.

/** A turn of a conversation. */
export interface Message {
  /** Who speaks. */
  role: "system" | "user" | "assistant";
  /** What is said. */
  content: string;
}

/**
 * A prompt for a model. Equal requests have equal answers within a cache's lifetime, so whoever wants several answers to one
 * prompt counts `replicate` up.
 */
export interface CompletionRequest {
  /** The conversation so far; at least one message. */
  messages: Message[];
  /** JSON Schema (2020-12) of the answer; free text without one. */
  schema?: unknown;
  /** Whether the host holds the answer to `schema`, and repairs it once. True by default. */
  held: boolean;
  /** Whether the answer may come from the model's cache, and go there. True by default. */
  cached: boolean;
  /** The most tokens of an answer; the server's default without it. */
  max_tokens?: number;
  /** Temperature of sampling, 0 to 2; the server's default without it. */
  temperature?: number;
  /** Texts that end the answer. */
  stop: string[];
  /** Seed of sampling, for servers that take one. */
  seed?: number;
  /** Number of this answer among several to the same prompt. */
  replicate: number;
}
export const CompletionRequest: Type<CompletionRequest>;

/** An answer. */
export interface Completion {
  /** The text; JSON if the request had a schema that was held. */
  text: string;
  /** Why it ended: it was complete, it reached `max_tokens` or the model's own limit, or something else. */
  finish: "stop" | "length" | "other";
  /** Tokens, as the model counts them; the host counts where it does not. */
  usage?: { input: number; output: number } | null;
  /** The model, as the server calls it. */
  model?: string;
  /** Whether no call was made for it. Set by the host; a model leaves it. */
  cached: boolean;
  /** What its tokens cost in USD, whether or not it was cached. Set by the host; a model leaves it. */
  usd: number;
}
export const Completion: Type<Completion>;

// The host.

/** Weight of a log line, the gravest first. */
export type Level = "error" | "warn" | "info" | "debug" | "trace";

/** What a server answered, whatever its status. A redirect comes back as it is: the host follows none. */
export interface HttpResponse {
  /** The status, such as 200. */
  readonly status: number;
  /** Names, in lower case, and values that are text, in order. */
  readonly headers: { name: string; value: string }[];
  /** At most as large as the stage's limit on output. */
  readonly body: Uint8Array;
  /** The first value of a header. */
  header(name: string): string | undefined;
  /** The body as text; throws a `URIError` where it is no UTF-8. */
  text(): string;
}

/** What a plugin may ask of its host during one call for one document. Failures are thrown. */
export interface Host {
  /** Where in the run the document belongs. */
  readonly context: Context;
  /** A generator seeded for this call: the only source of chance that leaves results reproducible. */
  random(): Random;
  /** Hands a line to the host's log; one of more than 16 KiB is cut. */
  log(level: Level, message: string): void;
  /** Says how far a long call has come, in a unit of the plugin's choice. */
  progress(done: number, total?: number, note?: string): void;
  /** Whether the answer is no longer wanted: a long computation asks now and then and throws `Cancelled`. */
  cancelled(): boolean;
  /**
   * Asks the model that the pipeline gives to the stage (`model = "name"`). A string is the one message of a user. The host
   * answers from the model's cache where it can, keeps to limits and budget, tries again what can heal, and holds the answer to
   * the request's schema. Throws `InvalidConfig` if the stage has no model, `InvalidOutput` if the answer does not fit the
   * schema or was refused, `OverBudget` if the budget does not allow it, otherwise what the last try gave.
   */
  complete(request: string | (Partial<CompletionRequest> & Pick<CompletionRequest, "messages">)): Completion;
  /** What the stage's model is, such as `openai/qwen2.5-7b`; nothing for a stage without a model. */
  modelName(): string | undefined;
  /**
   * What is kept under a key in the cache that the pipeline gives to the stage (`store = "name"`). A cache that is away finds
   * nothing. Throws `InvalidConfig` if the stage has no cache.
   */
  cacheGet(key: string): Uint8Array | undefined;
  /**
   * Keeps a value of at most 64 MiB in the stage's cache, for as long as the cache's tiers say, or for `ttlMs` milliseconds if
   * that is shorter. Throws `InvalidConfig` if the stage has no cache.
   */
  cachePut(key: string, value: Uint8Array | string, options?: { ttlMs?: number }): void;
  /**
   * Makes an HTTP request to a server that the plugin asks for in its permissions (`http:HOST`) and that it was granted; the
   * whole answer has to be there within `timeoutMs` milliseconds, 30,000 unless told. Throws `InvalidConfig` if the server was
   * not granted, `InvalidInput` if the request makes no sense, `Unavailable` if the server cannot be reached or does not answer
   * in time, `OverBudget` if the answer is too large.
   */
  fetch(
    url: string,
    options?: { method?: string; headers?: Record<string, string>; body?: Uint8Array | string; timeoutMs?: number },
  ): HttpResponse;
}

/** A small deterministic generator (SplitMix64: Steele, Lea and Flood 2014), the same on every platform. */
export class Random {
  constructor(seed: bigint | number);
  /** The next 64 bits. */
  nextU64(): bigint;
  /** A float in [0, 1), of 53 random bits. */
  nextFloat(): number;
  /** An integer from 0 up to, but not including, the bound (at most 2**53), without bias. A bound of 0 gives 0. */
  below(bound: number | bigint): number;
}

// Failures: messages are lowercase fragments without a full stop that name the thing and, where there is one, the mend.

/** Why a call did not answer. Throw one of its subclasses; anything else that is thrown is a fault of the extension. */
export abstract class Failure extends Error {
  /** The variant, such as `invalid-input`. */
  readonly kind: string;
}
/** The configuration is well-formed, but means nothing to the extension. Never retried. */
export class InvalidConfig extends Failure {
  constructor(message: string);
}
/** The input cannot be worked on. Never retried. */
export class InvalidInput extends Failure {
  constructor(message: string);
}
/** The extension, or a model it asked, produced something that does not fit. Never retried. */
export class InvalidOutput extends Failure {
  constructor(message: string);
}
/** Something needed is away at the moment. Retried. */
export class Unavailable extends Failure {
  constructor(message: string);
}
/** Asked too often. Retried, not before `afterMs` milliseconds where that is known. */
export class RateLimited extends Failure {
  constructor(message: string, options?: { afterMs?: number });
  readonly afterMs?: number;
}
/** The host asked to stop. Never retried within a run. */
export class Cancelled extends Failure {
  constructor(message: string);
}
/** A limit on time, memory, calls, tokens or money was reached. Never retried within a run. */
export class OverBudget extends Failure {
  constructor(message: string);
}
/** A fault of the extension itself. Never retried. */
export class Internal extends Failure {
  constructor(message: string);
}
