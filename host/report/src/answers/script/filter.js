// Which items are shown, and in which order.

const UNFILTERED = { terms: [], scope: "all", state: "", grade: "", change: "", order: "as in the input", isReversed: false };
const filter = { ...UNFILTERED };
// The items that are shown, in order.
let shown = [];

const scoped = () => (typeof filter.scope === "number" ? [stages[filter.scope]] : stages);
const stateOf = (item) => (typeof filter.scope === "number"
  ? STATUS[stages[filter.scope].own?.status[item] ?? "-"]
  : plain(columns.state[item]));

const passedIn = (item) => scoped().map(({ own: mine }) => mine?.passed[item] ?? "-").filter((passed) => passed !== "-");
const GRADES = {
  "passed": (item) => { const passed = passedIn(item); return passed.length > 0 && !passed.includes("0"); },
  "not passed": (item) => passedIn(item).includes("0"),
  "without a grade": (item) => passedIn(item).length === 0,
};
const gains = (item) => scoped().map((stage) => gain(stage, item)).filter((more) => more !== null);
const flips = (item, from, to) => inOther(item)
  && scoped().some(({ own: mine, other: theirs }) => mine?.passed[item] === to && theirs?.passed[item] === from);
const CHANGES = {
  "changed": (item) => scoped().some((stage) => differs(stage, item)),
  "the same": (item) => inOther(item) && !scoped().some((stage) => differs(stage, item)),
  "now passed": (item) => flips(item, "0", "1"),
  "no longer passed": (item) => flips(item, "1", "0"),
  "higher score": (item) => gains(item).some((more) => more > 0),
  "lower score": (item) => gains(item).some((more) => more < 0),
  "another input": (item) => columns.in_other[item] === "2",
  "only in this run": (item) => !inOther(item),
};

// The orders that there are, by name: what an item is ordered by. Numbers and texts are ordered each by their kind.
const ORDERS = new Map();
const collator = new Intl.Collator("en", { numeric: true });
const addOrders = () => {
  ORDERS.set("as in the input", null);
  ORDERS.set("item", (item) => plain(columns.id[item]));
  ORDERS.set("state", (item) => plain(columns.state[item]));
  stages.forEach((stage) => {
    const name = plain(stage.name), { own: mine } = stage;
    if (!mine) return;
    const hasScores = mine.score.some((score) => score !== null);
    if (hasScores) ORDERS.set(`${name}: score`, (item) => mine.score[item]);
    if (hasScores && stage.other) ORDERS.set(`${name}: change of score`, (item) => gain(stage, item));
    for (const { name: member, values } of mine.numbers) {
      ORDERS.set(`${name}: ${plain(member)}`, (item) => values[item]);
    }
    if (!hasScores) ORDERS.set(`${name}: text`, (item) => plain(mine.text[item]).slice(0, 200) || null);
  });
};
// The order by which the header of a stage orders.
const mainOrder = (stage) => {
  const name = plain(stage.name);
  return [`${name}: score`, `${name}: text`].find((order) => ORDERS.has(order));
};

const compare = (one, other) =>
  (typeof one === "number" && typeof other === "number" ? one - other : collator.compare(String(one), String(other)));

const chosen = () => {
  const hits = filter.terms.map(textsWith);
  const isGrade = GRADES[filter.grade] ?? (() => true), isChange = CHANGES[filter.change] ?? (() => true);
  const items = [];
  for (let item = 0; item < count; item++) {
    if ((filter.state === "" || stateOf(item) === filter.state) && isGrade(item) && isChange(item)
      && hasTerms(item, filter.scope, hits)) items.push(item);
  }
  return items;
};

// Items without what is ordered by come last, whichever way.
const ordered = (items) => {
  const key = ORDERS.get(filter.order), sign = filter.isReversed ? -1 : 1;
  if (!key) return filter.isReversed ? items.reverse() : items;
  const keys = new Map(items.map((item) => [item, key(item)]));
  return items.sort((a, b) => {
    const [one, two] = [keys.get(a), keys.get(b)];
    if (one === null || two === null) return (one === null) - (two === null) || a - b;
    return sign * compare(one, two) || a - b;
  });
};
