// Failures: one error for each variant of the contract.
//
// Throw the one that fits; the host knows from it whether trying again can help. Messages are lowercase fragments without a
// full stop that name the thing and, where there is one, the fix.

export class Failure extends Error {
  constructor(kind, message) {
    super(message);
    this.name = new.target.name;
    this.kind = kind;
  }
}

export class InvalidConfig extends Failure {
  constructor(message) {
    super("invalid-config", message);
  }
}

export class InvalidInput extends Failure {
  constructor(message) {
    super("invalid-input", message);
  }
}

export class InvalidOutput extends Failure {
  constructor(message) {
    super("invalid-output", message);
  }
}

export class Unavailable extends Failure {
  constructor(message) {
    super("unavailable", message);
  }
}

export class RateLimited extends Failure {
  constructor(message, { retryAfterMs } = {}) {
    super("rate-limited", message);
    this.retryAfterMs = retryAfterMs;
  }
}

export class Cancelled extends Failure {
  constructor(message) {
    super("cancelled", message);
  }
}

export class OverBudget extends Failure {
  constructor(message) {
    super("over-budget", message);
  }
}

export class Internal extends Failure {
  constructor(message) {
    super("internal", message);
  }
}

const CLASSES = {
  "invalid-config": InvalidConfig,
  "invalid-input": InvalidInput,
  "invalid-output": InvalidOutput,
  unavailable: Unavailable,
  cancelled: Cancelled,
  "over-budget": OverBudget,
  internal: Internal,
};

/** The failure that anything thrown stands for: itself, or a fault of the extension with the place it comes from. */
export function failureOf(thrown) {
  if (thrown instanceof Failure) return thrown;
  if (!(thrown instanceof Error)) return new Internal(`threw ${String(thrown)}`);
  const place = String(thrown.stack ?? "").match(/([\w.-]+:\d+)(:\d+)?\)?\s*(\n|$)/);
  return new Internal(`${thrown.name}: ${thrown.message}${place ? ` (${place[1]})` : ""}`);
}

/** A failure as a value of the contract. */
export function lowered(failure) {
  if (failure.kind !== "rate-limited") return { tag: failure.kind, val: failure.message };
  const afterMs = failure.retryAfterMs === undefined ? null : Math.max(0, Math.round(failure.retryAfterMs));
  return { tag: "rate-limited", val: { message: failure.message, afterMs } };
}

/** The failure of a value of the contract. */
export function lifted({ tag, val }) {
  if (tag === "rate-limited") return new RateLimited(val.message, { retryAfterMs: val.afterMs ?? undefined });
  return new CLASSES[tag](val);
}
