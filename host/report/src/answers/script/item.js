// One item large. Which one is part of the address, so that it can be linked to, and going back closes it.

const dialog = by("item"), itemBody = by("item-body");
let isPromptsOpen = false;
// The item that is open.
let opened = null;

const itemOf = (hash) => {
  if (!hash.startsWith("#item=")) return null;
  let id = "";
  try { id = decodeURIComponent(hash.slice(6)); } catch { return null; }
  const item = columns.id.findIndex((name) => text(name) === id);
  return item < 0 ? null : item;
};

const cutNote = (id) => {
  const length = wholeLength.get(id);
  return length === undefined ? null
    : make("p", "note cut", `Cut here: ${numbered(plain(id).length)} of ${numbered(length)} characters are on this page.`);
};

const textBlock = (id, classes = "") => make("div", "", make("div", `text ${classes}`, ...lined(text(id), filter.terms)), cutNote(id));

// A text beside that of the other run, with what differs marked.
const sideBySide = (mine, theirs) => {
  const [one, two] = difference(plain(mine), plain(theirs));
  // Behind the end of a text that is cut, nothing is known to differ.
  if (wholeLength.has(mine) || wholeLength.has(theirs)) {
    for (const runs of [one, two]) if (runs.length > 1) runs.at(-1)[1] = true;
  }
  const side = (title, runs, name, id) => make("div", "side", make("p", "side-name", title),
    make("div", "text", ...runs.map(([part, isSame]) => (isSame ? part : make(name, "", part)))), cutNote(id));
  const box = make("div", "sides", side("This run", one, "ins", mine), side("The other run", two, "del", theirs));
  if (one.every(([, isSame]) => isSame) && two.every(([, isSame]) => isSame)) {
    return make("div", "", box, make("p", "note", "They differ behind what is on this page."));
  }
  return box;
};

// A part of an exchange; beside that of the other run where it is another.
const partOf = (role, mine, theirs, classes = "") => {
  const isBoth = mine !== null && theirs !== null && theirs !== undefined && mine !== theirs;
  return mine === null && (theirs ?? null) === null ? null
    : make("div", `message ${classes}`, make("p", "role", role),
      isBoth ? sideBySide(mine, theirs) : textBlock(mine ?? theirs),
      mine === null ? make("p", "note", "In the other run alone.") : null);
};

const exchangeOf = (exchange, title, theirs = null) => {
  const details = make("details", "exchange", make("summary", "", title, " ", make("span", "note", plain(exchange.note))));
  details.open = isPromptsOpen;
  const others = theirs ? theirs.messages : [];
  const messages = Array.from({ length: Math.max(exchange.messages.length, others.length) }, (_, at) => {
    const [role, message] = exchange.messages[at] ?? [others[at][0], null];
    return partOf(plain(role), message, others[at]?.[1]);
  });
  const parts = [...messages, partOf("settings", exchange.settings, theirs?.settings), partOf("reasoning", exchange.reasoning, theirs?.reasoning),
    partOf("answer", exchange.answer, theirs?.answer, "answer"), partOf("failed", exchange.failure, theirs?.failure, "bad")];
  details.append(...parts.filter((part) => part !== null));
  return details;
};

const exchangesOf = (stage, item) => {
  const of = (items) => items[item].filter((exchange) => exchange.stage === stage.name);
  const mine = of(columns.exchanges), theirs = of(columns.other_exchanges);
  const titled = (title, at, list) => (list.length > 1 ? `${title} ${at + 1}` : title);
  return [
    ...mine.map((exchange, at) => exchangeOf(exchange, titled("Prompt and answer", at, mine), theirs[at])),
    ...theirs.slice(mine.length).map((exchange, at) => exchangeOf(exchange, titled("Prompt and answer of the other run", at, theirs))),
  ];
};

const stateLine = (cell) => {
  if (cell.score !== null) return gradeOf(cell);
  return cell.status === "o" ? null : make("span", cell.status === "f" || cell.status === "p" ? "bad" : "note", STATUS[cell.status]);
};

const stageSection = (stage, item) => {
  const mine = own(stage, item), theirs = other(stage, item);
  const heading = make("h3", "", numberPlate(stage), ` ${plain(stage.name)}`);
  const section = make("section", "stage", heading);
  const parts = [];
  if (mine) parts.push(stateLine(mine));
  const isDifferent = differs(stage, item);
  if (isDifferent && theirs && (theirs.score !== mine.score || theirs.passed !== mine.passed || theirs.status !== mine.status)) {
    parts.push(make("span", "before", "before: ", stateLine(theirs) ?? STATUS[theirs.status]), gainOf(gain(stage, item)));
  }
  const facts = parts.filter((part) => part !== null);
  if (facts.length > 0) section.append(make("p", "outcome-line", ...facts.flatMap((fact) => [fact, " "])));
  if (!mine) section.append(make("p", "note", "In the other run alone."));
  if (mine && theirs && mine.text !== theirs.text) {
    section.append(sideBySide(mine.text, theirs.text));
  } else {
    const { text: id, status } = mine ?? theirs ?? { text: null, status: "-" };
    if (id !== null) section.append(textBlock(id, status === "f" ? "bad" : ""));
    else if (facts.length === 0) section.append(make("p", "note", STATUS[status]));
  }
  if (mine && theirs && !isDifferent) heading.append(make("span", "note same", " as in the other run"));
  section.append(...exchangesOf(stage, item));
  return section;
};

const drawItem = (item) => {
  const at = shown.indexOf(item);
  by("item-name").textContent = plain(columns.id[item]);
  const state = plain(columns.state[item]);
  by("item-place").textContent = at < 0 ? state : `${state} · ${numbered(at + 1)} of ${numbered(shown.length)}`;
  by("previous").disabled = neighbour(item, -1) === null;
  by("next").disabled = neighbour(item, 1) === null;
  by("prompts").hidden = !isAsked;
  by("prompts").setAttribute("aria-pressed", String(isPromptsOpen));
  const sections = [];
  if (columns.fault[item] !== null) sections.push(make("section", "stage", make("h3", "", "Fault"), textBlock(columns.fault[item], "bad")));
  const input = make("section", "stage", make("h3", "", "Input"));
  if (columns.input[item] !== null) input.append(textBlock(columns.input[item]));
  else input.append(make("p", "note", "It cannot be read again: the input of the run is gone, or is not what it was."));
  if (columns.in_other[item] === "2") input.append(make("p", "part", "The other run had another input under this name."));
  if (isCompared && columns.in_other[item] === "0") input.append(make("p", "note", "The other run has no such item."));
  sections.push(input, ...stages.filter((stage) => stage.own || inOther(item)).map((stage) => stageSection(stage, item)));
  itemBody.replaceChildren(...sections);
  itemBody.scrollTop = 0;
};

const neighbour = (item, step) => {
  const items = shown.includes(item) ? shown : [...columns.id.keys()];
  return items[items.indexOf(item) + step] ?? null;
};

const step = (by) => {
  const next = opened === null ? null : neighbour(opened, by);
  if (next !== null) location.replace(hrefOf(next));
};

const close = () => { if (location.hash !== "") location.hash = ""; else show(); };

// Shows what the address says.
const show = () => {
  const before = opened;
  opened = itemOf(location.hash);
  if (opened === null) {
    if (dialog.open) dialog.close();
    if (before !== null) goTo(before);
    return;
  }
  drawItem(opened);
  if (!dialog.open) {
    dialog.showModal();
    itemBody.focus();
  }
};

const togglePrompts = () => {
  isPromptsOpen = !isPromptsOpen;
  by("prompts").setAttribute("aria-pressed", String(isPromptsOpen));
  itemBody.querySelectorAll("details.exchange").forEach((details) => { details.open = isPromptsOpen; });
};

addEventListener("hashchange", show);
dialog.addEventListener("cancel", (event) => { event.preventDefault(); close(); });
dialog.addEventListener("click", (event) => { if (event.target === dialog) close(); });
by("close").addEventListener("click", close);
by("previous").addEventListener("click", () => step(-1));
by("next").addEventListener("click", () => step(1));
by("prompts").addEventListener("click", togglePrompts);
