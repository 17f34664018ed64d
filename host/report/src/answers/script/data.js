// The page of answers. Its data are two JSON texts: columns, an entry an item, and the texts that these name by position.
// Everything from outside is a text, and becomes a text node: nothing of it is ever parsed as markup.
"use strict";

const root = document.documentElement;
addEventListener("error", (event) => { root.dataset.script = `failed: ${event.message}`; });
addEventListener("securitypolicyviolation", (event) => { root.dataset.violation = event.violatedDirective; });

const by = (id) => document.getElementById(id);
const parsed = (id) => JSON.parse(by(id).textContent);
const columns = parsed("columns");
const { texts, cut } = parsed("texts");
// Stands in a text between the name of a member and its value.
const AFTER_NAME = "\u007f";

const count = columns.id.length;
const stages = columns.stages;
const isCompared = by("other") !== null;
const isGraded = stages.some(({ own }) => own && own.passed.includes("0") || own && own.passed.includes("1"));
const isAsked = [columns.exchanges, columns.other_exchanges].some((items) => items.some((asked) => asked.length > 0));
const wholeLength = new Map(cut);

const text = (id) => (id === null || id === undefined ? "" : texts[id]);
const plain = (id) => text(id).replaceAll(AFTER_NAME, ": ");
const numbered = (number) => number.toLocaleString("en-US");
const scored = (score) => String(Math.round(score * 1000) / 1000);

const STATUS = { o: "ok", p: "partial", f: "failed", s: "skipped", x: "off", "-": "not done" };

// What a stage of an item came to in one of the runs; none where the run has no such stage or item.
const cellOf = (cells, item) => cells && {
  status: cells.status[item], text: cells.text[item], score: cells.score[item], passed: cells.passed[item],
};
const inOther = (item) => columns.in_other[item] !== "0";
const own = (stage, item) => cellOf(stage.own, item);
const other = (stage, item) => (inOther(item) ? cellOf(stage.other, item) : null);

// Whether a stage of an item came to something else in the other run. What only one of the runs has is no difference.
const differs = ({ own: mine, other: theirs }, item) => Boolean(mine && theirs && inOther(item))
  && (mine.status[item] !== theirs.status[item] || mine.text[item] !== theirs.text[item]
    || mine.score[item] !== theirs.score[item] || mine.passed[item] !== theirs.passed[item]);
// How much higher the score is than in the other run; none without both.
const gain = ({ own: mine, other: theirs }, item) => {
  if (!mine || !theirs || !inOther(item) || mine.score[item] === null || theirs.score[item] === null) return null;
  return mine.score[item] - theirs.score[item];
};
