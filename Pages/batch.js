// One verdict for several samples: for those that are selected, else for all that are listed.

/// The positions in the list that are selected; the last one that was, for ranges.
const chosen = new Set();
let lastChosen = null;

function choose(position, isChosen) {
  if (isChosen) chosen.add(position);
  else chosen.delete(position);
  const box = shownCard(position)?.querySelector(".tick");
  if (box) box.checked = isChosen;
  lastChosen = position;
  showBatch();
}

/// The box of a card; with the shift key it changes all up to the one before.
function tick(position) {
  const label = `select sample ${samples.id[listed[position]]}`;
  const box = make("input", { type: "checkbox", className: "tick", "aria-label": label });
  box.checked = chosen.has(position);
  box.addEventListener("click", (event) => {
    const first = event.shiftKey && lastChosen !== null ? lastChosen : position, step = first < position ? 1 : -1;
    for (let other = first; other !== position; other += step) choose(other, box.checked);
    choose(position, box.checked);
  });
  return box;
}

/// Whom a verdict would be for: verdicts that are there stay, unless their samples are selected.
const batch = () =>
  chosen.size ? [...chosen].sort((a, b) => a - b).map((position) => listed[position])
    : listed.filter((index) => !verdicts.has(samples.id[index]));

function showBatch() {
  const given = element("given-filter").value, suggested = element("suggested-filter").value;
  const pair = given !== "" && suggested !== "" ? ` ${className(Number(given))} → ${className(Number(suggested))}` : "";
  const number = batch().length, left = listed.length - number;
  element("batch-apply").textContent = chosen.size ? `Apply to ${number} selected`
    : `Apply to all ${number}${pair}${left ? " without a verdict" : pair ? "" : " listed"}`;
  element("batch-apply").disabled = number === 0 || element("batch-verdict").value === "";
  element("batch-all").disabled = chosen.size === listed.length;
  element("batch-clear").disabled = chosen.size === 0;
}

function clearChoice() {
  chosen.clear();
  lastChosen = null;
}

element("batch-apply").addEventListener("click", () => {
  const [verdict, label] = element("batch-verdict").value.split(" ");
  const found = label === undefined ? { verdict } : { verdict, label: Number(label) };
  const changed = batch().filter((index) => verdict !== "accept" || samples.suggested[index] >= 0);
  const left = batch().length - changed.length;
  if (changed.length) record(changed, found);
  clearChoice();
  showPage();
  const reason = left ? `; ${left} without a suggestion left as they are` : "";
  element("status").textContent = `${changed.length} verdicts set${reason}; u takes them back`;
});
element("batch-verdict").addEventListener("change", showBatch);
element("batch-all").addEventListener("click", () => {
  listed.forEach((_, position) => chosen.add(position));
  showPage();
});
element("batch-clear").addEventListener("click", () => {
  clearChoice();
  showPage();
});
for (const [name, text] of VERDICTS) {
  if (name !== "other") element("batch-verdict").append(make("option", { value: name }, text.slice(2)));
}
const others = make("optgroup", { label: "another label" });
data.classes.forEach((name, label) => others.append(make("option", { value: `other ${label}` }, name)));
element("batch-verdict").append(others);
