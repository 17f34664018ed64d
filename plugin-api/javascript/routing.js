// The questions and outcomes that a routing policy is given, and the checks of its answers.

import { Internal, InvalidInput } from "./failures.js";
import { Random } from "./random.js";
import { any, boolean, integer, list, Misfit, number, object, optional, string } from "./schema.js";

const Arm = object({ name: string(), with: any({ default: {} }) });
const Pending = object({ arm: string(), context: string({ default: "" }) });
const Outcome = object({
  context: string({ default: "" }),
  attempts: list(object({ arm: string(), failed: boolean({ default: false }) })),
  reward: optional(number()),
  objectives: list(object({ name: string(), value: number(), minimize: boolean({ default: false }) }), { default: [] }),
});

export const PolicyRequest = object({
  state: optional(any()),
  arms: list(Arm, { default: [] }),
  learn: list(Outcome, { default: [] }),
  decide: list(
    object({
      context: string({ default: "" }),
      tried: list(integer({ minimum: 0 }), { default: [] }),
      pending: list(Pending, { default: [] }),
      seed: any(),
    }),
    { default: [] },
  ),
  again: boolean({ default: false }),
});

/** An outcome with what follows from it. */
function told(outcome) {
  const last = outcome.attempts[outcome.attempts.length - 1];
  const used = last === undefined || last.failed ? undefined : last.arm;
  const failed = outcome.attempts.filter((attempt) => attempt.failed).map((attempt) => attempt.arm);
  return { ...outcome, used, failed };
}

/** The answer of a policy to a request. */
export function routed(policy, request, call) {
  const { arms, again } = request;
  if (arms.length > 0) policy.check?.(arms, call);
  const state = learned(policy, request.state ?? {});
  for (const outcome of request.learn) policy.learn(state, told(outcome), call);
  const decisions = request.decide.map(({ context, tried, pending, seed }) => {
    const question = { context, arms, tried, pending, seed: BigInt(seed), random: () => new Random(seed) };
    return decided(policy, state, question, again, call);
  });
  return { state: inOrder(state), decisions };
}

/** What was learned so far. */
function learned(policy, state) {
  try {
    return policy.state.read(state, "state");
  } catch (misfit) {
    throw misfit instanceof Misfit ? new InvalidInput(misfit.message) : misfit;
  }
}

/** The decision, checked against its question. */
function decided(policy, state, question, again, call) {
  const { arms, tried } = question;
  if (!again && arms.length === 0) throw new InvalidInput("there are no arms to pick from");
  if (!again && tried.length > 0) {
    throw new InvalidInput("a first decision is asked for, and an arm was tried: such a question is asked with `again`");
  }
  const decision = again ? (policy.decideAgain?.(state, question, call) ?? null) : policy.decide(state, question, call);
  if (decision === null && again) return null;
  const { arm, scores = [] } = decision ?? {};
  const wrong = (what) => new Internal(`the policy \`${policy.name}\` ${what}`);
  if (!Number.isInteger(arm)) throw wrong("decided something other than an arm");
  if (arm < 0 || arm >= arms.length) throw wrong(`picked arm ${arm} of ${arms.length}`);
  if (tried.includes(arm)) throw wrong(`picked arm ${arm} again, which failed`);
  if (scores.length !== 0 && scores.length !== arms.length) throw wrong(`gave ${scores.length} scores of ${arms.length} arms`);
  return scores.length === 0 ? { arm } : { arm, scores };
}

/** The value with the keys of its objects in order, so that equal states are equal texts. */
function inOrder(value) {
  if (Array.isArray(value)) return value.map(inOrder);
  if (value === null || typeof value !== "object") return value;
  const sorted = Object.create(null);
  for (const key of Object.keys(value).sort()) sorted[key] = inOrder(value[key]);
  return sorted;
}
