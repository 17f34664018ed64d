// Elements with text in them.

const make = (name, classes, ...children) => {
  const element = document.createElement(name);
  if (classes) element.className = classes;
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
};

// A text in which the words that are searched for are marked. `most`: where it is longer, what is around the first of them.
const marked = (source, terms, most = Infinity) => {
  let shownText = source;
  const places = (within) => {
    const low = within.toLowerCase();
    // Where a letter has another length in lower case, places would not fit.
    if (low.length !== within.length) return [];
    const all = terms.flatMap((term) => {
      const at = [];
      for (let from = low.indexOf(term); from >= 0 && at.length < 400; from = low.indexOf(term, from + term.length)) at.push([from, from + term.length]);
      return at;
    });
    return all.sort((one, two) => one[0] - two[0]);
  };
  if (source.length > most) {
    const first = terms.length > 0 ? places(source)[0]?.[0] ?? 0 : 0;
    const from = first > most / 3 ? first - 30 : 0;
    shownText = `${from > 0 ? "…" : ""}${source.slice(from, from + most)}…`;
  }
  const parts = [];
  let done = 0;
  for (const [from, to] of terms.length > 0 ? places(shownText) : []) {
    if (from < done) continue;
    parts.push(shownText.slice(done, from), make("mark", "", shownText.slice(from, to)));
    done = to;
  }
  parts.push(shownText.slice(done));
  return parts;
};

// A text of the page, line by line, with the names of members set off.
const lined = (source, terms) => source.split("\n").flatMap((line, at) => {
  const end = line.indexOf(AFTER_NAME), lead = at > 0 ? ["\n"] : [];
  if (end < 0) return [...lead, ...marked(line, terms)];
  const name = make("span", "name", ...marked(line.slice(0, end), terms));
  return [...lead, name, ": ", ...marked(line.slice(end + 1), terms)];
});

const numberPlate = (stage) => make("b", "no", String(stage.number));

// A grade: whether it passed, and its score as a number and as a length.
const gradeOf = (cell) => {
  const passed = cell.passed === "1";
  const sign = make("span", passed ? "pass" : "fail", passed ? "✓ " : "✗ ");
  sign.append(make("span", "hear", passed ? "passed, score " : "not passed, score "));
  const meter = make("span", "meter");
  meter.setAttribute("aria-hidden", "true");
  const fill = make("span", passed ? "full" : "full low");
  fill.style.width = `${Math.max(0, Math.min(1, cell.score)) * 100}%`;
  meter.append(fill);
  return make("span", "grade", sign, make("b", "", scored(cell.score)), meter);
};

const gainOf = (more) => (more === null || Math.abs(more) < 5e-7 ? null
  : make("span", more > 0 ? "gain up" : "gain down", `${more > 0 ? "▲ +" : "▼ −"}${scored(Math.abs(more))}`));
