// The blind check, keys, and the first look.

const ANSWERS = [["right", "y"], ["wrong", "n"], ["unsure", "u"]];
let isChecking = false;

const blindIndices = data.blind.map((id) => byID.get(id));
const nextBlind = () => blindIndices.find((index) => !answers.has(samples.id[index]));

function answer(word) {
  const index = nextBlind();
  if (index === undefined) return;
  answers.set(samples.id[index], word);
  store();
  showBlind();
}

/// Takes the last answer back.
function answerAgain() {
  answers.delete([...answers.keys()].at(-1));
  store();
  showBlind();
}

/// Neither the suggestion nor the suspicion shows before the last answer.
function showBlind() {
  const stage = element("blind-stage"), index = nextBlind();
  element("blind-start").textContent = isChecking ? "Pause" : answers.size ? "Continue" : "Start";
  if (index === undefined) {
    isChecking = false;
    element("blind-start").hidden = true;
    stage.replaceChildren(blindResult());
    return;
  }
  if (!isChecking) return stage.replaceChildren();
  const buttons = ANSWERS.map(([word, key]) => {
    const button = make("button", { type: "button" }, `${word} (${key})`);
    button.addEventListener("click", () => answer(word));
    return button;
  });
  const back = make("button", { type: "button", disabled: answers.size === 0 }, "back (b)");
  back.addEventListener("click", answerAgain);
  stage.replaceChildren(
    make("p", {}, `${answers.size + 1} of ${blindIndices.length}`), image(index),
    make("p", {}, "Is this label right? ", make("b", { className: "given" }, className(samples.given[index]))),
    make("p", { className: "buttons" }, ...buttons, back));
}

function blindResult() {
  const tally = { 0: [0, 0, 0], 1: [0, 0, 0] };
  for (const index of blindIndices) {
    const place = ANSWERS.findIndex(([word]) => word === answers.get(samples.id[index]));
    tally[samples.flagged[index]][place]++;
  }
  const line = (name, [right, wrong, unsure]) => {
    const [low, high] = wilson(wrong, right + wrong);
    const share = right + wrong ? percent(wrong / (right + wrong)) : "–";
    const cells = [right, wrong, unsure, share, `${percent(low)} to ${percent(high)}`];
    return make(
      "tr", {}, make("th", { scope: "row" }, name), ...cells.map((text) => make("td", {}, String(text))));
  };
  const head = ["", "right", "wrong", "unsure", "share wrong", "95% interval"];
  return make(
    "div", { className: "scroll" },
    make(
      "table", { id: "blind-result" },
      make("thead", {}, make("tr", {}, ...head.map((text) => make("th", { scope: "col" }, text)))),
      make("tbody", {}, line("suspected (precision)", tally[1]), line("not suspected (false omissions)", tally[0]))));
}

function check(begins) {
  isChecking = begins;
  showBlind();
  if (begins) element("blind").scrollIntoView();
}
element("blind-start").addEventListener("click", () => check(!isChecking));
// Keys go to what was looked at last.
element("grid").addEventListener("focusin", () => isChecking && check(false));

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest?.("input:not(.tick), select, textarea")) return;
  const key = event.key;
  // A button that has the focus is pressed by it.
  if (key === "Enter" && event.target.closest?.("a, button")) return;
  if (isChecking) {
    const found = ANSWERS.find(([, letter]) => letter === key);
    if (found) answer(found[0]);
    else if (key === "b") answerAgain();
    return;
  }
  const verdict = { 1: "keep", 2: "accept", 3: "other", 4: "none", 5: "drop", y: "keep", n: "accept" }[key];
  if (verdict) decide(verdict);
  else if (key === "u") undo();
  else if (key === "Enter") openLarge();
  else if (key === "x" && listed.length) choose(selected, !chosen.has(selected));
  else if (key === "j" || key === "ArrowRight") select(selected + 1);
  else if (key === "k" || key === "ArrowLeft") select(selected - 1);
  else return;
  event.preventDefault();
});

for (const id of ["given-filter", "suggested-filter"]) {
  data.classes.forEach((name, label) => element(id).append(make("option", { value: label }, name)));
}
for (const list of document.querySelectorAll("[data-images]")) {
  for (const id of list.dataset.images.split(" ").map(Number)) if (byID.has(id)) list.append(image(byID.get(id)));
}
document.documentElement.classList.add("scripted");
restore();
store();
showBlind();
update();
