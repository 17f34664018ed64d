// Types of jackfield.js, with the documentation of each part.

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

/** Options of a field. */
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
/** An object with any keys, each with a value of this type. What is read has no prototype, so that any key will do. */
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
/**
 * The text files of a folder that an option names, relative to the pipeline's folder, or a single file: sorted by name,
 * without those in folders inside it and those whose names begin with a dot. The host reads them and hands them over with
 * the configuration: at most 16 MiB each, and 64 MiB together.
 */
export function textFiles(options?: { description?: string }): Type<{ path: string; text: string }[]>;

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

/** A tensor by reference: what stands in a document for elements that the host holds. `host.tensor` opens it. */
export interface TensorRef {
  /** SHA-256 of the elements as little-endian bytes, in lower-case hexadecimal digits. */
  $tensor: string;
  /** Length of each dimension, the slowest first; at most 8. */
  shape: number[];
  /** Type of the elements. */
  dtype: "f32";
}
/**
 * A tensor by reference, of this shape: a name, a length, or null for any length, for each dimension. Dimensions
 * with the same name have the same length throughout an input and the answer to it; the host checks both.
 */
export function tensorRef(options?: { description?: string; shape?: (string | number | null)[] }): Type<TensorRef>;

declare const beside: unique symbol;
/** An answer with tensors beside it. */
export interface WithTensors<T> {
  readonly [beside]: T;
}
/** An answer with tensors beside it. The definition says so, by `tensors: true`. */
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
  /** The `with` table; empty by default. */
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
  /** What the author promises; `experimental` by default. */
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
  readonly kind: "analyzer" | "cache-backend" | "direction-extractor" | "model" | "routing-policy";
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
    /** Whether answers have tensors beside them (`withTensors`). */
    tensors?: boolean;
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
    /**
     * What it offers: each with true, or with a JSON pointer into the configuration: it offers that if there is true there.
     * Completions alone by default. A request for anything else is refused before it comes to `complete`.
     */
    offers?: { [ability in Ability]?: true | string };
    /** Makes one call. */
    complete(request: CompletionRequest, call: Call<C, S>): Partial<Completion> & Pick<Completion, "text">;
  },
): Extension;

/** Something that a model may offer. */
export type Ability = "complete" | "capture" | "edits" | "logprobs" | "tokenize" | "embed" | "local";

/**
 * A direction extractor: finds, per layer of a model, the unit direction of the residual stream that sets two sets of prompts
 * apart. A stage uses it as it does an analyzer; the host checks the shapes of what it reads and answers. The tensors may be
 * larger than the plugin's memory: it reads slices of them, by `host.tensor`.
 */
export function directionExtractor<C = {}, S = void>(
  definition: Common<C, S> & {
    /** Worked examples. */
    examples?: Example<ContrastSet, Directions>[];
    /**
     * Extracts a direction a layer. Throw `InvalidInput` for sets that cannot be compared, or hidden states that are not numbers:
     * the message names the set, the prompt and the layer.
     */
    extract(contrast: ContrastSet, call: Call<C, S>): Directions;
  },
): Extension;

/**
 * A cache backend: keeps values for a while. Values are bytes, keys any text. An instance serves one operation, so it keeps them on
 * a server (`http:HOST`). A value that has expired is never given out. A backend that cannot be reached throws `Unavailable`: the
 * host goes on with the next tier. A component that offers one is built for the world `cache-plugin`.
 */
export function cacheBackend<C = {}, S = void>(
  definition: Common<C, S> & {
    /** The value under a key. */
    get(key: string, call: Call<C, S>): Uint8Array | undefined;
    /**
     * Keeps a value, for `ttlMs` milliseconds at the most, in place of what was there. One that cannot be kept (it is too large,
     * its time is over) removes what was there, and is not a failure.
     */
    put(key: string, value: Uint8Array, ttlMs: number | undefined, call: Call<C, S>): void;
    /** Forgets a value. It is not a failure if there is none. */
    remove(key: string, call: Call<C, S>): void;
    /** Forgets every value whose key begins with `prefix`, and returns how many there were. */
    clear(prefix: string, call: Call<C, S>): number;
    /** How much is kept under keys that begin with `prefix`, as far as is known; bytes are those of keys and values. */
    size(prefix: string, call: Call<C, S>): { entries: number; bytes: number };
    /** The values whose keys begin with `prefix` and come after `after`, in order of their keys (as bytes in UTF-8), at most `limit`. */
    entries(prefix: string, after: string | undefined, limit: number, call: Call<C, S>): CacheEntry[];
    /** Whether the values outlive the process. */
    isDurable(call: Call<C, S>): boolean;
  },
): Extension;

/** A value with its key and the time it has left. */
export interface CacheEntry {
  key: string;
  value: Uint8Array;
  /** How long it will be kept, in milliseconds; absent for as long as there is room. */
  ttlMs?: number;
}

/**
 * A routing policy: picks, per item, the arm that a stage runs with, and learns from what came of it. The host holds what is
 * learned, so a policy is a pure function of it: by context and by name of the arm, so that it can be used again with other arms.
 */
export function routingPolicy<L, C = {}, S = void>(
  definition: Common<C, S> & {
    /** What an outcome has to carry for the policy to learn. */
    learns: "reward" | "objectives" | "nothing";
    /** What is learned: an object whose fields all have a default, to begin with nothing. */
    state: Type<L>;
    /** Worked examples. */
    examples?: Example<object, object>[];
    /** Checks the arms once, before any decision about them. Throws `InvalidConfig` if the configuration does not fit them. */
    check?(arms: Arm[], call: Call<C, S>): void;
    /** Picks an arm. The same state, question and seed give the same decision. */
    decide(state: L, question: Question, call: Call<C, S>): Decision;
    /** Picks another arm after one failed for good, none of those that `question.tried` lists; or none, as it does without. */
    decideAgain?(state: L, question: Question, call: Call<C, S>): Decision | undefined;
    /**
     * Takes one outcome in, by changing the state. Outcomes come in the order of the items, one for every item that was decided
     * about; one whose reward or objectives never came is not an error. Throws `InvalidInput` for one that cannot be learned from.
     */
    learn(state: L, outcome: Outcome, call: Call<C, S>): void;
  },
): Extension;

/** Something a stage can run with: what a policy picks from. */
export interface Arm {
  /** The name, unique among the arms. */
  name: string;
  /** The configuration that the arm lays over the stage's own. */
  with: any;
}

/** Asks for an arm. */
export interface Question {
  /** What the item has in common with others that are best served by the same arm; empty where the route has no context. */
  context: string;
  /** The arms, in the order of the pipeline, at least one. */
  arms: Arm[];
  /** Indices of the arms that failed for good for this item, in the order in which they were tried. */
  tried: number[];
  /** The decisions about earlier items whose outcomes are not in yet, in the order of the items. */
  pending: { context: string; arm: string }[];
  /** Where all chance comes from: 64 bits. */
  seed: bigint;
  /** A generator seeded for this question. */
  random(): Random;
}

/** An arm, picked. */
export interface Decision {
  /** Index of the arm in the question's list. */
  arm: number;
  /**
   * What the arms were compared by, one number per arm in the order of the list; null for an arm that was not compared. For
   * reports alone; absent where the policy compares nothing.
   */
  scores?: (number | null)[];
}

/** What came of a decision. */
export interface Outcome {
  /** The question's context. */
  context: string;
  /** The arms that the item was tried with, in order. */
  attempts: { arm: string; failed: boolean }[];
  /** How well the item fared; absent where that never came. */
  reward?: number;
  /** How well the item fared by several measures. */
  objectives: { name: string; value: number; minimize: boolean }[];
  /** Name of the arm that the item used; absent if every attempt failed. */
  used?: string;
  /** Names of the arms that failed, in the order in which they were tried. */
  failed: string[];
}

/**
 * What a direction is extracted from: the hidden states of a model (its residual stream) at one position of each prompt of two
 * sets, of shape `[prompts, layers, d]`. Layer 0 is the embeddings, layer n what the n-th block of the model hands on.
 */
export interface ContrastSet {
  /** Hidden states of the prompts that have what is looked for. */
  positive: TensorRef;
  /** Hidden states of the prompts that do not. */
  negative: TensorRef;
}

/** A direction a layer. */
export interface Directions {
  /** A unit vector a layer, of shape `[layers, d]`; the zero vector where a layer is degenerate. */
  directions: TensorRef;
  /** What is known of each, in order of the layers. */
  layers: LayerDirection[];
}

/** What is known of the direction of a layer, and what else the extractor says. No number is NaN: one that is undefined is absent. */
export interface LayerDirection {
  /** Whether the layer does not have a direction: the sets are alike in it. */
  degenerate: boolean;
  /** Norm of the mean of the positive prompts. */
  norm_mean_positive: number;
  /** Norm of the mean of the negative prompts. */
  norm_mean_negative: number;
  /** Norm of the difference of the means. */
  norm_difference: number;
  /** Cosine between the means, -1 to 1. */
  cos_means?: number;
  /** Mean silhouette of the prompts with the two sets as clusters, -1 to 1. */
  silhouette?: number;
  [more: string]: unknown;
}

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
  /** Whether the host validates the answer against `schema`, and has it repaired once. True by default. */
  validate: boolean;
  /** Whether the answer may come from the model's cache, and go there. True by default. */
  cached: boolean;
  /** The most tokens of an answer; the server's default without it. */
  max_tokens?: number;
  /** Temperature of sampling, 0 to 2; the server's default without it. */
  temperature?: number;
  /** Texts that end the answer. */
  stop: string[];
  /** Seed of sampling, for models that take one. */
  seed?: number;
  /** Number of this answer among several to the same prompt. */
  replicate: number;
  /**
   * Hidden states to answer with, for models that offer `capture`: at these layers (all without them) and these positions in the
   * prompt, from 0 at its first token or from -1 at its last (the last without them).
   */
  capture?: { layers?: number[]; positions?: number[] };
  /** Edits to run under, for models that offer `edits`. They hold for this request alone. */
  edits: Edit[];
  /** Log-probabilities to answer with, for models that offer `logprobs`. */
  logprobs?: LogProbs;
  /** Whether to answer with the tokens of the prompt, for models that offer `tokenize`. */
  tokenize: boolean;
  /** Whether to answer with a vector that stands for the prompt, for models that offer `embed`. */
  embed: boolean;
}
/** An edit: takes a direction out of what a component of a layer adds to the residual stream. */
export interface Edit {
  /** The output projection of attention, or the down projection of the MLP. */
  component: "attention-output" | "mlp-down";
  /** The block, from 0. */
  layer: number;
  /** Holds the direction, a unit vector: of shape `[d]`, or `[rows, d]`. */
  direction: TensorRef;
  /** Which row of the tensor, where it has several; 0 by default. */
  row?: number;
  /** How much of it to take out: 0 leaves everything as it is, 1 takes all of it. */
  weight: number;
  /** How the norms of the rows are treated; `none` by default. */
  row_normalization?: "none" | "pre" | "full";
}
/** Which log-probabilities to answer with. */
export interface LogProbs {
  /** How many of the likeliest tokens to list at each position; none by default. */
  top?: number;
  /** Whether to answer with the whole distribution at each position, as a tensor. */
  distribution?: boolean;
  /** Of which tokens: of the first so many of the model's own answer, or of a reply, read as if the model had said it. */
  on?: { first?: number; reply?: string };
}
export const CompletionRequest: Type<CompletionRequest>;

/** An answer. */
export interface Completion {
  /** The text; JSON if the request had a schema that the answer was validated against. */
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
  /** What the model thought before it answered, where it says that apart from the answer. */
  reasoning?: string;
  /** The hidden states that were asked for, of shape `[positions, layers, d]`. */
  captured?: { hidden_states: TensorRef; layers: number[]; positions: number[] };
  /** The log-probabilities that were asked for. */
  logprobs?: {
    /** The tokens, in order; a token that cannot come has no log-probability. */
    tokens: { token: Token; logprob: number | null; top: { token: Token; logprob: number }[] }[];
    /** The whole distribution at each position, of shape `[positions, vocabulary]`, if it was asked for. */
    distribution?: TensorRef;
  };
  /** The tokens of the prompt, if they were asked for. */
  tokens?: Token[];
  /** The vector that was asked for, of shape `[d]`. */
  embedding?: TensorRef;
}
/** A token. */
export interface Token {
  /** Its number in the vocabulary. */
  id: number;
  /** Its text; a part of a character is written as U+FFFD. */
  text: string;
}
export const Completion: Type<Completion>;

// The host.

/** Severity of a log line, the most severe first. */
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
  /** The body as text; throws a `URIError` where it is not UTF-8. */
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
   * answers from the model's cache where it can, keeps to limits and budget, retries failures that may pass, and validates the answer
   * against the request's schema. Throws `InvalidConfig` if the stage has no model, `InvalidOutput` if the answer does not fit the
   * schema or was refused, `OverBudget` if the budget does not allow it, otherwise what the last try gave.
   */
  complete(request: string | (Partial<CompletionRequest> & Pick<CompletionRequest, "messages">)): Completion;
  /** What the stage's model is, such as `openai/qwen2.5-7b`; nothing for a stage without a model. */
  modelName(): string | undefined;
  /**
   * What is kept under a key in the cache that the pipeline gives to the stage (`store = "name"`). A cache that cannot be reached
   * finds nothing. Throws `InvalidConfig` if the stage has no cache.
   */
  cacheGet(key: string): Uint8Array | undefined;
  /**
   * Keeps a value of at most 64 MiB in the stage's cache, for as long as the cache's tiers say, or for `ttlMs` milliseconds if
   * that is shorter. Throws `InvalidConfig` if the stage has no cache.
   */
  cachePut(key: string, value: Uint8Array | string, options?: { ttlMs?: number }): void;
  /**
   * Makes an HTTP request to a server that the plugin asks for in its permissions (`http:HOST`) and that it was granted; the
   * whole answer has to be there within `timeoutMs` milliseconds, 30,000 by default. Throws `InvalidConfig` if the server was
   * not granted, `InvalidInput` if the request makes no sense, `Unavailable` if the server cannot be reached or does not answer
   * in time, `OverBudget` if the answer is too large.
   */
  fetch(
    url: string,
    options?: { method?: string; headers?: Record<string, string>; body?: Uint8Array | string; timeoutMs?: number },
  ): HttpResponse;
  /**
   * Opens a tensor that travels by reference: one that the input named, or an answer to a call of this host, or that this call
   * made. It can be read for as long as the call lasts. Throws `InvalidInput` for any other tensor.
   */
  tensor(reference: TensorRef): TensorReader;
  /**
   * Begins a tensor of this shape, to be written a piece at a time. Throws `InvalidInput` for a shape that no tensor has,
   * `OverBudget` beyond the stage's limit on tensors.
   */
  createTensor(shape: number[]): TensorWriter;
  /** Keeps a tensor that is in memory and gives its reference, to be put into an answer. */
  keepTensor(shape: number[], elements: Float32Array | Iterable<number>): TensorRef;
}

/** A tensor that can be read. */
export interface TensorReader {
  /** Length of each dimension, the slowest first. */
  readonly shape: number[];
  /** How many elements there are. */
  readonly length: number;
  /** The `length` elements from the one at `offset` on. Throws `InvalidInput` for elements beyond the last one. */
  read(offset: number, length: number): Float32Array;
  /** All elements. */
  asArray(): Float32Array;
}

/** A tensor that is being made. */
export interface TensorWriter {
  /** Length of each dimension, the slowest first. */
  readonly shape: number[];
  /** Adds elements at the end. Throws `InvalidInput` if there are then more than the shape says. */
  write(elements: Float32Array | Iterable<number>): void;
  /** Ends the tensor and gives its reference, to be put into an answer. Throws `InvalidInput` if elements are missing. */
  finish(): TensorRef;
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

// Failures: messages are lowercase fragments without a full stop that name the thing and, where there is one, the fix.

/** Why a call did not answer. Throw one of its subclasses; anything else that is thrown is a fault of the extension. */
export abstract class Failure extends Error {
  /** The variant, such as `invalid-input`. */
  readonly kind: string;
}
/** The configuration is well-formed, but makes no sense to the extension. Never retried. */
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
/** Something that is needed cannot be reached at the moment. Retried. */
export class Unavailable extends Failure {
  constructor(message: string);
}
/** There were too many requests. Retried, not before `retryAfterMs` milliseconds where that is known. */
export class RateLimited extends Failure {
  constructor(message: string, options?: { retryAfterMs?: number });
  readonly retryAfterMs?: number;
}
/** The host asked to stop. Never retried within a run. */
export class Cancelled extends Failure {
  constructor(message: string);
}
/** A limit on time, memory, calls, tokens or money was reached. Never retried within a run. */
export class OverBudget extends Failure {
  constructor(message: string);
}
/** The extension itself is at fault. Never retried. */
export class Internal extends Failure {
  constructor(message: string);
}
