// Strokes over the map: boxes, loops, lines, outlines, the brush and borders that are pulled.
// The mouse (hand.js) and the keyboard's pen (hand-pen.js) begin, lead and end them alike.
import {
  alongPath, flow, nearestBorder, unitAt, unitsInBox, unitsInLoop, unitsNear,
} from "./hand-logic.js";
import { tellTotals } from "./hand-bench.js";

const BRUSH = 14; // pixels
const GRIP = 14; // pixels from a border within which it can be taken hold of
export const STROKES = new Set(["box", "lasso", "brush", "drag", "draw", "cut"]);

export class Strokes {
  constructor(hand) {
    this.hand = hand;
    this.now = null; // the stroke under way
  }

  /** Begin at a place [x, y] in micro-degrees; false where there is nothing to take hold of. */
  begin(tool, how, at) {
    const under = unitAt(this.hand.units, ...at);
    const stroke = { tool, how, path: [at], start: at, last: at, under };
    if (tool === "brush") stroke.to = this.brushTarget(under);
    if (tool === "drag" && !this.takeBorder(stroke, under)) return false;
    this.now = stroke;
    if (tool === "brush") this.paint(at);
    return true;
  }

  /** Lead the stroke on; `event` says where the totals stand. */
  lead(at, event) {
    const stroke = this.now;
    stroke.path.push(at);
    if (stroke.tool === "brush") this.paint(at);
    else if (stroke.tool === "drag") this.pull(at, event);
    else this.sketch(stroke.tool, stroke.path);
    stroke.last = at;
  }

  brushTarget(under) {
    const { hand } = this;
    if (hand.chosen.grids.size === 1) return [...hand.chosen.grids][0];
    return under >= 0 ? hand.held.label[under] : null;
  }

  takeBorder(stroke, under) {
    if (under < 0) return false;
    const { hand } = this;
    const own = hand.held.label[under];
    const found = nearestBorder(hand.borders, hand.held.label, own, stroke.start, hand.xScale);
    if (!found || found.distance > hand.reach(GRIP)) {
      hand.bench.say(hand.words.no_border, "warn");
      return false;
    }
    stroke.a = own;
    stroke.b = found.grid;
    const locked = [own, found.grid].some((key) => hand.byKey.get(key).locked);
    if (locked) hand.bench.say(hand.words.border_locked, "warn");
    return !locked;
  }

  paint(at) {
    const { hand, now: stroke } = this;
    if (stroke.to === null || hand.byKey.get(stroke.to).locked) return;
    const found = unitsNear(hand.ground.places, stroke.last, at, hand.reach(BRUSH), hand.xScale);
    const under = unitAt(hand.units, ...at);
    if (under >= 0) found.push(under);
    const label = Int32Array.from(hand.label());
    let moved = 0;
    for (const unit of found) {
      if (label[unit] !== stroke.to && !hand.byKey.get(label[unit]).locked) {
        label[unit] = stroke.to;
        moved += 1;
      }
    }
    if (!moved) return;
    hand.preview = label;
    hand.redraw();
    hand.bench.beside(tellTotals(hand, [stroke.to]));
  }

  pull(at, event) {
    const { hand, now: stroke } = this;
    const under = unitAt(hand.units, ...at);
    const { label } = hand.held;
    const { units, to } = flow({ places: hand.ground.places, label, near: hand.near, a: stroke.a,
      b: stroke.b, start: stroke.start, now: at, under: under < 0 ? null : label[under],
      xScale: hand.xScale });
    stroke.to = to;
    hand.preview = Int32Array.from(label);
    for (const unit of units) hand.preview[unit] = to;
    hand.redraw();
    hand.bench.beside(tellTotals(hand, [stroke.a, stroke.b]), event);
  }

  /** Show a shape while it is drawn. */
  sketch(tool, places) {
    const { hand } = this;
    const path = places.map(([x, y]) => [y / 1e6, x / 1e6]);
    const look = { color: hand.isDark ? "#ffe66d" : "#b3124f", weight: 2, dashArray: "5 4",
      fill: false, interactive: false };
    hand.ink.clearLayers();
    if (tool === "box") L.rectangle([path[0], path[path.length - 1]], look).addTo(hand.ink);
    else if (tool === "cut") L.polyline(path, look).addTo(hand.ink);
    else L.polygon(path, look).addTo(hand.ink);
  }

  /** End the stroke; `drawn` is false where it was a mere click. */
  end(drawn, event) {
    const { hand, now: stroke } = this;
    this.now = null;
    hand.ink.clearLayers();
    if (stroke.tool === "brush" || stroke.tool === "drag") this.release(stroke.tool, stroke.to);
    else if (drawn) this.finish(stroke.tool, stroke.path, stroke.how);
    else if (event) hand.pick(event, false);
  }

  /** What a shape that was drawn asks for. */
  finish(tool, path, how) {
    const { hand } = this;
    const { places } = hand.ground;
    if (tool === "box") {
      hand.take(unitsInBox(places, path[0], path[path.length - 1]), how);
    } else if (tool === "lasso") {
      hand.take(unitsInLoop(places, path), how);
    } else {
      const grid = this.gridOf(path);
      const points = path.map(([x, y]) => [x / 1e6, y / 1e6]);
      if (grid === null) hand.bench.say(hand.words.choose_grid, "warn");
      else hand.ask({ do: tool, grid, points, through: hand.through });
    }
  }

  /** The grid a drawn line or outline is for: the chosen one, else the one most of it lies in. */
  gridOf(path) {
    const { hand } = this;
    if (hand.chosen.grids.size === 1) return [...hand.chosen.grids][0];
    const count = new Map();
    for (const at of alongPath(path)) {
      const unit = unitAt(hand.units, ...at);
      if (unit < 0) continue;
      const key = hand.held.label[unit];
      count.set(key, (count.get(key) || 0) + 1);
    }
    let best = null;
    for (const [key, n] of count) if (best === null || n > count.get(best)) best = key;
    return best;
  }

  release(how, to) {
    const { hand } = this;
    const units = [];
    if (hand.preview) {
      hand.preview.forEach((key, u) => { if (key !== hand.held.label[u]) units.push(u); });
    }
    hand.bench.tip.hidden = true;
    if (units.length) hand.ask({ do: how, units, to });
    else {
      hand.preview = null;
      hand.redraw();
    }
  }
}
