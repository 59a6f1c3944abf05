// What stands beside and above the map of the planner's board: elements and plain text only.
import { element } from "./furniture.js";
import { percent, whole } from "./hand-logic.js";

export function button(className, text, title, pressed) {
  const node = element("button", className, text);
  node.type = "button";
  if (title) node.title = title;
  node.addEventListener("click", pressed);
  return node;
}

/** Rows of [name, value] as a small table. */
function facts(rows) {
  const box = element("div", "gw-facts");
  for (const [name, value] of rows) {
    box.append(element("span", "", name), element("b", "", value));
  }
  return box;
}

const CUTTING = new Set(["cut", "draw"]);

/** How the tool in hand treats units; `chosen(through)` takes the other way. */
export function fillOption(box, words, tool, through, chosen) {
  box.replaceChildren();
  box.hidden = !CUTTING.has(tool);
  if (box.hidden) return;
  for (const [name, value] of [["along", false], ["through", true]]) {
    const node = button(`gw-small${value === through ? " gw-on" : ""}`, words[name],
      words[value ? "through_note" : "along_title"], () => chosen(value));
    node.dataset.option = name;
    node.setAttribute("aria-pressed", String(value === through));
    box.appendChild(node);
  }
  box.append(element("kbd", "", "Q"));
}

/** The chosen units and grids with their numbers. */
export function fillChosen(box, words, { units, sum, grids }) {
  box.replaceChildren();
  if (units.size) {
    box.appendChild(element("div", "gw-chosen-head", words.chosen_units));
    box.appendChild(facts([[words.units, whole(sum.units)], [words.households,
      whole(sum.households)], [words.persons, whole(sum.persons)]]));
  }
  for (const grid of grids.slice(0, 3)) {
    const card = element("div", `gw-chosen-grid${grid.faults.length ? " gw-wrong" : ""}`);
    card.appendChild(element("div", "gw-chosen-head", `${grid.code} ${grid.name}`));
    card.appendChild(facts([
      [words.households, whole(grid.households)], [words.persons, whole(grid.persons)],
      [words.deviation, percent(grid.deviation)],
      [words.compactness, grid.compactness.toFixed(2)],
      [words.reach, `${whole(grid.reach)} m`],
      ...(grid.on_lines === null ? [] : [[words.on_lines, percent(grid.on_lines).replace("+", "")]]),
      ...(grid.extra || []),
    ]));
    for (const fault of grid.faults) card.appendChild(element("div", "gw-fault", fault));
    if (grid.reason) card.appendChild(element("div", "gw-reason", `${words.reason}: ${grid.reason}`));
    box.appendChild(card);
  }
  if (grids.length > 3) {
    const all = (name) => grids.reduce((a, g) => (a < 0 || g[name] < 0 ? -1 : a + g[name]), 0);
    box.appendChild(facts([[words.grids, whole(grids.length)], [words.households,
      whole(all("households"))], [words.persons, whole(all("persons"))]]));
  }
  if (!units.size && !grids.length) box.appendChild(element("div", "gw-hint", words.nothing_chosen));
}

/** The table of grids; `picked(key, add)` chooses, `give(key)` gives it the chosen units. */
export function fillGrids(box, words, rows, chosen, query, { picked, give }) {
  box.replaceChildren();
  const table = element("table", "gw-rows");
  const head = element("tr");
  for (const name of ["grid", "households", "persons", "deviation", ""]) {
    head.appendChild(element("th", "", name ? words[name] : ""));
  }
  table.appendChild(head);
  const wanted = query.trim().toLowerCase();
  for (const row of rows) {
    if (wanted && !`${row.full} ${row.name}`.toLowerCase().includes(wanted)) continue;
    const line = element("tr", chosen.has(row.key) ? "gw-on" : "");
    line.dataset.key = String(row.key);
    const name = element("td");
    const name_ = button("gw-link", `${row.locked ? "⚿ " : ""}${row.code}`, row.name,
      (event) => picked(row.key, event.shiftKey || event.ctrlKey || event.metaKey));
    name.append(name_, element("span", row.faults.length ? "gw-dot" : ""));
    line.append(name, element("td", "", whole(row.households)), element("td", "",
      whole(row.persons)), element("td", "", percent(row.deviation)));
    const last = element("td");
    last.appendChild(button("gw-small", words.give_here, words.give_title, () => give(row.key)));
    line.appendChild(last);
    table.appendChild(line);
  }
  box.appendChild(table);
}

/** The list of what is wrong; a row goes there. */
export function fillWrong(box, words, rows, goTo) {
  box.replaceChildren();
  if (!rows.length) box.appendChild(element("div", "gw-hint", words.nothing_wrong));
  for (const row of rows) {
    const line = button("gw-entry", "", "", () => goTo(row));
    line.append(element("b", "", row.code), element("span", "", row.text));
    box.appendChild(line);
  }
}

/** The history: every step a button that goes back (or on) to it. */
export function fillHistory(box, steps, position, goTo) {
  box.replaceChildren();
  steps.forEach((step, i) => {
    const line = button(`gw-entry${i === position ? " gw-on" : ""}${i > position ? " gw-ahead" : ""}`,
      "", step.time, () => goTo(i));
    line.append(element("b", "", String(i)), element("span", "", step.text));
    box.prepend(line);
  });
}

/** The scenarios: the open one is marked, a button opens another. What is null is not offered. */
export function fillScenarios(box, words, rows, { open, branch, rename }) {
  box.replaceChildren();
  for (const row of rows) {
    const line = button(`gw-entry${row.open ? " gw-on" : ""}`, "", "", () => open(row.id));
    line.append(element("b", "", row.name), element("span", "", row.text));
    box.appendChild(line);
  }
  const line = element("div", "gw-buttons");
  if (branch) line.append(button("gw-small", words.branch, "", branch));
  if (rename) line.append(button("gw-small", words.rename_scenario, "", rename));
  box.appendChild(line);
}

/** The list of shortcuts, and the way to the tour. */
export function fillHelp(box, words, rows, { close, tour }) {
  box.replaceChildren(element("div", "gw-chosen-head", words.help));
  const table = element("div", "gw-facts gw-keys");
  for (const [key, text] of rows) table.append(element("kbd", "", key), element("span", "", text));
  const line = element("div", "gw-buttons");
  line.append(button("gw-small", words.close, "", close), button("gw-small", words.tour_show, "",
    tour));
  box.append(table, line);
}

/** One line that asks for a text or a number; Enter takes it, Esc leaves it. */
export function fillAsk(box, words, { label, value, number }, taken) {
  box.replaceChildren();
  box.hidden = false;
  const form = element("form", "gw-asking");
  const input = element("input");
  input.value = value;
  input.setAttribute("aria-label", label);
  if (number) {
    input.type = "number";
    input.min = "1";
    input.max = "99";
  }
  const leave = () => {
    box.hidden = true;
    box.replaceChildren();
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const answer = number ? Number(input.value) : input.value;
    leave();
    taken(answer);
  });
  input.addEventListener("keydown", (event) => {
    event.stopPropagation();
    if (event.key === "Escape") leave();
  });
  const send = element("button", "gw-small", words.ok);
  send.type = "submit";
  form.append(element("label", "", label), input, send, button("gw-small", words.cancel, "", leave));
  box.appendChild(form);
  input.focus();
  input.select();
}
