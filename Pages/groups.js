// Near-duplicates: which samples go together, and what the others are.

/// The ids of a sample's group, by the sample's id.
const groupOf = new Map();
for (const ids of data.groups) for (const id of ids) groupOf.set(id, ids);

/// `one of 5 near-duplicates`, and a button that selects those that are listed, for one verdict on all of them.
function groupLine(position) {
  const ids = groupOf.get(samples.id[listed[position]]);
  if (!ids) return "";
  const line = make("p", { className: "group" }, make("small", {}, `one of ${ids.length} ${data.groupName}`));
  const places = ids.map((id) => listed.indexOf(byID.get(id))).filter((place) => place >= 0);
  if (places.length < 2) return line;
  const label = `select the ${places.length} of the group that are listed`;
  const button = make("button", { type: "button", className: "copy", "aria-label": label }, `select ${places.length}`);
  button.addEventListener("click", () => {
    for (const place of places) choose(place, true);
    element("status").textContent = `${chosen.size} selected: choose their verdict above`;
  });
  line.append(" ", button);
  return line;
}

/// The most that are shown of one group.
const MOST_OF_GROUP = 24;

/// The others of a sample's group, each with its image, where the page has it, its label and its file.
function groupMembers(index) {
  const ids = groupOf.get(samples.id[index]);
  if (!ids) return "";
  const others = ids.filter((id) => id !== samples.id[index] && byID.has(id)).map((id) => byID.get(id));
  const shown = others.slice(0, MOST_OF_GROUP).map((other) => {
    const parts = [make("b", { className: "given" }, className(samples.given[other]))];
    if (data.images[samples.id[other]]) parts.unshift(image(other));
    else parts.push(" ", make("small", {}, samples.path?.[other] ?? `#${samples.id[other]}`));
    return make("span", { className: "member", title: samples.path?.[other] ?? `#${samples.id[other]}` }, ...parts);
  });
  const rest = others.length - shown.length, noun = others.length === 1 ? "other" : "others";
  const head = make("p", { className: "faint" }, `one of ${ids.length} ${data.groupName}; the ${noun}:`);
  return make("div", { className: "members" }, head, ...shown, rest > 0 ? `and ${rest} more` : "");
}
