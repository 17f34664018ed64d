// Answers what it is told.

import { analyzer, object, plugin, string } from "./vendor/jackfield/jackfield.js";

const said = object({ text: string({ description: "Any text." }) });

export const echo = analyzer({
  name: "echo",
  summary: "Answers what it is told",
  config: object({}),
  input: said,
  output: said,
  examples: [],
  analyze: (document) => document,
});

export default plugin("0.1.0", echo);
