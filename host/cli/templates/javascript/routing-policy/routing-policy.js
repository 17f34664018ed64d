// The routing policy `{{name}}`, and the analyzer `slot-machine`, whose arms pay more or less often.

import { analyzer, any, integer, map, number, object, plugin, routingPolicy } from "./vendor/jackfield/jackfield.js";

const seen = object({
  count: integer({ minimum: 0, description: "How many rewards came." }),
  sum: number({ description: "Their sum." }),
});
const learned = { contexts: { "": { a: { count: 2, sum: 1 }, b: { count: 1, sum: 0.75 } } } };

// An arm without a reward comes first. One that failed counts as one with the reward 0.
export const greedy = routingPolicy({
  name: "{{name}}",
  summary: "Picks the arm with the greatest mean reward so far, and now and then any arm",
  learns: "reward",

  config: object({
    epsilon: number({ minimum: 0, maximum: 1, default: 0.1, description: "How likely any arm is picked." }),
  }),
  state: object({
    contexts: map(map(seen), { default: {}, description: "By context, and by name of the arm." }),
  }),

  examples: [
    {
      summary: "Without chance, the greatest mean is picked",
      config: { epsilon: 0 },
      input: { state: learned, arms: [{ name: "a", with: {} }, { name: "b", with: {} }], decide: [{ seed: 0 }] },
      output: { state: learned, decisions: [{ arm: 1, scores: [0.5, 0.75] }] },
    },
  ],

  decide(state, question, { config }) {
    const { arms, context, pending } = question;
    const means = arms.map(({ name }) => mean(state.contexts[context]?.[name]));
    const untried = arms.map((_, arm) => arm).filter((arm) => means[arm] === null);
    if (untried.length > 0) {
      // Of those that nothing is known of, the one that was picked least for items that are not done.
      const waiting = (arm) => pending.filter((one) => one.context === context && one.arm === arms[arm].name).length;
      const arm = untried.reduce((least, arm) => (waiting(arm) < waiting(least) ? arm : least));
      return { arm, scores: means };
    }
    const random = question.random();
    if (random.nextFloat() < config.epsilon) return { arm: random.below(arms.length), scores: means };
    return { arm: means.indexOf(Math.max(...means)), scores: means };
  },

  learn(state, { context, failed, used, reward }) {
    const rewards = failed.map((arm) => [arm, 0]);
    if (used !== undefined && reward !== undefined) rewards.push([used, reward]);
    const known = (state.contexts[context] ??= Object.create(null));
    for (const [arm, reward] of rewards) {
      const { count, sum } = known[arm] ?? { count: 0, sum: 0 };
      known[arm] = { count: count + 1, sum: sum + reward };
    }
  },
});

const mean = (seen) => (seen === undefined || seen.count === 0 ? null : seen.sum / seen.count);

export const slotMachine = analyzer({
  name: "slot-machine",
  summary: "Wins now and then",

  config: object({
    pays: number({ minimum: 0, maximum: 1, default: 0.5, description: "How likely it wins." }),
  }),
  input: object({ turn: any({ description: "What is played for: anything." }) }),
  output: object({ reward: integer({ description: "1 for a win, else 0." }) }),

  examples: [{ summary: "One that always pays", config: { pays: 1 }, input: { turn: 1 }, output: { reward: 1 } }],

  analyze(_, { config, host }) {
    return { reward: host.random().nextFloat() < config.pays ? 1 : 0 };
  },
});

export default plugin("0.1.0", greedy, slotMachine);
