// Drawing without a mouse: a cross on the map that arrows move, Space puts down and Enter ends.
import { element } from "./furniture.js";
import { unitAt } from "./hand-logic.js";
import { STROKES } from "./hand-strokes.js";

const STEP = 24; // pixels an arrow moves the cross
const FINE = 4; // with Shift
const EDGE = 40; // pixels from the map's edge at which the map follows
const SHAPES = new Set(["lasso", "draw", "cut"]); // made of as many corners as one likes
const LEAST = { lasso: 3, draw: 3, cut: 2 };

export class Pen {
  constructor(hand) {
    this.hand = hand;
    this.at = null; // [x, y] in micro-degrees
    this.corners = [];
    this.cross = element("div", "gw-pen");
    this.cross.hidden = true;
    hand.bench.mapPlace.appendChild(this.cross);
    hand.map.on("move zoom resize", () => this.show());
  }

  /** Is a tool in hand that draws? Then arrows, Space, Enter and Backspace are the pen's. */
  get ready() {
    return STROKES.has(this.hand.tool);
  }

  get busy() {
    return this.corners.length > 0;
  }

  show() {
    this.cross.hidden = !this.at || !this.ready;
    if (this.cross.hidden) return;
    const { x, y } = this.pixel();
    this.cross.style.left = `${x}px`;
    this.cross.style.top = `${y}px`;
  }

  pixel() {
    return this.hand.map.latLngToContainerPoint([this.at[1] / 1e6, this.at[0] / 1e6]);
  }

  /** The place of a pixel of the map, in micro-degrees. */
  placeOf(point) {
    const found = this.hand.map.containerPointToLatLng(point);
    return [found.lng * 1e6, found.lat * 1e6];
  }

  start() {
    if (this.at) return;
    const { hand } = this;
    const size = hand.map.getSize();
    const { places } = hand.ground;
    this.at = hand.cursor >= 0 ? [places[2 * hand.cursor], places[2 * hand.cursor + 1]]
      : this.placeOf([size.x / 2, size.y / 2]);
  }

  /** Move by arrow [dx, dy], north up; the map follows at its edge. */
  step([dx, dy], fine) {
    const { hand } = this;
    const fresh = !this.at;
    this.start();
    if (!fresh) {
      const reach = fine ? FINE : STEP;
      const from = this.pixel();
      this.at = this.placeOf([from.x + dx * reach, from.y - dy * reach]);
    }
    const size = hand.map.getSize();
    const now = this.pixel();
    const over = [now.x, now.y].map((v, i) => {
      const room = i ? size.y : size.x;
      return v < EDGE ? v - EDGE : v > room - EDGE ? v - room + EDGE : 0;
    });
    if (over[0] || over[1]) hand.map.panBy(over, { animate: false });
    this.moved();
  }

  moved() {
    const { hand } = this;
    this.show();
    hand.bench.mouse = this.spot();
    if (hand.strokes.now) hand.strokes.lead(this.at, this.spot());
    else if (this.busy) hand.strokes.sketch(hand.tool, [...this.corners, this.at]);
    const unit = unitAt(hand.units, ...this.at);
    if (!hand.preview) hand.bench.say(unit < 0 ? "—" : hand.bench.tellUnit(unit), "ok");
    hand.report();
  }

  /** Where totals stand: beside the cross, as beside the mouse. */
  spot() {
    const box = this.hand.canvas.getBoundingClientRect();
    const { x, y } = this.pixel();
    return { clientX: box.left + x, clientY: box.top + y };
  }

  /** Space: a corner of a shape; the first and last place of a box, a brush stroke, a pull. */
  place() {
    const { hand } = this;
    if (!this.at) {
      this.start();
      this.show();
    }
    if (SHAPES.has(hand.tool)) {
      const last = this.corners[this.corners.length - 1];
      if (!last || last[0] !== this.at[0] || last[1] !== this.at[1]) this.corners.push(this.at);
      hand.strokes.sketch(hand.tool, [...this.corners, this.at]);
      hand.bench.say(`${hand.words.corners}: ${this.corners.length}`, "ok");
    } else if (hand.strokes.now) {
      hand.strokes.end(true);
    } else if (hand.strokes.begin(hand.tool, "replace", this.at)) {
      hand.bench.mouse = this.spot();
      hand.bench.say(hand.words.pen_down, "ok");
    }
    hand.report();
  }

  /** Enter: the shape is done, its last corner where the cross is. */
  finish() {
    const { hand } = this;
    if (hand.strokes.now) {
      hand.strokes.end(true);
    } else if (this.busy) {
      const last = this.corners[this.corners.length - 1];
      const same = last[0] === this.at[0] && last[1] === this.at[1];
      const path = same ? this.corners : [...this.corners, this.at];
      if (path.length < LEAST[hand.tool]) {
        hand.bench.say(hand.words.more_corners, "warn");
        return;
      }
      this.clear();
      hand.strokes.finish(hand.tool, path, "replace");
    }
    hand.report();
  }

  /** Backspace: the last corner is taken away. */
  back() {
    const { hand } = this;
    if (!this.busy) return;
    this.corners.pop();
    hand.ink.clearLayers();
    if (this.busy) hand.strokes.sketch(hand.tool, [...this.corners, this.at]);
    hand.bench.say(`${hand.words.corners}: ${this.corners.length}`, "ok");
    hand.report();
  }

  clear() {
    this.corners = [];
    this.hand.ink.clearLayers();
  }
}
