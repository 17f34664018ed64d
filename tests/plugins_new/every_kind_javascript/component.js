// Offers what the projects of every kind offer, and the probe.

import { shelf } from "./cache-backend.js";
import { medianDifference, sampleStates } from "./direction-extractor.js";
import { ask, parrot } from "./model.js";
import { echo, fail, give, probe, surroundings, take } from "./probe.js";
import { greedy, slotMachine } from "./routing-policy.js";
import { component } from "./vendor/jackfield/component.js";
import { plugin } from "./vendor/jackfield/jackfield.js";

const offered = [
  parrot, ask, shelf, greedy, slotMachine, medianDifference, sampleStates, echo, probe, give, take, fail, surroundings,
];

export const { meta, extension, cacheBackend } = component(plugin("0.1.0", ...offered));
