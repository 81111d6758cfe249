// The larger view of one sample, its file, and what can be copied.

/// The sample's file, in full; null where the data has none.
function file(index) {
  const path = samples.path?.[index];
  if (!path || data.root === null) return null;
  return data.root.replace(/\/$/, "") + "/" + (path.startsWith(data.prefix) ? path.slice(data.prefix.length) : path);
}

/// The path as it stands in the tables, with a link to the file and a button that copies where it is.
function fileLine(index) {
  const path = samples.path?.[index], full = file(index);
  if (!path) return "";
  if (full === null) return make("p", { className: "file" }, make("span", { className: "path", title: path }, path));
  // Part by part, so that nothing in a name means more than the name.
  const address = "file://" + full.split("/").map(encodeURIComponent).join("/");
  const label = `copy the path of sample ${samples.id[index]}`;
  const button = make("button", { type: "button", className: "copy", title: full, "aria-label": label }, "copy");
  button.addEventListener("click", () => copy(full, button));
  const link = { className: "path", title: full, href: address, target: "_blank", rel: "noopener" };
  return make("p", { className: "file" }, make("a", link, path), " ", button);
}

/// Copies a text; some browsers refuse the clipboard to a file, but not a selection.
async function copy(text, button) {
  let isDone = true;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const field = make("textarea", {}, text);
    (button.closest("dialog") ?? document.body).append(field);
    field.select();
    isDone = document.execCommand("copy");
    field.remove();
    button.focus();
  }
  button.textContent = isDone ? "copied" : "not copied";
  setTimeout(() => { button.textContent = "copy"; }, 2000);
}

const large = element("large");

function showLarge() {
  const index = listed[selected], id = samples.id[index], found = verdicts.get(id), certain = samples.confidence[index];
  const names = make(
    "p", {}, make("small", {}, "given "), make("b", { className: "given" }, className(samples.given[index])),
    make("small", {}, " suggested "), suggestion(index), certain === null ? "" : make("small", {}, ` ${certain}%`));
  const place = `rank ${samples.rank[index]}, #${id}, ${selected + 1} of ${listed.length}`;
  element("large-stage").replaceChildren(
    make("p", { className: "faint" }, place), image(index), names, fileLine(index), groupMembers(index));
  for (const button of document.querySelectorAll("#large-verdicts button")) {
    button.setAttribute("aria-pressed", String(found?.verdict === button.dataset.verdict));
    button.disabled = button.dataset.verdict === "accept" && samples.suggested[index] < 0;
  }
  for (const button of large.querySelectorAll("[data-step]")) {
    button.disabled = listed[selected + Number(button.dataset.step)] === undefined;
  }
}

function openLarge() {
  if (listed[selected] === undefined) return;
  if (!large.open) large.showModal();
  showLarge();
}

for (const [name, text] of VERDICTS) {
  const [, key, words] = text.match(/^(\d) (.*)$/);
  const button = make("button", { type: "button", "data-verdict": name }, `${words} (${key})`);
  button.addEventListener("click", () => decide(name));
  element("large-verdicts").append(button);
}
for (const button of large.querySelectorAll("[data-step]")) {
  button.addEventListener("click", () => select(selected + Number(button.dataset.step)));
}
element("large-close").addEventListener("click", () => large.close());
// Keys go on where they were.
large.addEventListener("close", () => document.activeElement === document.body && shownCard(selected)?.focus());
for (const button of document.querySelectorAll("#next .copy")) {
  button.addEventListener("click", () => copy(button.parentElement.querySelector("code").textContent, button));
}
