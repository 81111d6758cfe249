// The suspected samples as cards, and the verdicts on them.

const PER_PAGE = 60;
const VERDICTS = [
  ["keep", "1 label is right"], ["accept", "2 suggestion"], ["other", "3 another label"],
  ["none", "4 none of these"], ["drop", "5 drop"],
];
const storageName = "gpunoisy verdicts " + data.identity;
let listed = [], page = 0, selected = 0;

// MARK: Verdicts

/// By id: { verdict, label } from the grid.
const verdicts = new Map();
/// By id: "right", "wrong" or "unsure" from the blind check.
const answers = new Map();

/// What was decided, in its order, for taking it back: an id and the verdict before.
const decided = [];

/// A browser may refuse to store anything for a file; then the download alone keeps verdicts.
function store() {
  try {
    localStorage.setItem(storageName, JSON.stringify({ verdicts: [...verdicts], answers: [...answers] }));
  } catch {}
  const given = verdicts.size + answers.size;
  element("save").textContent = given ? `Save verdicts.csv (${given})` : "Save verdicts.csv";
  element("save").disabled = given === 0;
}

function restore() {
  try {
    const stored = JSON.parse(localStorage.getItem(storageName) || "{}");
    for (const [id, found] of stored.verdicts || []) if (byID.has(id)) verdicts.set(id, found);
    for (const [id, answer] of stored.answers || []) if (byID.has(id)) answers.set(id, answer);
  } catch {}
}

/// The label that a verdict puts in the place of the given one; -1 for none.
function newLabel(index, found) {
  if (found.verdict === "accept") return samples.suggested[index];
  if (found.verdict === "keep") return samples.given[index];
  return found.verdict === "other" ? found.label ?? -1 : -1;
}

function verdictTable() {
  const cell = (value) => (/[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);
  const name = (label) => (label < 0 ? "" : data.classes[label]);
  const row = (id, source, verdict, label) => {
    const index = byID.get(id), given = samples.given[index];
    const path = samples.path?.[index] ?? "";
    return [
      String(id), path, source, samples.flagged[index] === "1" ? "True" : "False", verdict, String(given),
      label < 0 ? "" : String(label), name(given), name(label),
    ].map(cell).join(",");
  };
  const lines = ["sample_id,path,source,is_label_issue,verdict,given_label,new_label,given_name,new_name"];
  for (const [id, found] of verdicts) lines.push(row(id, "grid", found.verdict, newLabel(byID.get(id), found)));
  for (const [id, answer] of answers) {
    lines.push(row(id, "blind", answer, answer === "right" ? samples.given[byID.get(id)] : -1));
  }
  return lines.map((line) => line + "\n").join("");
}

element("save").addEventListener("click", () => {
  const address = URL.createObjectURL(new Blob([verdictTable()], { type: "text/csv" }));
  const link = make("a", { href: address, download: "verdicts.csv" });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 10000);
});

/// Notes a verdict on the current card; none takes it away.
function record(found) {
  const id = samples.id[listed[selected]];
  decided.push({ id, before: verdicts.get(id) });
  if (found) verdicts.set(id, found);
  else verdicts.delete(id);
  store();
}

/// Notes a verdict and moves on; "another label" first asks for it.
function decide(verdict) {
  if (listed[selected] === undefined) return;
  const before = verdicts.get(samples.id[listed[selected]]);
  if (verdict !== "other" || before?.verdict !== "other") record(verdict && { verdict });
  refreshCard(selected);
  if (verdict === "other") shownCard(selected).querySelector(".label").focus();
  else select(verdict && selected + 1 < listed.length ? selected + 1 : selected);
}

/// Takes the last verdict back and returns to its card.
function undo() {
  const last = decided.pop();
  if (last === undefined) return;
  const { id, before } = last;
  if (before === undefined) verdicts.delete(id);
  else verdicts.set(id, before);
  store();
  const position = listed.indexOf(byID.get(id));
  if (position < 0) return;
  refreshCard(position);
  select(position);
}

// MARK: Cards

function sparkline(margins) {
  const space = "http://www.w3.org/2000/svg", svg = document.createElementNS(space, "svg");
  const known = margins.filter((value) => value !== null), low = Math.min(0, ...known), high = Math.max(0, ...known);
  const y = (value) => 28 - (26 * (value - low)) / (high - low || 1);
  const x = (step) => ((100 * step) / Math.max(1, margins.length - 1)).toFixed(1);
  const points = margins.map((value, step) => (value === null ? null : `${x(step)},${y(value).toFixed(1)}`));
  for (const [tag, attributes] of [
    ["line", { x1: 0, x2: 100, y1: y(0), y2: y(0), class: "zero" }],
    ["polyline", { points: points.filter((point) => point !== null).join(" ") }],
  ]) {
    const part = document.createElementNS(space, tag);
    for (const [name, value] of Object.entries(attributes)) part.setAttribute(name, String(value));
    svg.append(part);
  }
  const frame = { viewBox: "0 0 100 30", preserveAspectRatio: "none", class: "spark", role: "img" };
  for (const [name, value] of Object.entries(frame)) svg.setAttribute(name, value);
  const ends = [known[0] ?? 0, known.at(-1) ?? 0].map(decimal);
  svg.setAttribute("aria-label", `margin from ${ends[0]} to ${ends[1]} over the epochs`);
  return svg;
}

function image(index) {
  const source = data.images[samples.id[index]];
  if (!source) return make("div", { className: "no-image" }, "image not in this page");
  const alt = `sample ${samples.id[index]}, labelled ${className(samples.given[index])}`;
  return make("img", { src: source, alt, className: data.pixelated ? "pixelated" : "", loading: "lazy" });
}

function card(position) {
  const index = listed[position], id = samples.id[index], found = verdicts.get(id);
  const certain = samples.confidence[index], key = samples.key[index];
  const made = make(
    "article", { className: "card", tabindex: "-1", "data-position": position, "data-id": id },
    make("p", { className: "rank" }, `rank ${samples.rank[index]}`, make("span", {}, `#${id}`)), image(index),
    make(
      "p", { className: "name" }, make("small", {}, "given"), " ",
      make("b", { className: "given" }, className(samples.given[index]))),
    make(
      "p", { className: "name" }, make("small", {}, "suggested"), " ",
      make("b", { className: "suggested" }, className(samples.suggested[index])), " ",
      certain === null ? "" : make("small", {}, `${certain}%`)),
    make("p", {}, make("small", {}, data.keyName + " "), key === null ? "–" : decimal(key)));
  if (samples.truth && samples.truth[index] >= 0) {
    made.append(make("p", { className: "name" }, make("small", {}, "truth"), " ", className(samples.truth[index])));
  }
  if (data.margins[id]) made.append(sparkline(data.margins[id]));
  const path = samples.path?.[index];
  if (path) made.append(make("p", { className: "path", title: path }, path));
  const choice = make(
    "select", { "aria-label": `verdict on sample ${id}` }, make("option", { value: "" }, "verdict …"));
  for (const [name, text] of VERDICTS) choice.append(make("option", { value: name }, text));
  choice.value = found?.verdict ?? "";
  choice.addEventListener("change", () => {
    const verdict = choice.value || null;
    select(position, false);
    decide(verdict);
  });
  made.append(choice);
  if (found?.verdict === "other") made.append(labelChoice(position, found));
  if (found) made.classList.add("decided");
  if (position === selected) made.setAttribute("aria-current", "true");
  return made;
}

function labelChoice(position, found) {
  const choice = make(
    "select", { className: "label", "aria-label": "the right label" }, make("option", { value: "" }, "which …"));
  data.classes.forEach((name, label) => choice.append(make("option", { value: label }, name)));
  choice.value = found.label === undefined ? "" : String(found.label);
  choice.addEventListener("change", () => {
    select(position, false);
    record(choice.value === "" ? { verdict: "other" } : { verdict: "other", label: Number(choice.value) });
  });
  choice.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    select(position + 1);
  });
  return choice;
}

const shownCard = (position) => element("grid").querySelector(`[data-position="${position}"]`);
const refreshCard = (position) => shownCard(position)?.replaceWith(card(position));

/// Makes a card the current one, turning the page where needed.
function select(position, focuses = true) {
  if (position < 0 || position >= listed.length) return;
  const wanted = Math.floor(position / PER_PAGE);
  shownCard(selected)?.removeAttribute("aria-current");
  selected = position;
  if (wanted !== page) {
    page = wanted;
    showPage();
  }
  shownCard(position)?.setAttribute("aria-current", "true");
  if (focuses) shownCard(position)?.focus();
}

function showPage() {
  const first = page * PER_PAGE, last = Math.min(listed.length, first + PER_PAGE), cards = [];
  for (let position = first; position < last; position++) cards.push(card(position));
  element("grid").replaceChildren(...cards);
  const text = listed.length ? `${first + 1} to ${last} of ${listed.length}` : "none";
  for (const place of document.querySelectorAll(".place")) place.textContent = text;
  for (const button of document.querySelectorAll("[data-turn]")) {
    button.disabled = button.dataset.turn === "-1" ? page === 0 : last >= listed.length;
  }
}

/// Lists what is suspected, the most suspicious first, as far as the filters let it through.
function showGrid(found) {
  const given = element("given-filter").value, suggested = element("suggested-filter").value;
  const open = element("open-filter").checked;
  listed = found.filter(
    (index) =>
      (given === "" || samples.given[index] === Number(given)) &&
      (suggested === "" || samples.suggested[index] === Number(suggested)) &&
      !(open && verdicts.has(samples.id[index])));
  page = selected = 0;
  showPage();
}

for (const id of ["given-filter", "suggested-filter", "open-filter"]) element(id).addEventListener("change", update);
for (const button of document.querySelectorAll("[data-turn]")) {
  button.addEventListener("click", () => {
    select((page + Number(button.dataset.turn)) * PER_PAGE, false);
    element("suspects").scrollIntoView();
  });
}
element("grid").addEventListener("click", (event) => {
  const chosen = event.target.closest(".card");
  if (chosen && !event.target.closest("select")) select(Number(chosen.dataset.position));
});
