// The workbench around the map: toolbar, side panel, messages, what hovers beside the mouse.
import { element, fillLegend } from "./furniture.js";
import { cornersOf } from "./logic.js";
import { percent, TOOLS, ACTIONS, whole, totals } from "./hand-logic.js";
import {
  button, fillAsk, fillChosen, fillGrids, fillHelp, fillHistory, fillOption, fillScenarios,
  fillWrong,
} from "./hand-panel.js";

const BAR = [
  ["undo", "redo"],
  ["merge", "split", "balance", "new"],
  ["tidy", "number", "propose"],
  ["lock", "unlock", "lock_all", "unlock_all"],
  ["rename", "kind", "explain"],
];
const TABS = ["grids", "wrong", "history", "scenarios"];
const KEY_OF = Object.fromEntries([...Object.entries(TOOLS), ...Object.entries(ACTIONS)]
  .map(([key, name]) => [name, key.toUpperCase()]));
KEY_OF.undo = "Ctrl-Z";
KEY_OF.redo = "Ctrl-Shift-Z";
KEY_OF.lock_all = "Shift-X";
KEY_OF.unlock_all = "Shift-U";

/** Lines "003: 312 → 340" for the grids a preview changes. */
export function tellTotals(hand, keys) {
  const { households, persons } = hand.ground;
  const now = totals(hand.label(), households, persons);
  return keys.map((key) => {
    const grid = hand.byKey.get(key);
    const after = now.get(key) || { households: 0, persons: 0 };
    const share = hand.state.target ? percent(after.households / hand.state.target - 1) : "";
    return `${grid.code}: ${whole(grid.households)} → ${whole(after.households)}  ${share}`;
  });
}

const RETRY_MS = 5000;

/** Hand a text to the person as a file; it is made here and asked of nobody. */
function saveAs(name, text) {
  const link = element("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  link.download = name;
  link.click();
  window.setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

export class Workbench {
  constructor(hand) {
    this.hand = hand;
    this.tab = "grids";
    this.query = "";
    const { root } = hand;
    this.bar = element("div", "gw-bar");
    this.mapPlace = element("div", "gw-map-place");
    this.side = element("div", "gw-side");
    this.tip = element("div", "gw-tip gw-beside");
    this.tip.hidden = true;
    this.note = element("div", "gw-note");
    this.note.setAttribute("role", "status");
    this.ask = element("div", "gw-ask");
    this.ask.hidden = true;
    this.help = element("div", "gw-card gw-help");
    this.help.hidden = true;
    this.legendBox = element("div", "gw-card gw-legend");
    this.notice = element("div", "gw-notice");
    root.append(this.bar, this.mapPlace, this.side);
    this.unsaved = element("div", "gw-unsaved");
    this.unsaved.setAttribute("role", "alert");
    this.unsaved.hidden = true;
    this.mapPlace.append(this.tip, this.note, this.unsaved, this.help, this.legendBox, this.notice);
    this.option = element("div", "gw-option");
    this.option.hidden = true;
    this.chosen = element("div", "gw-chosen");
    this.tabs = element("div", "gw-tabs");
    this.body = element("div", "gw-body");
    this.side.append(this.ask, this.option, this.chosen, this.tabs, this.body);
  }

  setWords(words) {
    this.words = words;
    this.without = new Set((words.without || "").split(" ")); // what this board's grids have not
    this.notice.textContent = words.notice;
    this.hand.tour.setWords(words);
    this.bar.replaceChildren();
    this.buttons = new Map();
    const group = (names, make) => {
      const box = element("div", "gw-group");
      for (const name of names) if (!this.without.has(name)) box.appendChild(make(name));
      if (box.childElementCount) this.bar.appendChild(box);
    };
    group(Object.values(TOOLS), (name) => this.keep(name, button("gw-tool", words[name],
      `${words[`${name}_title`]} (${KEY_OF[name]})`, () => this.hand.setTool(name))));
    for (const names of BAR) {
      group(names, (name) => this.keep(name, button("gw-action", words[name],
        `${words[`${name}_title`] || words[name]} (${KEY_OF[name]})`, () => this.act(name))));
    }
    group(["by_grid", "show_units", "show_dots", "colours", "fit", "help"], (name) => this.keep(name,
      button("gw-action", name === "help" ? "?" : words[name], words[`${name}_title`] || words[name],
        () => this.act(name))));
    this.refreshTools();
  }

  /** Somebody was faster: the step that was refused may be made on their plan, if `again`, or
   * live on in a scenario of its own, or be left. */
  offerWays({ request, base }, again) {
    const way = (name, text, act) => this.note.appendChild(button(`gw-small gw-${name}-mine`, text,
      "", () => {
        this.say("", "ok");
        act();
      }));
    const { hand, words } = this;
    if (request.do === "branch_with") return;
    if (again) way("again", words.again_mine, () => hand.ask(request));
    if (!["undo", "redo", "goto"].includes(request.do)) {
      way("keep", words.branch_mine, () => hand.ask({ do: "branch_with", stale: base, request }));
    }
    way("leave", words.leave_mine, () => {});
    window.clearTimeout(this.quiet); // it stays until something else is said
  }

  /** What is in no store: told until it is, tried again by itself, and to be taken away. */
  tellUnsaved(unsaved) {
    window.clearTimeout(this.retry);
    this.unsaved.hidden = !unsaved;
    this.unsaved.replaceChildren();
    if (!unsaved) return;
    const { hand, words } = this;
    this.unsaved.append(element("span", "", unsaved.text), button("gw-small gw-take-away",
      words.unsaved_download, "", () => saveAs(unsaved.name, JSON.stringify(unsaved.file, null, 1))));
    if (unsaved.waiting) {
      this.unsaved.append(button("gw-small gw-retry", words.unsaved_retry, "",
        () => hand.ask({ do: "retry" })));
      const again = () => {
        if (hand.waiting === null && !hand.queue.length) hand.ask({ do: "retry", quiet: true });
        else this.retry = window.setTimeout(again, RETRY_MS);
      };
      this.retry = window.setTimeout(again, RETRY_MS);
    } else {
      this.unsaved.append(button("gw-small", words.unsaved_forget, "",
        () => hand.ask({ do: "forget_unsaved" })));
    }
  }

  /** Ask for a file of unsaved steps, and send what is in it. */
  bringBack() {
    const input = element("input", "gw-bring");
    input.type = "file";
    input.accept = ".json,application/json";
    input.hidden = true;
    input.addEventListener("change", async () => {
      const text = await input.files[0].text();
      input.remove();
      let file = null; // what is no JSON is told of like any other file
      try {
        file = JSON.parse(text);
      } catch (error) {
        if (!(error instanceof SyntaxError)) throw error;
      }
      this.hand.ask({ do: "bring_back", file });
    });
    this.side.appendChild(input);
    input.click();
  }

  keep(name, node) {
    node.dataset.name = name;
    this.buttons.set(name, node);
    return node;
  }

  refreshTools() {
    if (!this.buttons) return;
    const { hand } = this;
    const on = { by_grid: hand.whole, show_units: hand.shown.units, show_dots: hand.shown.dots,
      colours: hand.shown.byDeviation, [hand.tool]: true };
    for (const [name, node] of this.buttons) {
      node.classList.toggle("gw-on", Boolean(on[name]));
      node.setAttribute("aria-pressed", String(Boolean(on[name])));
    }
    const option = this.without.has("through") ? "" : hand.tool; // units are never cut there
    fillOption(this.option, this.words, option, hand.through, (through) => {
      if (through !== hand.through) this.act("through");
    });
    if (!hand.state) return;
    const { steps, position } = hand.state;
    const undo = this.buttons.get("undo");
    const redo = this.buttons.get("redo");
    undo.disabled = position === 0;
    redo.disabled = position >= steps.length - 1;
    undo.title = `${this.words.undo}: ${undo.disabled ? "—" : steps[position].text} (Ctrl-Z)`;
    redo.title = `${this.words.redo}: ${redo.disabled ? "—" : steps[position + 1].text} (Ctrl-Shift-Z)`;
  }

  refresh() {
    this.refreshTools();
    this.refreshChosen();
    const { hand } = this;
    fillLegend(this.legendBox, hand.shown.byDeviation ? { ...hand.legend, choices: [] } : {},
      hand.isDark, 0, () => {});
  }

  refreshChosen() {
    const { hand } = this;
    const grids = hand.meant().map((key) => hand.byKey.get(key)).filter(Boolean);
    fillChosen(this.chosen, this.words, { units: hand.chosen.units, sum: hand.chosenSum(), grids });
    this.fillTabs();
  }

  fillTabs() {
    const { hand, words } = this;
    const count = { grids: hand.byKey.size, wrong: hand.state.wrong.length,
      history: hand.state.position, scenarios: hand.state.scenarios.length };
    this.tabs.replaceChildren();
    for (const tab of TABS) {
      const node = button(`gw-tab${tab === this.tab ? " gw-on" : ""}`, `${words[`tab_${tab}`]} ${
        count[tab]}`, "", () => {
        this.tab = tab;
        this.fillTabs();
      });
      node.dataset.tab = tab;
      this.tabs.appendChild(node);
    }
    this.fillBody();
  }

  fillBody() {
    const { hand, words, body } = this;
    if (this.tab === "wrong") {
      fillWrong(body, words, hand.state.wrong, (row) => {
        hand.chosen = { units: new Set(row.part ? row.units : []),
          grids: new Set(hand.byKey.has(row.key) ? [row.key] : []) };
        if (row.box) hand.map.fitBounds(cornersOf(row.box), { padding: [90, 90], maxZoom: 17,
          animate: false });
        else hand.fit(row.units);
        hand.markPlaces(row.places || []);
        hand.changed();
      });
    } else if (this.tab === "history") {
      fillHistory(body, hand.state.steps, hand.state.position, (at) => hand.ask({ do: "goto", at }));
      body.append(button("gw-small gw-bring-back", words.bring_back, "", () => this.bringBack()));
    } else if (this.tab === "scenarios") {
      fillScenarios(body, words, hand.state.scenarios, {
        open: (id) => hand.ask({ do: "open", scenario: id }),
        branch: this.without.has("branch") ? null : () => this.askFor(words.branch_name, "", false,
          (name) => hand.ask({ do: "branch", name })),
        rename: this.without.has("rename_scenario") ? null : () => this.askFor(words.scenario_name,
          (hand.state.scenarios.find((row) => row.open) || { name: "" }).name, false,
          (name) => hand.ask({ do: "rename_scenario", name })),
      });
    } else {
      this.fillGridTab();
    }
  }

  fillGridTab() {
    const { hand, words, body } = this;
    const list = element("div");
    const show = () => fillGrids(list, words, hand.state.grids, new Set(hand.meant()), this.query, {
      picked: (key, add) => hand.takeGrid(key, add), give: (key) => hand.give(key) });
    if (!this.search) {
      this.search = element("input", "gw-search");
      this.search.type = "search";
      this.search.addEventListener("input", () => {
        this.query = this.search.value;
        this.fillBody();
      });
    }
    this.search.placeholder = words.search;
    this.search.setAttribute("aria-label", words.search);
    show();
    if (body.firstChild === this.search) {
      while (this.search.nextSibling) this.search.nextSibling.remove();
      body.appendChild(list); // the search keeps its caret
    } else {
      body.replaceChildren(this.search, list);
    }
  }

  // --- acting -----------------------------------------------------------------------------------

  askFor(label, value, number, taken) {
    fillAsk(this.ask, this.words, { label, value: String(value), number }, taken);
  }

  /** Do what a button or a key asks for. */
  act(name) {
    const { hand, words } = this;
    const keys = hand.meant();
    const one = keys.length === 1 ? hand.byKey.get(keys[0]) : null;
    const needsOne = () => one || (this.say(words.choose_grid, "warn"), null);
    const atLeast = (n) => keys.length >= n || (this.say(n > 1 ? words.choose_two
      : words.choose_grid, "warn"), false);
    switch (name) {
      case "undo": case "redo": hand.ask({ do: name }); break;
      case "merge": case "balance": if (atLeast(2)) hand.ask({ do: name, grids: keys }); break;
      case "split":
        if (needsOne()) this.askFor(words.split_into, 2, true, (k) => hand.ask({ do: "split",
          grid: one.key, k }));
        break;
      case "new":
        if (hand.meantUnits().length) hand.ask({ do: "new", units: hand.meantUnits() });
        else this.say(words.choose_units, "warn");
        break;
      case "tidy": case "propose": hand.ask({ do: name }); break;
      case "number":
        this.askFor(words.number_of, hand.state.grids.filter((g) => !g.dedicated).length, true,
          (k) => hand.ask({ do: "number", k }));
        break;
      case "lock": case "unlock":
        if (atLeast(1)) hand.ask({ do: "lock", grids: keys, locked: name === "lock" });
        break;
      case "lock_all": case "unlock_all": hand.ask({ do: "lock", locked: name === "lock_all" }); break;
      case "rename":
        if (needsOne()) this.askFor(words.new_name, one.name, false, (text) => hand.ask({
          do: "rename", grid: one.key, name: text }));
        break;
      case "kind":
        if (needsOne()) hand.ask({ do: "kind", grid: one.key,
          kind: one.dedicated ? "comprehensive" : "dedicated" });
        break;
      case "explain":
        if (needsOne()) this.askFor(words.reason, one.reason, false, (text) => hand.ask({
          do: "explain", grid: one.key, reason: text }));
        break;
      default: this.show(name);
    }
  }

  /** What changes nothing but the view. */
  show(name) {
    const { hand, words } = this;
    if (name === "by_grid" || name === "units") hand.whole = !hand.whole;
    else if (name === "through") {
      hand.through = !hand.through;
      this.say(hand.through ? words.through_note : words.along_title, "ok");
      hand.report();
    } else if (name === "show_units") hand.shown.units = !hand.shown.units;
    else if (name === "show_dots") hand.shown.dots = !hand.shown.dots;
    else if (name === "colours") hand.shown.byDeviation = !hand.shown.byDeviation;
    else if (name === "fit") hand.fit();
    else if (name === "help") return this.toggleHelp();
    else if (name === "place") return hand.pen.place();
    else if (name === "finish") return hand.pen.finish();
    else if (name === "take_back") return hand.pen.back();
    else if (name === "escape") {
      const told = hand.tour.shown || !this.help.hidden;
      if (hand.tour.shown) hand.tour.close();
      this.help.hidden = true;
      if (told) return;
      if (hand.strokes.now || hand.preview || hand.pen.busy) hand.let_go();
      else if (hand.tool !== "pick") hand.setTool("pick");
      else hand.take([], "replace", false);
    } else if (name === "all") hand.take(hand.units.map((_, u) => u), "replace");
    else if (name === "toggle" && hand.cursor >= 0) hand.take([hand.cursor], "toggle", hand.whole);
    else if (name === "enter" && hand.cursor >= 0) hand.give(hand.held.label[hand.cursor]);
    hand.redraw();
    this.refresh();
  }

  toggleHelp() {
    const { hand, words } = this;
    this.help.hidden = !this.help.hidden;
    if (this.help.hidden) return;
    const rows = [...Object.entries(TOOLS), ...Object.entries(ACTIONS)].filter(([, name]) => name
      !== "units").map(([key, name]) => [key.toUpperCase(), words[`${name}_title`] || words[name]]);
    rows.push(["H", words.by_grid_title], ["Shift-X / Shift-U", `${words.lock_all} / ${words.unlock_all}`],
      ["Ctrl-Z", words.undo], ["Ctrl-Shift-Z", words.redo], ["Ctrl-A", words.all_units],
      ["Shift", words.key_shift], ["Alt-←↑→↓", words.key_walk], ["Space", words.key_toggle],
      ["Enter", words.key_enter], ["←↑→↓", words.key_pen], ["Shift-←↑→↓", words.key_pen_fine],
      ["Space", words.key_place], ["Backspace", words.key_back], ["Enter", words.key_finish],
      ["Esc", words.key_escape]);
    fillHelp(this.help, words, rows, {
      close: () => { this.help.hidden = true; },
      tour: () => {
        this.help.hidden = true;
        hand.tour.open();
      },
    });
    this.help.querySelector("button").focus({ preventScroll: true });
  }

  // --- telling ----------------------------------------------------------------------------------

  say(text, kind) {
    this.note.textContent = text;
    this.note.className = `gw-note gw-${kind}`;
    this.note.hidden = !text;
    window.clearTimeout(this.quiet);
    this.quiet = window.setTimeout(() => { this.note.hidden = true; }, 7000);
  }

  tellUnit(unit) {
    const { hand, words } = this;
    const grid = hand.byKey.get(hand.held.label[unit]);
    const { households, persons } = hand.ground;
    return `${grid.code} ${grid.name} · ${words.unit}: ${whole(households[unit])} ${words.households}${
      persons[unit] < 0 ? "" : `, ${whole(persons[unit])} ${words.persons}`}`;
  }

  hover(event, unit) {
    if (unit < 0 || event.target.closest(".leaflet-control")) {
      this.tip.hidden = true;
      return;
    }
    const { hand, words } = this;
    const grid = hand.byKey.get(hand.held.label[unit]);
    this.mouse = event;
    this.beside([`${grid.code} ${grid.name}`, `${words.grid}: ${whole(grid.households)} ${
      words.households} · ${percent(grid.deviation)}`, `${words.unit}: ${
      whole(hand.ground.households[unit])} ${words.households}`, ...grid.faults], event);
  }

  /** Lines beside the mouse. */
  beside(lines, event) {
    const at = event || this.mouse;
    this.mouse = at;
    this.tip.replaceChildren(...lines.map((line, i) => element("div", i ? "" : "gw-tip-name", line)));
    this.tip.hidden = false;
    if (!at) return;
    const box = this.mapPlace.getBoundingClientRect();
    const left = Math.min(at.clientX - box.left + 16, box.width - this.tip.offsetWidth - 8);
    this.tip.style.left = `${left}px`;
    this.tip.style.top = `${Math.min(at.clientY - box.top + 14,
      box.height - this.tip.offsetHeight - 8)}px`;
  }
}
