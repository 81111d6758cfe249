"use strict";
// Reads the data of the page and keeps what is suspected in step with the cut-off.

const data = JSON.parse(document.getElementById("data").textContent);
const samples = data.samples, count = samples.id.length;
const byID = new Map(samples.id.map((id, index) => [id, index]));
const element = (id) => document.getElementById(id);

/// An element with attributes and children; text is never read as markup.
function make(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (name === "className" || name === "textContent" || name === "disabled") made[name] = value;
    else made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

const className = (label) => (label < 0 ? "–" : data.classes[label]);
const decimal = (value) => value.toFixed(Math.abs(value) < 10 ? 3 : 2);
const percent = (value) => (100 * value).toFixed(1) + "%";

/// Where two-sided 95 % confidence lies for a share (Wilson, 1927).
function wilson(hits, total) {
  if (total === 0) return [0, 1];
  const z = 1.959964, p = hits / total, scale = 1 + (z * z) / total;
  const middle = (p + (z * z) / (2 * total)) / scale;
  const half = (z / scale) * Math.sqrt((p * (1 - p)) / total + (z * z) / (4 * total * total));
  return [Math.max(0, middle - half), Math.min(1, middle + half)];
}

// MARK: The cut-off

/// Null for the run's own rule, else what lies below is suspected.
let cut = null;

const isSuspected = (index) =>
  cut === null ? samples.flagged[index] === "1" : samples.key[index] !== null && samples.key[index] < cut;

function suspects() {
  const found = [];
  for (let index = 0; index < count; index++) if (isSuspected(index)) found.push(index);
  return found;
}

function showCounts(found) {
  element("suspected").textContent = String(found.length);
  element("share").textContent = percent(found.length / Math.max(1, data.total));
  element("rule").textContent =
    cut === null ? "by the rule of the run" : `with the cut-off at ${decimal(cut)}`;
  element("reset").disabled = cut === null;
  const slider = element("cutoff"), position = (cut === null ? data.cut : cut) - data.low;
  const x = (720 * position) / (data.high - data.low);
  for (const name of ["x1", "x2"]) element("cut-line").setAttribute(name, String(x));
  slider.setAttribute("aria-valuetext", `${decimal(cut === null ? data.cut : cut)}, ${found.length} suspected`);
  element("cut-value").textContent = decimal(cut === null ? data.cut : cut);
  if (samples.truth) showScore(found);
}

/// How well the cut-off does where the true labels are known.
function showScore(found) {
  let hits = 0;
  for (const index of found) if (samples.truth[index] >= 0 && samples.truth[index] !== samples.given[index]) hits++;
  const precision = found.length ? percent(hits / found.length) : "–";
  element("score").textContent =
    `Of these, ${hits} are wrong: precision ${precision}, recall ${data.wrong ? percent(hits / data.wrong) : "–"}.`;
}

// MARK: Tables that follow it

function showTables(found) {
  const K = data.classes.length, flagged = new Array(K).fill(0), pulled = new Array(K).fill(0), pairs = new Map();
  for (const index of found) {
    const given = samples.given[index], suggested = samples.suggested[index];
    flagged[given]++;
    if (suggested < 0 || suggested === given) continue;
    pulled[suggested]++;
    const pair = given * K + suggested;
    pairs.set(pair, (pairs.get(pair) || 0) + 1);
  }
  for (const row of document.querySelectorAll("#classes tbody tr")) {
    const label = Number(row.dataset.label), size = Number(row.dataset.size);
    row.querySelector(".flagged").textContent = String(flagged[label]);
    row.querySelector(".part").textContent = percent(flagged[label] / Math.max(1, size));
    row.querySelector(".pulled").textContent = String(pulled[label]);
  }
  let most = 1;
  for (const value of pairs.values()) most = Math.max(most, value);
  for (const cell of document.querySelectorAll("#matrix button")) {
    const value = pairs.get(Number(cell.dataset.given) * K + Number(cell.dataset.suggested)) || 0;
    cell.textContent = value ? String(value) : "";
    cell.disabled = value === 0;
    cell.className = value ? "heat" + Math.ceil((5 * value) / most) : "";
  }
  const worst = [...pairs].sort((a, b) => b[1] - a[1] || a[0] - b[0]).slice(0, 12);
  element("pairs").replaceChildren(
    ...worst.map(([pair, value]) => {
      const given = Math.floor(pair / K), suggested = pair % K;
      const button = make(
        "button", { "data-given": given, "data-suggested": suggested, type: "button" },
        make("span", { className: "given" }, className(given)), " → ",
        make("span", { className: "suggested" }, className(suggested)), make("b", {}, ` ${value}`));
      return make("li", {}, button);
    }));
}

function update() {
  const found = suspects();
  showCounts(found);
  showTables(found);
  showGrid(found);
}

element("cutoff").addEventListener("input", (event) => {
  cut = data.low + (Number(event.target.value) / 1000) * (data.high - data.low);
  update();
});
element("reset").addEventListener("click", () => {
  cut = null;
  element("cutoff").value = String(Math.round((1000 * (data.cut - data.low)) / (data.high - data.low)));
  update();
});
for (const id of ["matrix", "pairs", "classes"]) {
  element(id)?.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    element("given-filter").value = button.dataset.given;
    element("suggested-filter").value = button.dataset.suggested ?? "";
    update();
    element("suspects").scrollIntoView();
  });
}
