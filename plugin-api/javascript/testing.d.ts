import type {
  Arm,
  CacheEntry,
  Completion,
  CompletionRequest,
  Context,
  Decision,
  Extension,
  Host,
  Level,
  Outcome,
  Tensor,
  TensorRef,
} from "./jackfield.js";

/** The host's side of the calls, with what a test gives it. It records what was logged and requested. */
export class FakeHost {
  constructor(options?: {
    /** Answers prompts; a stage has no model without it. */
    model?: (request: CompletionRequest) => string | (Partial<Completion> & Pick<Completion, "text">);
    /** What the cache holds; a stage has none without it. */
    cache?: Map<string, Uint8Array>;
    /** Answers HTTP requests. */
    server?: (request: {
      method: string;
      url: string;
      headers: { name: string; value: string }[];
      body: Uint8Array;
      timeoutMs: number | null;
    }) => { status: number; headers?: { name: string; value: string }[]; body?: string | Uint8Array };
    /** Whether the answer is no longer wanted. */
    isCancelled?: boolean;
  });
  /** Each log line. */
  readonly logged: { level: Level; message: string }[];
  /** Each report of progress. */
  readonly progressed: { done: number; total: number | null; note: string }[];
  /** Each request for a completion. */
  readonly requests: CompletionRequest[];
  /** Adds a tensor that plugins can open from now on, and returns its reference. */
  addTensor(shape: number[], elements: Iterable<number>): TensorRef;
  /** The elements of a tensor that it holds. */
  tensor(reference: TensorRef): Float32Array;
  /** What an extension's function is called with. */
  view(context?: Partial<Context>): Host;
}

/**
 * Opens an extension with a configuration and has it answer one document, as the host does: through JSON, with the types checked.
 * Gives the answer as a JSON value; throws its failure.
 */
export function call(
  extension: Extension,
  document: unknown,
  options?: { config?: object; host?: FakeHost; context?: Partial<Context>; tensors?: Tensor[] },
): any;

/** Runs the worked examples of an extension; throws an `AssertionError` for one whose output is another. */
export function checkExamples(extension: Extension, host?: FakeHost): void;

/** A cache backend that was opened; see `cacheBackend` for what each operation does. */
export interface OpenedCache {
  readonly host: FakeHost;
  get(key: string): Uint8Array | undefined;
  put(key: string, value: Uint8Array | string, ttlMs?: number): void;
  remove(key: string): void;
  clear(prefix?: string): number;
  size(prefix?: string): { entries: number; bytes: number };
  entries(prefix?: string, after?: string, limit?: number): CacheEntry[];
  isDurable(): boolean;
}

/** Opens a cache backend with a configuration and a host for it. Failures are thrown. */
export function openCache(extension: Extension, options?: { config?: object; host?: FakeHost }): OpenedCache;

/** A routing policy that was opened, with what it has learned. */
export interface OpenedPolicy {
  /** What is learned, as a JSON value. */
  readonly state: any;
  /** Picks an arm. */
  decide(seed?: bigint | number, context?: string): Decision;
  /** Picks another arm after those failed. */
  decideAgain(tried: number[], seed?: bigint | number, context?: string): Decision | null;
  /** Learns from an outcome. */
  learn(outcome: Partial<Omit<Outcome, "used" | "failed">> & Pick<Outcome, "attempts">): void;
}

/**
 * Opens a routing policy with a configuration, nothing learned. It is called as the host calls it: by documents that carry
 * the state there and back. Failures are thrown.
 */
export function openPolicy(extension: Extension, arms: (string | Arm)[], options?: { config?: object }): OpenedPolicy;
