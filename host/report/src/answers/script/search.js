// Search: each text of the page is looked through once for a word, and an item has the word if any of its texts has.

const lower = [];
// The texts in lower case; made while nothing else is to do.
const lowerText = (id) => (lower[id] ??= plain(id).toLowerCase());
const prepare = (from) => {
  const end = Math.min(from + 2000, texts.length);
  for (let id = from; id < end; id++) lowerText(id);
  if (end < texts.length) setTimeout(prepare, 0, end);
};

// Words, and phrases in quotes, in lower case.
const termsOf = (query) =>
  [...query.toLowerCase().matchAll(/"([^"]+)"?|[^\s"]+/g)].map((match) => match[1] ?? match[0]).filter((term) => term.trim());

const wordsOf = (query) => [...new Set(termsOf(query))];

// The texts that have a term. One that a shorter term was found in before is looked for in those texts alone.
let found = new Map();
const textsWith = (term) => {
  const known = found.get(term);
  if (known) return known;
  const hits = new Uint8Array(texts.length);
  const shorter = [...found.keys()].filter((before) => term.includes(before)).sort((a, b) => b.length - a.length)[0];
  const among = shorter === undefined ? null : found.get(shorter);
  for (let id = 0; id < hits.length; id++) {
    if ((among === null || among[id]) && lowerText(id).includes(term)) hits[id] = 1;
  }
  if (found.size > 12) found = new Map();
  found.set(term, hits);
  return hits;
};

// Calls `visit` for the texts of an item that a search is over, until it says true.
const someText = (item, scope, visit) => {
  if (scope === "all" && (visit(columns.id[item]) || visit(columns.fault[item]))) return true;
  if ((scope === "all" || scope === "input") && visit(columns.input[item])) return true;
  if (scope === "all" || scope === "prompts") {
    for (const asked of [columns.exchanges[item], columns.other_exchanges[item]]) {
      for (const exchange of asked) {
        if (exchange.messages.some(([, message]) => visit(message)) || visit(exchange.answer) || visit(exchange.failure)) {
          return true;
        }
      }
    }
  }
  if (scope === "all") return stages.some((stage) => stageHas(stage, item, visit));
  return typeof scope === "number" && stageHas(stages[scope], item, visit);
};
const stageHas = (stage, item, visit) =>
  Boolean(stage.own && visit(stage.own.text[item]) || stage.other && visit(stage.other.text[item]));

const hasTerms = (item, scope, hits) =>
  hits.every((hit) => someText(item, scope, (id) => id !== null && id !== undefined && hit[id] === 1));
