// The verdicts on samples: kept by the browser, saved as a table, taken back.

const VERDICTS = [
  ["keep", "1 label is right"], ["accept", "2 suggestion"], ["other", "3 another label"],
  ["none", "4 none of these"], ["drop", "5 drop"],
];
const storageName = "gpunoisy verdicts " + data.identity;

/// By id: { verdict, label } from the grid.
const verdicts = new Map();
/// By id: "right", "wrong" or "unsure" from the blind check.
const answers = new Map();

/// What was decided, in its order, for taking it back: ids and the verdicts before, several of one decision together.
const decided = [];

/// A browser may refuse to store anything for a file; then the download alone keeps verdicts.
function store() {
  try {
    localStorage.setItem(storageName, JSON.stringify({ verdicts: [...verdicts], answers: [...answers] }));
  } catch {}
  const given = verdicts.size + answers.size;
  element("save").textContent = given ? `Save verdicts.csv (${given})` : "Save verdicts.csv";
  element("save").disabled = given === 0;
  showBatch();
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
  const open = data.earlier.filter(([id]) => byID.has(id) && !verdicts.has(id) && !answers.has(id));
  for (const [id, verdict, label] of open) lines.push(row(id, "earlier", verdict, label));
  for (const [id, found] of verdicts) {
    const index = byID.get(id), label = newLabel(index, found);
    // Another label that is the given one after all.
    const isGiven = found.verdict === "other" && label === samples.given[index];
    lines.push(row(id, "grid", isGiven ? "keep" : found.verdict, label));
  }
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

/// Notes a verdict on some samples; none takes it away.
function record(indices, found) {
  const ids = indices.map((index) => samples.id[index]);
  decided.push(ids.map((id) => ({ id, before: verdicts.get(id) })));
  for (const id of ids) {
    if (found) verdicts.set(id, found);
    else verdicts.delete(id);
  }
  element("status").textContent = "";
  store();
}

/// Notes a verdict and moves on; "another label" first asks for it.
function decide(verdict) {
  const index = listed[selected];
  if (index === undefined || (verdict === "accept" && samples.suggested[index] < 0)) return;
  const before = verdicts.get(samples.id[index]);
  if (verdict !== "other" || before?.verdict !== "other") record([index], verdict && { verdict });
  refreshCard(selected);
  if (verdict === "other") {
    large.close();
    shownCard(selected).querySelector(".label").focus();
  } else select(verdict && selected + 1 < listed.length ? selected + 1 : selected);
}

/// Takes the last decision back and returns to its first card.
function undo() {
  const last = decided.pop();
  if (last === undefined) return;
  for (const { id, before } of last) {
    if (before === undefined) verdicts.delete(id);
    else verdicts.set(id, before);
  }
  element("status").textContent = "";
  store();
  showPage();
  select(listed.indexOf(byID.get(last[0]?.id)));
}
