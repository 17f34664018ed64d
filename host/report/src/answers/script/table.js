// The table: only the rows that are seen are elements.

const region = by("rows"), table = by("table"), head = table.tHead.rows[0], body = table.tBodies[0];
// More rows than are seen, so that they are there before they are.
const BESIDE = 8;
const rowElements = new Map();
let rowHeight = 68;
// The item that the keyboard is at.
let current = null;

const COLUMNS = [{ name: "Item", order: "item", width: 176 }, { name: "Input", order: null, width: 280 },
  ...stages.map((stage) => ({ name: plain(stage.name), stage, width: stage.own?.score.some((score) => score !== null) ? 230 : 290 }))];

const drawHead = () => {
  const widths = table.querySelector("colgroup");
  COLUMNS.forEach((column, at) => {
    const col = make("col");
    col.style.width = `${column.width}px`;
    widths.append(col);
    const order = column.stage ? mainOrder(column.stage) : column.order;
    const label = [column.stage ? numberPlate(column.stage) : null, column.stage ? ` ${column.name}` : column.name];
    if (column.stage && !column.stage.own) label.push(make("span", "note", " in the other run alone"));
    const th = make("th");
    th.scope = "col";
    if (order) {
      const button = make("button", "order", ...label);
      button.type = "button";
      button.append(make("span", "arrow"));
      button.addEventListener("click", () => orderBy(order));
      th.dataset.order = order;
      th.append(button);
    } else {
      th.append(...label.filter((part) => part !== null));
    }
    if (at === 0) th.className = "first";
    head.append(th);
  });
  table.style.width = `max(100%, ${COLUMNS.reduce((sum, { width }) => sum + width, 0)}px)`;
};

const drawOrder = () => {
  for (const th of head.cells) {
    const isBy = th.dataset.order !== undefined && th.dataset.order === filter.order;
    if (isBy) th.setAttribute("aria-sort", filter.isReversed ? "descending" : "ascending");
    else th.removeAttribute("aria-sort");
    const arrow = th.querySelector(".arrow");
    if (arrow) arrow.textContent = isBy ? (filter.isReversed ? " ▼" : " ▲") : "";
  }
};

// What of a text is in a row: short members one after the other, and a line for each longer one where there is room for all.
const SHORT_LINE = 30;
const brief = (id, itemId = null) => {
  const lines = text(id).slice(0, 4000).split("\n").map((line) => line.trim())
    .filter((line) => line !== "" && (itemId === null || !line.endsWith(`${AFTER_NAME}${itemId}`)));
  const isShort = (line) => line !== undefined && line.includes(AFTER_NAME) && line.length <= SHORT_LINE;
  const isCrowded = lines.length > 3 && lines.some((line) => line.includes(AFTER_NAME));
  const joined = lines.reduce((all, line, at) => {
    if (all === "" || all.endsWith(AFTER_NAME)) return all + line;
    return `${all}${isCrowded || isShort(line) && isShort(lines[at - 1]) ? " · " : "\n"}${line}`;
  }, "");
  return marked(joined.replaceAll(AFTER_NAME, ": "), filter.terms, 280);
};

const drawCell = (td, stage, item) => {
  const mine = own(stage, item), cell = mine ?? other(stage, item);
  if (!cell) return;
  const box = make("div", "cell");
  if (!mine) box.classList.add("note");
  if (differs(stage, item)) {
    td.classList.add("changed");
    const sign = make("span", "differs", "≠");
    sign.title = "not as in the other run";
    sign.append(make("span", "hear", " differs from the other run: "));
    box.append(sign, " ");
  }
  if (cell.score !== null) {
    const more = gainOf(gain(stage, item));
    box.append(gradeOf(cell));
    if (more) box.append(" ", more);
    if (cell.text !== null) box.append(make("span", "reason", ...brief(cell.text)));
  } else if (cell.status === "f" || cell.status === "p") {
    box.append(make("span", "bad", cell.status === "f" ? "✕ failed " : "◐ in part "), ...brief(cell.text));
  } else if (cell.status !== "o") {
    box.append(make("span", "note", STATUS[cell.status]));
  } else {
    box.append(...brief(cell.text));
  }
  td.append(box);
};

const STATE_SIGNS = { ok: ["●", "good"], partial: ["◐", "part"], failed: ["✕", "bad"], pruned: ["◌", "note"] };

const hrefOf = (item) => `#item=${encodeURIComponent(text(columns.id[item]))}`;

const drawRow = (item) => {
  const tr = make("tr");
  tr.dataset.item = String(item);
  const th = make("th", "first");
  th.scope = "row";
  const link = make("a", "", ...marked(plain(columns.id[item]), filter.terms, 90));
  link.href = hrefOf(item);
  const state = plain(columns.state[item]), [sign, looks] = STATE_SIGNS[state] ?? ["◌", "note"];
  const hidden = make("span", "", `${sign} `);
  hidden.setAttribute("aria-hidden", "true");
  th.append(make("div", "cell", link, make("span", `row-state ${looks}`, hidden, state)));
  const input = make("td", "", make("div", "cell", ...brief(columns.input[item], text(columns.id[item]))));
  if (columns.fault[item] !== null) input.replaceChildren(make("div", "cell", make("span", "bad", "✕ "), ...brief(columns.fault[item])));
  tr.append(th, input);
  for (const stage of stages) {
    const td = make("td");
    drawCell(td, stage, item);
    tr.append(td);
  }
  return tr;
};

// A row without content, in place of all that are above or below.
const space = (height) => {
  const tr = make("tr", "space"), td = make("td");
  tr.setAttribute("aria-hidden", "true");
  td.colSpan = COLUMNS.length;
  td.style.height = `${height}px`;
  tr.append(td);
  return tr;
};
const above = space(0), below = space(0);
body.append(above, below);

const drawRows = () => {
  const seen = Math.ceil(region.clientHeight / rowHeight) + 1;
  const from = Math.max(0, Math.min(Math.floor(region.scrollTop / rowHeight) - BESIDE, shown.length - seen));
  const to = Math.min(shown.length, from + seen + 2 * BESIDE);
  const wanted = new Set(shown.slice(from, to));
  for (const [item, tr] of rowElements) {
    if (wanted.has(item)) continue;
    tr.remove();
    rowElements.delete(item);
  }
  let last = above;
  for (let at = from; at < to; at++) {
    const item = shown[at];
    let tr = rowElements.get(item);
    if (!tr) rowElements.set(item, tr = drawRow(item));
    if (last.nextSibling !== tr) last.after(tr);
    tr.setAttribute("aria-rowindex", String(at + 2));
    tr.classList.toggle("current", item === current);
    last = tr;
  }
  above.firstChild.style.height = `${from * rowHeight}px`;
  below.firstChild.style.height = `${(shown.length - to) * rowHeight}px`;
  above.hidden = from === 0;
  below.hidden = to === shown.length;
};

// Draws anew what is shown now.
const drawTable = () => {
  rowElements.forEach((tr) => tr.remove());
  rowElements.clear();
  table.setAttribute("aria-rowcount", String(shown.length + 1));
  by("nothing").hidden = shown.length > 0;
  region.scrollTop = 0;
  drawOrder();
  drawRows();
  const first = rowElements.values().next().value;
  const height = first?.getBoundingClientRect().height;
  if (height && Math.abs(height - rowHeight) > 0.01) {
    rowHeight = height;
    drawRows();
  }
};

// Puts the keyboard at an item, and the item where it is seen.
const goTo = (item) => {
  const at = shown.indexOf(item);
  if (at < 0) return;
  current = item;
  const top = at * rowHeight, room = region.clientHeight - head.getBoundingClientRect().height;
  if (top < region.scrollTop) region.scrollTop = top;
  else if (top + rowHeight > region.scrollTop + room) region.scrollTop = top + rowHeight - room;
  drawRows();
  rowElements.get(item)?.querySelector("a").focus({ preventScroll: true });
};

region.addEventListener("scroll", drawRows, { passive: true });
addEventListener("resize", drawRows);
body.addEventListener("click", (event) => {
  const tr = event.target.closest("tr[data-item]");
  // A text that is being selected is not a click.
  if (!tr || event.target.closest("a") || String(getSelection()) !== "") return;
  location.hash = hrefOf(Number(tr.dataset.item));
});
body.addEventListener("focusin", (event) => {
  const tr = event.target.closest("tr[data-item]");
  if (!tr) return;
  current = Number(tr.dataset.item);
  rowElements.forEach((row, item) => row.classList.toggle("current", item === current));
});
