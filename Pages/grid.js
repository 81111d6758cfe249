// The suspected samples as cards.

const PER_PAGE = 60;
let listed = [], page = 0, selected = 0;

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
  // Small images are PNG, and their pixels should stay squares.
  const isSmall = source.startsWith("data:image/png");
  return make("img", { src: source, alt, className: isSmall ? "pixelated" : "", loading: "lazy" });
}

const suggestion = (index) =>
  samples.suggested[index] < 0 ? make("small", {}, "none")
    : make("b", { className: "suggested" }, className(samples.suggested[index]));

function card(position) {
  const index = listed[position], id = samples.id[index], found = verdicts.get(id);
  const certain = samples.confidence[index], key = samples.key[index];
  const made = make(
    "article", { className: "card", tabindex: "-1", "data-position": position, "data-id": id },
    make("p", { className: "rank" }, `rank ${samples.rank[index]}`, make("span", {}, `#${id} `, tick(position))),
    make("button", { type: "button", className: "zoom", "aria-label": `show sample ${id} larger` }, image(index)),
    make(
      "p", { className: "name" }, make("small", {}, "given"), " ",
      make("b", { className: "given" }, className(samples.given[index]))),
    make(
      "p", { className: "name" }, make("small", {}, "suggested"), " ", suggestion(index), " ",
      certain === null ? "" : make("small", {}, `${certain}%`)),
    make("p", {}, make("small", {}, data.keyName + " "), key === null ? "–" : decimal(key)));
  if (samples.truth && samples.truth[index] >= 0) {
    made.append(make("p", { className: "name" }, make("small", {}, "truth"), " ", className(samples.truth[index])));
  }
  if (data.margins[id]) made.append(sparkline(data.margins[id]));
  made.append(fileLine(index), groupLine(position));
  const choice = make(
    "select", { "aria-label": `verdict on sample ${id}` }, make("option", { value: "" }, "verdict …"));
  for (const [name, text] of VERDICTS) {
    const option = make("option", { value: name }, text);
    option.disabled = name === "accept" && samples.suggested[index] < 0;
    choice.append(option);
  }
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
    record([listed[position]], { verdict: "other", label: choice.value === "" ? undefined : Number(choice.value) });
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
  if (large.open) showLarge();
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
  showBatch();
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
  clearChoice();
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
  const card = event.target.closest(".card"), zoom = event.target.closest(".zoom");
  if (!card || (!zoom && event.target.closest("select, input, a, button"))) return;
  select(Number(card.dataset.position));
  if (zoom) openLarge();
});
