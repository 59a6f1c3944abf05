// The planner's board in the page: one village, its tools, its panel. Leaflet (L) and the parts
// imported below stand in front of this text when it is served (ui/map/hand.py).
// Edits are made by the server; here is only what must answer to the mouse at once.
import { cornersOf, isDark, styleOf, classColour } from "./logic.js";
import { element } from "./furniture.js";
import {
  absolute, applyLabels, bordersOf, choose, colourNumbers, flow, keyMeaning, nearestBorder,
  neighboursOf, readUnits, stepTo, sumOf, totals, unitAt, unitsInBox, unitsInLoop, unitsNear, whole,
} from "./hand-logic.js";
import { PALETTE, Sheet } from "./hand-canvas.js";
import { tellTotals, Workbench } from "./hand-bench.js";

const hands = new WeakMap(); // the page's element -> its Hand
const BRUSH = 14; // pixels
const GRIP = 14; // pixels from a border within which it can be taken hold of
const STROKES = new Set(["box", "lasso", "brush", "drag", "draw", "cut"]);

class Hand {
  constructor(parent) {
    this.parent = parent;
    this.root = element("div", "gw-board gw-hand");
    parent.appendChild(this.root);
    this.chosen = { units: new Set(), grids: new Set() };
    this.tool = "pick";
    this.whole = false; // does a click choose the whole grid?
    this.through = false; // do lines and outlines cut units?
    this.shown = { units: true, dots: true, byDeviation: false };
    this.cursor = -1;
    this.queue = [];
    this.waiting = null;
    this.colours = new Map();
    this.bench = new Workbench(this);
    this.makeMap();
    this.onKey = (event) => this.key(event);
    window.addEventListener("keydown", this.onKey, true);
    this.watcher = new ResizeObserver(() => this.map.invalidateSize({ pan: false }));
    this.watcher.observe(this.canvas);
    this.themeWatcher = new MutationObserver(() => this.recolour());
    for (let node = parent, i = 0; node && i < 4; node = node.parentElement, i += 1) {
      this.themeWatcher.observe(node, { attributes: true, attributeFilter: ["style", "class"] });
    }
  }

  makeMap() {
    this.canvas = element("div", "gw-map");
    this.bench.mapPlace.appendChild(this.canvas);
    this.map = L.map(this.canvas, {
      attributionControl: false, zoomControl: false, doubleClickZoom: false, boxZoom: false,
      zoomAnimation: false, fadeAnimation: false, zoomSnap: 0.25, zoomDelta: 0.5, maxZoom: 20,
      minZoom: 9, inertia: false,
    }).setView([32.3, 118.8], 12);
    L.control.zoom({ position: "topleft" }).addTo(this.map);
    L.control.scale({ position: "bottomright", imperial: false }).addTo(this.map);
    this.sheet = new Sheet(this.map);
    this.ink = L.layerGroup().addTo(this.map);
    const canvas = this.canvas;
    canvas.addEventListener("pointerdown", (event) => this.down(event));
    canvas.addEventListener("pointermove", (event) => this.move(event));
    canvas.addEventListener("pointerup", (event) => this.up(event));
    canvas.addEventListener("pointerleave", () => { this.bench.tip.hidden = true; });
    canvas.addEventListener("dblclick", (event) => this.pick(event, true));
  }

  // --- messages ---------------------------------------------------------------------------------

  /** Take one message; false when the server must send everything again. */
  read(message) {
    if (message.words) {
      this.words = message.words;
      this.bench.setWords(message.words);
    }
    if (message.ground) this.setGround(message.ground);
    if (!this.ground || message.ground_key !== this.ground.key) return false;
    const held = applyLabels(this.held, message.state);
    if (!held) return false;
    const before = this.held;
    this.held = held;
    this.state = message.state;
    this.legend = message.legend || this.legend;
    this.byKey = new Map(message.state.grids.map((grid) => [grid.key, grid]));
    this.chosen.grids = new Set([...this.chosen.grids].filter((key) => this.byKey.has(key)));
    const keys = [...this.byKey.keys()];
    this.colours = colourNumbers(this.colours, keys, held.label, this.borders, PALETTE.light.length);
    this.preview = null;
    const answer = message.state.answer;
    if (answer && answer.id === this.waiting) {
      this.waiting = null;
      this.bench.say(answer.text, answer.kind);
      if (answer.kind === "ok" && before && answer.edit) this.chosen.units = new Set();
    }
    this.isDark = this.dark();
    this.root.classList.toggle("gw-dark", this.isDark);
    this.redraw();
    this.bench.refresh();
    this.report();
    this.pump();
    return true;
  }

  setGround(ground) {
    const fresh = !this.ground || this.ground.place !== ground.place;
    const finer = !fresh && this.ground.key !== ground.key; // units were cut, or are whole again
    this.ground = ground;
    this.units = readUnits(ground.units);
    this.borders = bordersOf(this.units);
    this.near = neighboursOf(this.borders, this.units.length);
    this.xScale = Math.cos((ground.bounds[1] * Math.PI) / 180);
    const context = ground.context.map(({ style, area, feature }) => ({ style, area,
      runs: (area ? feature.g.flat() : feature.g).map(absolute) }));
    this.sheet.setGround(this.units, ground.places, this.borders, context);
    if (finer) {
      this.held = null;
      this.chosen.units = new Set();
      this.cursor = -1;
    }
    if (!fresh) return;
    this.held = null;
    this.colours = new Map();
    this.chosen = { units: new Set(), grids: new Set() };
    this.cursor = -1;
    this.queue = [];
    this.waiting = null;
    this.map.invalidateSize({ pan: false });
    this.fit();
  }

  /** Send a request, one at a time: each is made on the plan the one before has left. */
  ask(request) {
    this.queue.push({ ...request, asked: performance.now() });
    this.pump();
  }

  pump() {
    if (this.waiting !== null || !this.queue.length) return;
    const { asked, ...request } = this.queue.shift();
    this.waiting = `${Date.now()}-${Math.random().toString(36).slice(2, 8)}`;
    this.asked = asked;
    this.root.dataset.idle = "false";
    this.send("asked", { ...request, base: this.held.version, id: this.waiting });
  }

  report() {
    const data = this.root.dataset;
    data.version = this.held.version;
    data.units = String(this.units.length);
    data.grids = String(this.byKey.size);
    data.chosen = [...this.chosen.units].join(" ");
    data.chosenGrids = [...this.chosen.grids].join(" ");
    data.tool = this.tool;
    data.through = String(this.through);
    data.dark = String(this.isDark);
    data.idle = String(this.waiting === null);
    if (this.waiting === null && this.asked) {
      const asked = this.asked;
      this.asked = 0;
      requestAnimationFrame(() => { data.latency = (performance.now() - asked).toFixed(1); });
    }
  }

  // --- drawing ----------------------------------------------------------------------------------

  dark() {
    return isDark(getComputedStyle(this.parent).getPropertyValue("--st-background-color"));
  }

  recolour() {
    if (!this.held || this.dark() === this.isDark) return;
    this.isDark = this.dark();
    this.root.classList.toggle("gw-dark", this.isDark);
    this.redraw();
    this.bench.refresh();
    this.report();
  }

  label() {
    return this.preview || this.held.label;
  }

  fill(key) {
    if (this.shown.byDeviation) {
      const grid = this.byKey.get(key);
      return classColour(this.legend, grid ? grid.class : -1, this.isDark);
    }
    const palette = this.isDark ? PALETTE.dark : PALETTE.light;
    return palette[(this.colours.get(key) || 0) % palette.length];
  }

  redraw() {
    if (!this.held) return;
    this.sheet.show({
      label: this.label(), dark: this.isDark, showUnits: this.shown.units,
      showDots: this.shown.dots, households: this.ground.households,
      units: this.chosen.units, grids: this.chosen.grids, cursor: this.cursor,
      fill: (key) => this.fill(key), plates: this.plates(),
      contextStyle: (style) => styleOf(style, {}, { dark: this.isDark, legend: this.legend }),
    });
  }

  plates() {
    if (this.platesFor === this.state && !this.preview) return this.plateRows;
    const sums = this.preview ? totals(this.preview, this.ground.households, this.ground.persons)
      : null;
    this.plateRows = this.state.grids.map((grid) => {
      const held = sums ? (sums.get(grid.key) || { households: 0 }).households : grid.households;
      return { unit: grid.unit, text: `${grid.code} · ${whole(held)}`, locked: grid.locked,
        wrong: grid.faults.length > 0 };
    });
    this.platesFor = this.preview ? null : this.state;
    return this.plateRows;
  }

  fit(units) {
    const boxes = (units || []).map((u) => this.units[u].box);
    const bounds = boxes.length ? [Math.min(...boxes.map((b) => b[0])) / 1e6,
      Math.min(...boxes.map((b) => b[1])) / 1e6, Math.max(...boxes.map((b) => b[2])) / 1e6,
      Math.max(...boxes.map((b) => b[3])) / 1e6] : this.ground.bounds;
    const padding = boxes.length ? [90, 90] : [14, 14];
    this.map.fitBounds(cornersOf(bounds), { padding, maxZoom: 18, animate: false });
  }

  // --- choosing ---------------------------------------------------------------------------------

  point(event) {
    const at = this.map.mouseEventToLatLng(event);
    return [at.lng * 1e6, at.lat * 1e6];
  }

  /** Pixels in micro-degrees of latitude. */
  reach(pixels) {
    const a = this.map.containerPointToLatLng([0, 0]);
    const b = this.map.containerPointToLatLng([0, pixels]);
    return Math.abs(a.lat - b.lat) * 1e6;
  }

  how(event) {
    return event.shiftKey || event.ctrlKey || event.metaKey ? "toggle" : "replace";
  }

  take(found, how, asGrids = this.whole) {
    if (asGrids) {
      const keys = [...new Set(found.map((u) => this.held.label[u]))];
      this.chosen = { units: new Set(), grids: choose(this.chosen.grids, keys, how) };
    } else {
      this.chosen = { units: choose(this.chosen.units, found, how), grids: new Set() };
    }
    this.changed();
  }

  takeGrid(key, add) {
    this.chosen = { units: this.chosen.units, grids: choose(this.chosen.grids, [key],
      add ? "toggle" : "replace") };
    this.changed();
  }

  changed() {
    this.redraw();
    this.bench.refreshChosen();
    this.report();
  }

  /** The grids an action is for: the chosen ones, else those of the chosen units. */
  meant() {
    if (this.chosen.grids.size) return [...this.chosen.grids];
    return [...new Set([...this.chosen.units].map((u) => this.held.label[u]))];
  }

  /** The units an action is for: the chosen ones, else those of the chosen grids. */
  meantUnits() {
    if (this.chosen.units.size) return [...this.chosen.units];
    const found = [];
    this.held.label.forEach((key, u) => { if (this.chosen.grids.has(key)) found.push(u); });
    return found;
  }

  chosenSum() {
    return sumOf(this.chosen.units, this.ground.households, this.ground.persons);
  }

  // --- the mouse --------------------------------------------------------------------------------

  setTool(tool) {
    this.let_go();
    this.tool = tool;
    if (STROKES.has(tool)) this.map.dragging.disable();
    else this.map.dragging.enable();
    this.canvas.style.cursor = tool === "pick" ? "" : tool === "drag" ? "grab" : "crosshair";
    this.bench.refreshTools();
    this.report();
  }

  down(event) {
    if (event.button !== 0 || !this.held || event.target.closest(".leaflet-control")) return;
    const at = this.point(event);
    const tool = this.tool === "pick" && event.shiftKey ? "box" : this.tool;
    this.pressed = { x: event.clientX, y: event.clientY };
    if (!STROKES.has(tool)) return;
    if (tool !== this.tool) this.map.dragging.disable();
    const under = unitAt(this.units, ...at);
    const stroke = { tool, how: this.how(event), path: [at], start: at, last: at, under };
    if (tool === "brush") stroke.to = this.brushTarget(under);
    if (tool === "drag" && !this.takeBorder(stroke, under)) return;
    this.stroke = stroke;
    this.canvas.setPointerCapture(event.pointerId);
    if (tool === "brush") this.paint(at);
  }

  brushTarget(under) {
    if (this.chosen.grids.size === 1) return [...this.chosen.grids][0];
    return under >= 0 ? this.held.label[under] : null;
  }

  takeBorder(stroke, under) {
    if (under < 0) return false;
    const own = this.held.label[under];
    const found = nearestBorder(this.borders, this.held.label, own, stroke.start, this.xScale);
    if (!found || found.distance > this.reach(GRIP)) {
      this.bench.say(this.words.no_border, "warn");
      return false;
    }
    stroke.a = own;
    stroke.b = found.grid;
    const locked = [own, found.grid].some((key) => this.byKey.get(key).locked);
    if (locked) this.bench.say(this.words.border_locked, "warn");
    return !locked;
  }

  move(event) {
    if (!this.held) return;
    const at = this.point(event);
    if (!this.stroke) {
      this.bench.hover(event, unitAt(this.units, ...at));
      return;
    }
    const { stroke } = this;
    stroke.path.push(at);
    if (stroke.tool === "brush") this.paint(at);
    else if (stroke.tool === "drag") this.pull(at, event);
    else this.sketch();
    stroke.last = at;
  }

  paint(at) {
    const { stroke } = this;
    if (stroke.to === null || this.byKey.get(stroke.to).locked) return;
    const found = unitsNear(this.ground.places, stroke.last, at, this.reach(BRUSH), this.xScale);
    const under = unitAt(this.units, ...at);
    if (under >= 0) found.push(under);
    const label = Int32Array.from(this.label());
    let moved = 0;
    for (const unit of found) {
      if (label[unit] !== stroke.to && !this.byKey.get(label[unit]).locked) {
        label[unit] = stroke.to;
        moved += 1;
      }
    }
    if (!moved) return;
    this.preview = label;
    this.redraw();
    this.bench.beside(tellTotals(this, [stroke.to]));
  }

  pull(at, event) {
    const { stroke } = this;
    const under = unitAt(this.units, ...at);
    const label = this.held.label;
    const { units, to } = flow({ places: this.ground.places, label, near: this.near, a: stroke.a,
      b: stroke.b, start: stroke.start, now: at, under: under < 0 ? null : label[under],
      xScale: this.xScale });
    stroke.flow = units;
    stroke.to = to;
    this.preview = Int32Array.from(label);
    for (const unit of units) this.preview[unit] = to;
    this.redraw();
    this.bench.beside(tellTotals(this, [stroke.a, stroke.b]), event);
  }

  sketch() {
    const { stroke } = this;
    const path = stroke.path.map(([x, y]) => [y / 1e6, x / 1e6]);
    const look = { color: this.isDark ? "#ffe66d" : "#b3124f", weight: 2, dashArray: "5 4",
      fill: false, interactive: false };
    this.ink.clearLayers();
    if (stroke.tool === "box") L.rectangle([path[0], path[path.length - 1]], look).addTo(this.ink);
    else if (stroke.tool === "cut") L.polyline(path, look).addTo(this.ink);
    else L.polygon(path, look).addTo(this.ink);
  }

  up(event) {
    const { stroke } = this;
    if (!stroke) {
      const pressed = this.pressed;
      this.pressed = null;
      if (pressed && Math.hypot(event.clientX - pressed.x, event.clientY - pressed.y) < 5) {
        this.pick(event, false);
      }
      return;
    }
    this.stroke = null;
    this.ink.clearLayers();
    if (this.tool === "pick") this.map.dragging.enable();
    const far = Math.hypot(event.clientX - this.pressed.x, event.clientY - this.pressed.y) >= 5;
    this.pressed = null;
    this.finish(stroke, far || stroke.path.length > 6, event);
  }

  finish(stroke, drawn, event) {
    const points = stroke.path.map(([x, y]) => [x / 1e6, y / 1e6]);
    if (stroke.tool === "brush") return this.release("brush", stroke.to);
    if (stroke.tool === "drag") return this.release("drag", stroke.to);
    if (!drawn) return this.pick(event, false);
    if (stroke.tool === "box") {
      return this.take(unitsInBox(this.ground.places, stroke.start, stroke.last), stroke.how);
    }
    if (stroke.tool === "lasso") {
      return this.take(unitsInLoop(this.ground.places, stroke.path), stroke.how);
    }
    const grid = this.strokeGrid(stroke);
    if (grid === null) return this.bench.say(this.words.choose_grid, "warn");
    return this.ask({ do: stroke.tool, grid, points, through: this.through });
  }

  /** The grid a drawn line or outline is for: the chosen one, else the one most of it lies in. */
  strokeGrid(stroke) {
    if (this.chosen.grids.size === 1) return [...this.chosen.grids][0];
    const count = new Map();
    for (const at of stroke.path) {
      const unit = unitAt(this.units, ...at);
      if (unit < 0) continue;
      const key = this.held.label[unit];
      count.set(key, (count.get(key) || 0) + 1);
    }
    let best = null;
    for (const [key, n] of count) if (best === null || n > count.get(best)) best = key;
    return best;
  }

  release(how, to) {
    const units = [];
    if (this.preview) {
      this.preview.forEach((key, u) => { if (key !== this.held.label[u]) units.push(u); });
    }
    this.bench.tip.hidden = true;
    if (units.length) this.ask({ do: how, units, to });
    else {
      this.preview = null;
      this.redraw();
    }
  }

  let_go() {
    this.stroke = null;
    this.preview = null;
    this.ink.clearLayers();
    this.bench.tip.hidden = true;
    if (this.tool === "pick") this.map.dragging.enable();
    if (this.held) this.redraw();
  }

  pick(event, asGrid) {
    if (!this.held || event.target.closest(".leaflet-control")) return;
    const unit = unitAt(this.units, ...this.point(event));
    if (this.tool === "give") {
      if (unit >= 0 && !asGrid) this.give(this.held.label[unit]);
      return;
    }
    if (unit < 0) this.take([], this.how(event), false);
    else {
      this.cursor = -1;
      this.take([unit], this.how(event), asGrid || this.whole);
    }
  }

  give(key) {
    const units = this.meantUnits();
    if (!units.length) this.bench.say(this.words.choose_units, "warn");
    else this.ask({ do: "transfer", units, to: key });
  }

  // --- the keyboard -----------------------------------------------------------------------------

  key(event) {
    if (!this.held || !this.root.isConnected || !this.root.offsetParent) return;
    const target = event.composedPath()[0];
    if (target.closest?.("input, textarea, select, [contenteditable=true], [role=combobox]")) return;
    const meaning = keyMeaning({ key: event.key, ctrl: event.ctrlKey || event.metaKey,
      shift: event.shiftKey, alt: event.altKey });
    if (!meaning) return;
    const onButton = target.closest?.("button, a, summary");
    if (onButton && (meaning.action === "enter" || meaning.action === "toggle")) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (meaning.tool) this.setTool(meaning.tool);
    else if (meaning.step) this.walk(meaning.step);
    else this.bench.act(meaning.action);
  }

  walk(direction) {
    const from = this.cursor >= 0 ? this.cursor
      : this.chosen.units.size ? [...this.chosen.units][0] : this.state.grids[0].unit;
    this.cursor = this.cursor < 0 ? from
      : stepTo(from, direction, this.ground.places, this.near, this.xScale);
    this.redraw();
    this.bench.say(this.bench.tellUnit(this.cursor), "ok");
    this.report();
  }

  remove() {
    window.removeEventListener("keydown", this.onKey, true);
    this.watcher.disconnect();
    this.themeWatcher.disconnect();
    this.sheet.remove();
    this.map.remove();
    this.root.remove();
  }
}

export default function mount(component) {
  const { data, parentElement, setTriggerValue } = component;
  let hand = hands.get(parentElement);
  if (!hand) {
    hand = new Hand(parentElement);
    hands.set(parentElement, hand);
  }
  hand.send = setTriggerValue;
  if (data) {
    const message = JSON.parse(new TextDecoder().decode(data));
    if (!hand.read(message)) setTriggerValue("resync", true);
  }
  return () => {
    window.setTimeout(() => {
      if (!parentElement.isConnected && hands.get(parentElement) === hand) {
        hands.delete(parentElement);
        hand.remove();
      }
    }, 0);
  };
}
