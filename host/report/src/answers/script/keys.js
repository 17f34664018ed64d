// What a reader types and chooses, and the beginning.

const tools = by("tools"), search = by("search");

const options = (select, entries) => {
  select.replaceChildren(...entries.map(([value, label]) => {
    const option = make("option", "", label);
    option.value = value;
    return option;
  }));
};

// The choices with the number of items that each has, without those that no item has.
const counted = (select, any, names, is, chosenName) => {
  const entries = names.map((name) => {
    let items = 0;
    for (let item = 0; item < count; item++) if (is(name, item)) items += 1;
    return [name, items];
  });
  const offered = entries.filter(([name, items]) => items > 0 || name === chosenName);
  options(select, [["", any], ...offered.map(([name, items]) => [name, `${name} (${numbered(items)})`])]);
  select.value = chosenName;
};

const drawChoices = () => {
  const states = new Set(Array.from({ length: count }, (_, item) => stateOf(item)));
  counted(by("state"), "any", [...states].sort(), (name, item) => stateOf(item) === name, filter.state);
  counted(by("grade"), "any", Object.keys(GRADES), (name, item) => GRADES[name](item), filter.grade);
  if (isCompared) counted(by("change"), "changed or not", Object.keys(CHANGES), (name, item) => CHANGES[name](item), filter.change);
};

const apply = () => {
  shown = ordered(chosen());
  by("count").textContent = shown.length === count
    ? `${numbered(count)} ${count === 1 ? "item" : "items"}`
    : `${numbered(shown.length)} of ${numbered(count)} items`;
  by("clear").hidden = !isNarrowed();
  drawTable();
};

const isNarrowed = () => filter.terms.length > 0 || filter.scope !== "all" || filter.isReversed
  || filter.order !== "as in the input" || filter.state !== "" || filter.grade !== "" || filter.change !== "";

const orderBy = (order) => {
  // Once for this order, once more for its reverse, and then as in the input.
  if (filter.order !== order) { filter.order = order; filter.isReversed = false; }
  else if (!filter.isReversed) filter.isReversed = true;
  else { filter.order = "as in the input"; filter.isReversed = false; }
  by("order").value = filter.order;
  by("reverse").setAttribute("aria-pressed", String(filter.isReversed));
  apply();
};

const clearAll = () => {
  Object.assign(filter, UNFILTERED);
  search.value = "";
  by("scope").value = "all";
  by("order").value = filter.order;
  by("reverse").setAttribute("aria-pressed", "false");
  drawChoices();
  apply();
};

search.addEventListener("input", () => { filter.terms = wordsOf(search.value); apply(); });
by("scope").addEventListener("change", (event) => {
  const { value } = event.target;
  filter.scope = /^\d+$/.test(value) ? Number(value) : value;
  filter.state = "";
  drawChoices();
  apply();
});
for (const name of ["state", "grade", "change"]) {
  by(name).addEventListener("change", (event) => { filter[name] = event.target.value; apply(); });
}
by("order").addEventListener("change", (event) => { filter.order = event.target.value; apply(); });
by("reverse").addEventListener("click", () => {
  filter.isReversed = !filter.isReversed;
  by("reverse").setAttribute("aria-pressed", String(filter.isReversed));
  apply();
});
tools.addEventListener("reset", (event) => { event.preventDefault(); clearAll(); });
by("clear-too").addEventListener("click", () => { clearAll(); search.focus(); });
tools.addEventListener("submit", (event) => { event.preventDefault(); if (shown.length > 0) goTo(shown[0]); });

const moveBy = (step) => {
  const at = current === null ? -1 : shown.indexOf(current);
  const next = shown[Math.max(0, Math.min(shown.length - 1, at + step))];
  if (next !== undefined) goTo(next);
};

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const { key, target } = event;
  const isTyping = target.matches?.("input, select, textarea");
  if (dialog.open) {
    if (key === "j" || key === "ArrowRight") step(1);
    else if (key === "k" || key === "ArrowLeft") step(-1);
    else if (key === "p") togglePrompts();
    else return;
  } else if (target === search && key === "ArrowDown") {
    if (shown.length > 0) goTo(shown[0]);
  } else if (isTyping) {
    return;
  } else if (key === "/") {
    search.focus();
    search.select();
  } else if (key === "j" || key === "ArrowDown") {
    moveBy(1);
  } else if (key === "k" || key === "ArrowUp") {
    moveBy(-1);
  } else if (key === "Home" && shown.length > 0) {
    goTo(shown[0]);
  } else if (key === "End" && shown.length > 0) {
    goTo(shown.at(-1));
  } else {
    return;
  }
  event.preventDefault();
});

addOrders();
options(by("scope"), [["all", "all of the item"], ["input", "the input"], ...(isAsked ? [["prompts", "prompts and answers"]] : []),
  ...stages.map((stage, at) => [String(at), `${stage.number} ${plain(stage.name)}`])]);
options(by("order"), [...ORDERS.keys()].map((name) => [name, name]));
by("grade-field").hidden = !isGraded;
by("change-field").hidden = !isCompared;
drawHead();
drawChoices();
apply();
show();
setTimeout(prepare, 0, 0);
root.dataset.script = "ready";
