// The planner's board in the page: one village, its tools, its panel. Leaflet (L) and the parts
// imported below stand in front of this text when it is served (ui/map/hand.py).
// Edits are made by the server; here is only what must answer to the mouse at once.
import { cornersOf, isDark, styleOf, classColour } from "./logic.js";
import { element } from "./furniture.js";
import {
  absolute, applyLabels, bordersOf, choose, colourNumbers, keyMeaning, neighboursOf, readUnits,
  stepTo, sumOf, totals, unitAt, whole,
} from "./hand-logic.js";
import { PALETTE, Sheet } from "./hand-canvas.js";
import { Workbench } from "./hand-bench.js";
import { STROKES, Strokes } from "./hand-strokes.js";
import { Pen } from "./hand-pen.js";
import { Tour } from "./hand-tour.js";

const hands = new WeakMap(); // the page's element -> its Hand

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
    this.strokes = new Strokes(this);
    this.pen = new Pen(this);
    this.tour = new Tour(this);
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
    this.marks = L.layerGroup().addTo(this.map);
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
      if (answer.kind !== "quiet") this.bench.say(answer.text, answer.kind);
      if (answer.stale) this.bench.offerWays(this.sent, answer.again);
      if (answer.kind === "ok" && before && answer.edit) this.chosen.units = new Set();
    }
    this.isDark = this.dark();
    this.root.classList.toggle("gw-dark", this.isDark);
    this.redraw();
    this.bench.refresh();
    this.bench.tellUnsaved(message.state.unsaved);
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
      this.strokes.now = null;
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
    this.pen.at = null;
    this.marks.clearLayers();
    this.let_go();
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
    this.sent = { request, base: this.held.version };
    this.send("asked", { ...request, base: this.held.version, id: this.waiting });
  }

  report() {
    const data = this.root.dataset;
    data.version = this.held.version;
    data.place = this.ground.place;
    data.units = String(this.units.length);
    data.grids = String(this.byKey.size);
    data.chosen = [...this.chosen.units].join(" ");
    data.chosenGrids = [...this.chosen.grids].join(" ");
    data.tool = this.tool;
    data.through = String(this.through);
    data.corners = String(this.pen.corners.length);
    data.stroke = String(Boolean(this.strokes.now));
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

  /** Rings around places in degrees: households that no unit holds. */
  markPlaces(places) {
    this.marks.clearLayers();
    for (const [lng, lat] of places) {
      L.circleMarker([lat, lng], { radius: 7, color: this.isDark ? "#ff7fb0" : "#b3124f", weight: 3,
        fill: false, interactive: false }).addTo(this.marks);
    }
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
    this.pen.show();
    if (STROKES.has(tool)) this.map.dragging.disable();
    else this.map.dragging.enable();
    this.canvas.style.cursor = tool === "pick" ? "" : tool === "drag" ? "grab" : "crosshair";
    this.canvas.focus({ preventScroll: true }); // so that Space draws and presses no button
    this.bench.refreshTools();
    this.report();
  }

  down(event) {
    if (event.button !== 0 || !this.held || event.target.closest(".leaflet-control")) return;
    const tool = this.tool === "pick" && event.shiftKey ? "box" : this.tool;
    this.pressed = { x: event.clientX, y: event.clientY };
    if (!STROKES.has(tool)) return;
    if (tool !== this.tool) this.map.dragging.disable();
    this.pen.clear();
    if (this.strokes.begin(tool, this.how(event), this.point(event))) {
      this.canvas.setPointerCapture(event.pointerId);
    }
  }

  move(event) {
    if (!this.held) return;
    const at = this.point(event);
    if (!this.strokes.now) this.bench.hover(event, unitAt(this.units, ...at));
    else if (event.buttons) this.strokes.lead(at, event); // else it is the keyboard's
  }

  up(event) {
    const { pressed, strokes } = this;
    this.pressed = null;
    if (!pressed) return;
    const far = Math.hypot(event.clientX - pressed.x, event.clientY - pressed.y) >= 5;
    if (strokes.now) {
      const drawn = far || strokes.now.path.length > 6;
      if (this.tool === "pick") this.map.dragging.enable();
      strokes.end(drawn, event);
    } else if (!far) {
      this.pick(event, false);
    }
  }

  let_go() {
    this.strokes.now = null;
    this.preview = null;
    this.pen.clear();
    this.bench.tip.hidden = true;
    if (this.tool === "pick") this.map.dragging.enable();
    if (!this.held) return;
    this.redraw();
    this.report();
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
      shift: event.shiftKey, alt: event.altKey, drawing: this.pen.ready });
    if (!meaning) return;
    const onButton = target.closest?.("button, a, summary");
    if (onButton && (event.key === "Enter" || event.key === " ")) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (meaning.tool) this.setTool(meaning.tool);
    else if (meaning.step) this.walk(meaning.step);
    else if (meaning.pen) this.pen.step(meaning.pen, meaning.fine);
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
    window.clearTimeout(this.bench.retry);
    this.watcher.disconnect();
    this.themeWatcher.disconnect();
    this.sheet.remove();
    this.map.off();
    this.root.remove();
    // A zoom under way ends by itself a quarter of a second later, and needs its map until then.
    window.setTimeout(() => this.map.remove(), 400);
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
