// Parts of a plan that is too large to be sent: asked for as somebody comes near, dropped as they
// leave. The map never waits: what is not here yet is drawn coarser, and comes by itself.
// L, logic.js and the Board stand around this text when it is served (ui/map/component.py).
import { wantedParts } from "./logic.js";

const MOST_ASKED = 60; // parts in one question: a quick answer, then the next question
const MOST_HELD = 450; // parts of villages; those far from the view are dropped beyond it
const PATIENCE = 6000; // milliseconds after which a question counts as lost
const LATER = 700; // milliseconds until what was not ready is asked for again

/** Where maps and their messenger (ui/map/parts.py) find each other: each is a module of its own. */
function hub() {
  const key = Symbol.for("gridwright.parts");
  globalThis[key] ??= { boards: new Map(), send: null };
  return globalThis[key];
}

export class Parts {
  constructor(board) {
    this.board = board;
    this.spec = null;
    this.clear();
  }

  clear() {
    this.held = new Map(); // name -> [[layer, feature ids]] that it brought
    this.asked = null; // {number, names, at} under way
    this.number = this.number || 0;
    this.squares = new Map(); // name of a square -> [callbacks]
    this.waits = 0;
    this.late = 0; // until when what was late is not asked for
  }

  /** Another plan, or none: everything that came in parts goes. */
  reset(spec) {
    const key = spec ? spec.key : "";
    if (key === (this.spec ? this.spec.key : "")) return;
    for (const name of [...this.held.keys()]) this.drop(name);
    this.showPicture(false);
    this.picture = null;
    if (this.spec) hub().boards.delete(this.spec.key);
    this.spec = spec || null;
    this.clear();
    if (this.spec) hub().boards.set(this.spec.key, this);
  }

  state() {
    if (!this.spec) return "";
    const busy = this.asked || this.squares.size || this.missing(1).length ? "busy" : "idle";
    return `${busy} ${this.held.size}`;
  }

  /** Villages in or beside the view. */
  places() {
    const { map } = this.board;
    const entry = this.board.layers.get("areas");
    if (!entry) return [];
    const inside = map.getBounds();
    const beside = inside.pad(0.25);
    const centre = map.getCenter();
    const found = [];
    for (const [code, shape] of entry.shapes) {
      const box = shape.getBounds();
      if (!beside.intersects(box)) continue;
      const middle = box.getCenter();
      found.push({ code, near: inside.intersects(box),
        distance: Math.hypot(middle.lat - centre.lat, middle.lng - centre.lng) });
    }
    return found;
  }

  missing(most) {
    const zoom = this.board.map.getZoom();
    if (!this.spec || zoom < this.spec.grids || this.board.unfitted) return [];
    return wantedParts(this.places(), this.spec, zoom, this.held, most);
  }

  /** Ask for what the view lacks, one question at a time. */
  look() {
    if (!this.spec) return;
    const now = Date.now();
    if (this.asked && now - this.asked.at < PATIENCE) return;
    this.asked = null;
    const names = [...[...this.squares.keys()].slice(0, MOST_ASKED), ...this.missing(MOST_ASKED)]
      .filter((name) => now >= this.late || !/^[cnp]:/.test(name));
    const again = () => {
      window.clearTimeout(this.waits);
      this.waits = window.setTimeout(() => this.look(), LATER);
    };
    if (!names.length) {
      if (now < this.late) again();
      return;
    }
    const { send } = hub();
    if (!send) {
      again();
      return;
    }
    this.number += 1;
    this.asked = { number: this.number, names, at: now };
    send({ key: this.spec.key, number: this.number, names });
    window.clearTimeout(this.waits);
    this.waits = window.setTimeout(() => this.look(), PATIENCE + 100);
  }

  /** Take an answer; more is asked for at once where the view still lacks something. */
  take(answer) {
    if (!this.spec || answer.key !== this.spec.key) return;
    for (const [name, part] of Object.entries(answer.parts)) {
      if (typeof part === "string") {
        for (const done of this.squares.get(name) || []) done(part);
        this.squares.delete(name);
      } else if (!this.held.has(name)) this.hold(name, part);
    }
    if (answer.late.length) this.late = Date.now() + LATER;
    if (this.asked && answer.number >= this.asked.number) this.asked = null;
    this.forget();
    this.veil();
    this.board.select(this.board.selected);
    this.look();
    this.board.report();
  }

  hold(name, part) {
    const brought = [];
    for (const [layer, features] of Object.entries(part)) {
      const entry = this.board.layers.get(layer);
      if (!entry) continue;
      for (const feature of features) {
        entry.held.features.set(feature.i, feature);
        const shape = this.board.put(entry, feature.i);
        // what comes later must not lie over the points that are here
        if (layer === "grids" && shape.bringToBack && shape._map) shape.bringToBack();
      }
      brought.push([layer, features.map((feature) => feature.i)]);
    }
    this.held.set(name, brought);
  }

  drop(name) {
    for (const [layer, ids] of this.held.get(name) || []) {
      const entry = this.board.layers.get(layer);
      if (!entry) continue;
      for (const id of ids) {
        this.board.erase(entry, id);
        entry.held.features.delete(id);
      }
    }
    this.held.delete(name);
    if (name.startsWith("g:")) this.unveil(name.slice(2));
  }

  /** Drop what is far from the view when much is held. */
  forget() {
    if (this.held.size <= MOST_HELD) return;
    const entry = this.board.layers.get("areas");
    const around = this.board.map.getBounds().pad(1);
    for (const name of [...this.held.keys()]) {
      const shape = entry && entry.shapes.get(name.slice(2));
      if (!shape || !around.intersects(shape.getBounds())) this.drop(name);
    }
  }

  /** A village whose grids are drawn is not drawn under them: two fills would mix. */
  veil() {
    const entry = this.board.layers.get("areas");
    const near = this.board.map.getZoom() >= this.spec.grids;
    for (const name of this.held.keys()) {
      if (!name.startsWith("g:")) continue;
      const shape = entry && entry.shapes.get(name.slice(2));
      if (!shape) continue;
      const there = entry.group.hasLayer(shape);
      if (near && there) entry.group.removeLayer(shape);
      else if (!near && !there) entry.group.addLayer(shape);
    }
  }

  unveil(code) {
    const entry = this.board.layers.get("areas");
    const shape = entry && entry.shapes.get(code);
    if (shape && !entry.group.hasLayer(shape)) entry.group.addLayer(shape);
  }

  /** Lay the picture of all households over the map, or take it away. */
  showPicture(wanted) {
    const { map } = this.board;
    if (this.spec) this.veil();
    if (this.picture && !wanted && map.hasLayer(this.picture)) this.picture.remove();
    if (!wanted || !this.spec) return;
    this.picture ??= this.makePicture();
    if (!map.hasLayer(this.picture)) this.picture.addTo(map);
  }

  makePicture() {
    const parts = this;
    const Picture = L.GridLayer.extend({
      createTile(at, done) {
        const tile = document.createElement("img");
        tile.alt = "";
        tile.style.visibility = "hidden"; // a browser frames a picture without a source
        const name = `p:${at.z}/${at.x}/${at.y}`;
        const take = (source) => {
          if (source) {
            tile.src = source;
            tile.style.visibility = "";
          }
          done(null, tile);
        };
        if (!parts.squares.has(name)) parts.squares.set(name, []);
        parts.squares.get(name).push(take);
        window.clearTimeout(parts.soon);
        parts.soon = window.setTimeout(() => parts.look(), 30);
        return tile;
      },
    });
    const [first, last] = this.spec.squares;
    const picture = new Picture({ pane: "gw-picture", minNativeZoom: first, maxNativeZoom: last,
      minZoom: 0, maxZoom: 22, updateWhenZooming: false, keepBuffer: 1 });
    picture.on("tileunload", (gone) => {
      this.squares.delete(`p:${gone.coords.z}/${gone.coords.x}/${gone.coords.y}`);
    });
    return picture;
  }
}
