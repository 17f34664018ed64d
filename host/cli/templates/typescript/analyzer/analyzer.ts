// The analyzer `{{name}}`: counts the words of a text.

import { analyzer, integer, object, plugin, string } from "../vendor/jackfield/jackfield.js";

// A word is a longest run of characters other than space, tab, carriage return and line feed. A character is a Unicode scalar
// value, so that every language counts the same.
//
// The types of `text`, `config` and the answer follow from the schemas.
export const wordCount = analyzer({
  name: "{{name}}",
  summary: "Counts the words of a text",

  config: object({
    min_length: integer({ minimum: 1, default: 1, description: "Words of fewer characters are not counted." }),
  }),
  input: object({
    text: string({ description: "Any text." }),
  }),
  output: object({
    words: integer({ description: "Words that were counted." }),
    characters: integer({ description: "Characters of the text, white space among them." }),
    longest: integer({ description: "Characters of the longest word that was counted; 0 if none was." }),
  }),

  examples: [
    {
      summary: "Words of three characters or more",
      config: { min_length: 3 },
      input: { text: "So, naïve 🦀🦀🦀 it\tis\nnot." },
      output: { words: 4, characters: 24, longest: 5 },
    },
  ],

  analyze({ text }, { config }) {
    let [words, characters, longest] = [0, 0, 0];
    for (const run of text.split(/([ \t\r\n]+)/)) {
      const length = [...run].length; // a string's own length counts some characters twice
      characters += length;
      if (/^[^ \t\r\n]/.test(run) && length >= config.min_length) {
        words += 1;
        longest = Math.max(longest, length);
      }
    }
    return { words, characters, longest };
  },
});

export default plugin("0.1.0", wordCount);
