import type { Completion, CompletionRequest, Context, Extension, Host, Level, Tensor } from "./jackfield.js";

/** The host's side of the calls, with what a test gives it. It keeps what was said and asked. */
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
  /** Each prompt. */
  readonly asked: CompletionRequest[];
  /** What an extension's function is called with. */
  view(context?: Partial<Context>): Host;
}

/**
 * Opens an extension with a configuration and has it answer one document, as the host does: through JSON, held to the types.
 * Gives the answer as a JSON value; throws its failure.
 */
export function call(
  extension: Extension,
  document: unknown,
  options?: { config?: object; host?: FakeHost; context?: Partial<Context>; tensors?: Tensor[] },
): any;

/** Runs the worked examples of an extension; throws an `AssertionError` for one whose output is another. */
export function checkExamples(extension: Extension, host?: FakeHost): void;
