// The map in the page: one Leaflet map kept alive between reruns, fed by differences.
// L (Leaflet), logic.js and furniture.js stand in front of this text when it is served
// (ui/map/component.py); the imports below are for the editor and `node --check`.
import {
  applyLayer, cornersOf, cornersOfDecoded, decode, isDark, isInteractive, styleOf, switches,
  visible,
} from "./logic.js";
import { element, fillLegend, fillSwitches, tooltip } from "./furniture.js";
import { Parts } from "./parts.js";

// The page's element -> its Board. Weak, so that a closed page frees its map.
const boards = new WeakMap();

// Maps that move together, by the name they share.
const together = new Map();

class Board {
  constructor(parent) {
    this.parent = parent;
    this.root = element("div", "gw-board");
    parent.appendChild(this.root);
    this.canvas = element("div", "gw-map");
    this.root.appendChild(this.canvas);
    this.map = L.map(this.canvas, {
      preferCanvas: true, attributionControl: false, zoomControl: false, doubleClickZoom: false,
      zoomSnap: 0.25, zoomDelta: 0.5, wheelPxPerZoomLevel: 110, maxZoom: 20, minZoom: 5,
    }).setView([32.3, 118.8], 10);
    L.control.zoom({ position: "topleft" }).addTo(this.map);
    L.control.scale({ position: "bottomright", imperial: false }).addTo(this.map);
    this.renderers = {};
    // Context lies over the grids but lets the mouse through: of several canvases Leaflet gives
    // events only to the topmost.
    this.pane("gw-under", 390, false);
    this.pane("gw-main", 400, true);
    this.map.createPane("gw-picture").style.zIndex = 405;
    this.map.getPane("gw-picture").style.pointerEvents = "none";
    this.pane("gw-over", 410, false);
    this.pane("gw-mark", 420, false);
    // id -> {message, held, group, shapes: Map(id -> Leaflet layer), waiting: Set(id not drawn)}
    this.layers = new Map();
    this.hidden = new Set(); // labels of the switches that are off
    this.seen = new Set(); // labels met, so that a layer's first state is taken only once
    this.colourBy = 0;
    this.place = null;
    this.focusNumber = 0;
    this.selected = [];
    this.parts = new Parts(this);
    this.furniture();
    this.map.on("zoomend", () => {
      if (!this.reading) this.showLayers();
    });
    this.map.on("move", () => this.lead());
    this.map.on("moveend", () => {
      if (!this.fitting) this.whole = false; // somebody went somewhere
      this.parts.look();
      this.report();
    });
    this.group = "";
    this.watcher = new ResizeObserver(() => {
      const whole = this.whole || this.unfitted;
      this.fitting = true;
      this.map.invalidateSize({ pan: false });
      this.fitting = false;
      if (whole) this.fit(); // nobody went anywhere: what was seen whole stays whole
    });
    this.watcher.observe(this.canvas);
    this.scheme = window.matchMedia("(prefers-color-scheme: dark)");
    this.onScheme = () => window.setTimeout(() => this.recolour(), 80);
    this.scheme.addEventListener("change", this.onScheme);
    this.themeWatcher = new MutationObserver(() => this.recolour());
    for (let node = parent, i = 0; node && i < 4; node = node.parentElement, i += 1) {
      this.themeWatcher.observe(node, { attributes: true, attributeFilter: ["style", "class"] });
    }
  }

  /** Join the maps that move together under a name; "" leaves them. */
  join(name) {
    if (name === this.group) return;
    together.get(this.group)?.delete(this);
    this.group = name;
    if (!name) return;
    if (!together.has(name)) together.set(name, new Set());
    together.get(name).add(this);
  }

  /** Take the others of the group to where this map went. */
  lead() {
    if (this.following || this.unfitted || !this.root.isConnected) return;
    for (const other of together.get(this.group) || []) {
      if (other === this || !other.root.isConnected) continue; // a page that was left
      other.following = true;
      other.map.setView(this.map.getCenter(), this.map.getZoom(), { animate: false });
      other.following = false;
    }
  }

  pane(name, order, mouse) {
    const pane = this.map.createPane(name);
    pane.style.zIndex = order;
    if (!mouse) pane.style.pointerEvents = "none";
    this.renderers[name] = L.canvas({ pane: name, padding: 0.4 });
  }

  furniture() {
    this.legendBox = element("div", "gw-card gw-legend");
    this.switchBox = element("details", "gw-card gw-switches");
    this.noticeBox = element("div", "gw-notice");
    for (const box of [this.legendBox, this.switchBox, this.noticeBox]) {
      this.root.appendChild(box);
      L.DomEvent.disableClickPropagation(box);
      L.DomEvent.disableScrollPropagation(box);
    }
    this.fitButton = element("button", "gw-fit", "⤢");
    this.fitButton.type = "button";
    this.fitButton.addEventListener("click", () => this.fit());
    L.DomEvent.disableClickPropagation(this.fitButton);
    this.root.appendChild(this.fitButton);
  }

  dark() {
    const style = getComputedStyle(this.parent);
    return isDark(style.getPropertyValue("--st-background-color"));
  }

  context() {
    return { dark: this.isDark, legend: this.legend || {}, colourBy: this.colourBy };
  }

  /** Take one message; returns false when the server must send everything again. */
  read(message) {
    this.words = message.words;
    this.join(message.group || "");
    this.legend = message.legend;
    this.isDark = this.dark();
    this.root.classList.toggle("gw-dark", this.isDark);
    this.parts.reset(message.parts);
    let complete = true;
    const named = new Set();
    for (const layer of message.layers) {
      named.add(layer.id);
      if (layer.label && !this.seen.has(layer.label)) {
        this.seen.add(layer.label);
        if (!layer.shown) this.hidden.add(layer.label);
      }
      if (!this.readLayer(layer)) complete = false;
    }
    for (const [id, entry] of this.layers) {
      if (!named.has(id)) {
        entry.group.remove();
        this.layers.delete(id);
      }
    }
    this.order = message.layers.map((layer) => layer.id);
    this.bounds = message.bounds;
    this.drawLegend();
    this.reading = true; // shapes are laid on the map once, where it will stay
    if (message.place !== this.place && complete) {
      this.place = message.place;
      this.fit();
    }
    this.reading = false;
    this.showLayers();
    this.select(message.selected);
    this.drawSwitches();
    this.noticeBox.textContent = this.words.notice || "";
    this.fitButton.title = this.words.fit || "";
    this.fitButton.setAttribute("aria-label", this.words.fit || "");
    if (complete && message.focus.number > this.focusNumber) {
      this.focusNumber = message.focus.number;
      this.focus(message.focus);
    }
    this.parts.look();
    this.report();
    this.drawAhead();
    if (message.tell && complete) this.tell(message.tell);
    return complete;
  }

  /** Say to the server that the map is on the screen: somebody holds back what stands beside it. */
  tell(name) {
    // Leaflet paints its canvases in the next frame, and the browser shows them after it
    window.requestAnimationFrame(() => window.setTimeout(() => {
      fetch(`/drawn/${encodeURIComponent(name)}`, { method: "POST" }).catch(() => {
        // the server waits a while and goes on by itself
      });
    }));
  }

  /** What a test, or a person with the inspector, can read off the page. */
  report() {
    let features = 0;
    for (const entry of this.layers.values()) features += entry.shapes.size + entry.waiting.size;
    this.root.dataset.features = String(features);
    this.root.dataset.place = this.place || "";
    this.root.dataset.selected = this.selected.join(" ");
    this.root.dataset.focus = String(this.focusNumber);
    this.root.dataset.dark = String(this.isDark);
    this.root.dataset.parts = this.parts.state();
    const centre = this.map.getCenter();
    this.root.dataset.view = `${centre.lat.toFixed(4)} ${centre.lng.toFixed(4)} ${this.map.getZoom()}`;
  }

  readLayer(message) {
    let entry = this.layers.get(message.id);
    const result = applyLayer(entry && entry.held, message);
    if (result.resync) return false;
    if (!entry) {
      entry = { group: L.featureGroup(), shapes: new Map(), waiting: new Set() };
      entry.group.bindTooltip((shape) => this.tip(entry, shape.featureId), {
        sticky: true, className: "gw-tip", opacity: 1, direction: "auto",
      });
      this.layers.set(message.id, entry);
    }
    entry.held = result.held;
    entry.message = {
      id: message.id, kind: message.kind, style: message.style, label: message.label,
      rows: message.rows, minZoom: message.minZoom, maxZoom: message.maxZoom,
    };
    for (const id of [...result.removed, ...result.changed]) this.erase(entry, id);
    // what is not on the map yet is drawn when it is laid there, or when there is time
    if (!this.map.hasLayer(entry.group)) for (const id of result.changed) entry.waiting.add(id);
    else for (const id of result.changed) this.put(entry, id);
    return true;
  }

  /** Draw what waits in a layer, for at most some milliseconds; false when some still waits. */
  drawWaiting(entry, most = Infinity) {
    const until = performance.now() + most;
    for (const id of entry.waiting) {
      this.put(entry, id);
      if (performance.now() > until) break;
    }
    return !entry.waiting.size;
  }

  /** Draw what a later zoom will show, a little at a time, so that no step waits for it. */
  drawAhead(wait = 700) {
    window.clearTimeout(this.ahead);
    this.ahead = window.setTimeout(() => {
      const next = [...this.layers.values()].find((entry) => entry.waiting.size);
      if (!next) return;
      this.drawWaiting(next, 6);
      this.drawAhead(30);
    }, wait);
  }

  erase(entry, id) {
    const old = entry.shapes.get(id);
    if (old) entry.group.removeLayer(old);
    entry.shapes.delete(id);
    entry.waiting.delete(id);
  }

  put(entry, id) {
    const shape = this.draw(entry, entry.held.features.get(id));
    shape.featureId = id;
    entry.waiting.delete(id);
    entry.shapes.set(id, shape);
    entry.group.addLayer(shape);
    return shape;
  }

  draw(entry, feature) {
    const { kind, style, id: layerId } = entry.message;
    const points = decode(kind, feature.g);
    if (style === "label") {
      const icon = L.divIcon({ html: element("span", "", feature.t), iconSize: null,
        className: feature.b ? "gw-label gw-big" : "gw-label" });
      return L.marker(points, { icon, interactive: false, keyboard: false });
    }
    const interactive = isInteractive(style);
    const pane = interactive ? "gw-main" : style === "exception" ? "gw-mark" : "gw-over";
    const options = { ...styleOf(style, feature, this.context()), interactive, pane,
      renderer: this.renderers[pane], smoothFactor: 0.6 };
    if (kind === "point") return this.wire(L.circleMarker(points, options), layerId, feature);
    if (kind === "line") return L.polyline(points, options);
    return interactive ? this.wire(L.polygon(points, options), layerId, feature)
      : L.polygon(points, options);
  }

  wire(shape, layerId, feature) {
    if (!shape.options.interactive) return shape;
    shape.on("click", (event) => {
      const key = event.originalEvent;
      if (key.detail > 1) return; // the second half of a double click
      this.send("picked", { layer: layerId, id: feature.i, village: feature.v || "", grid: feature.k || "",
        add: key.shiftKey || key.ctrlKey || key.metaKey });
    });
    shape.on("dblclick", () => {
      if (feature.v) this.send("opened", { village: feature.v });
      else if (shape.getBounds) this.map.fitBounds(shape.getBounds(), { animate: false });
    });
    return shape;
  }

  tip(entry, id) {
    return tooltip(entry.held.features.get(id), entry.message.rows);
  }

  /** Draw order is the message's order; a hidden layer is off the map but keeps its copy. */
  showLayers() {
    const zoom = this.map.getZoom();
    for (const id of this.order || []) {
      const entry = this.layers.get(id);
      if (!entry) continue;
      const wanted = visible(entry.message, this.hidden, zoom);
      if (wanted && entry.waiting.size) this.drawWaiting(entry);
      if (wanted && !this.map.hasLayer(entry.group)) entry.group.addTo(this.map);
      else if (!wanted && this.map.hasLayer(entry.group)) entry.group.remove();
    }
    const picture = this.layers.get("picture");
    this.parts.showPicture(Boolean(picture) && visible(picture.message, this.hidden, zoom));
    if (this.mark) this.mark.forEach((line) => line.bringToFront());
  }

  select(ids) {
    this.selected = ids;
    (this.mark || []).forEach((line) => line.remove());
    this.mark = [];
    const entry = this.layers.get("grids");
    if (!entry) return;
    for (const id of ids) {
      const feature = entry.held.features.get(id);
      if (!feature) continue;
      const points = decode("area", feature.g);
      const base = { fill: false, interactive: false, pane: "gw-mark",
        renderer: this.renderers["gw-mark"] };
      // A dark line in a light one (or the reverse) shows on every fill.
      this.mark.push(
        L.polygon(points, { ...base, weight: 6, color: this.isDark ? "#0d0f11" : "#ffffff" }),
        L.polygon(points, { ...base, weight: 2.6, color: this.isDark ? "#ffe66d" : "#111418" }),
      );
    }
    this.mark.forEach((line) => line.addTo(this.map));
  }

  focus(focus) {
    let corners = focus.bounds ? cornersOf(focus.bounds) : null;
    const entry = this.layers.get(focus.layer);
    if (entry && focus.ids.length) {
      const shapes = focus.ids.map((id) => entry.held.features.get(id)).filter(Boolean)
        .map((feature) => decode(entry.message.kind, feature.g));
      corners = cornersOfDecoded(...shapes) || corners;
    }
    if (corners) this.map.fitBounds(corners, { padding: [70, 70], maxZoom: 17, animate: false });
  }

  fit() {
    const size = this.map.getSize();
    // In a column that is not laid out yet every zoom fits: wait for room.
    this.unfitted = Boolean(this.bounds) && Math.min(size.x, size.y) < 60;
    if (this.bounds && !this.unfitted) {
      // The legend covers the lower left corner; keep the county out from under it.
      const aside = this.legendBox.hidden ? 14 : this.legendBox.offsetWidth * 0.5;
      this.fitting = true;
      this.map.fitBounds(cornersOf(this.bounds), { paddingTopLeft: [aside, 14],
        paddingBottomRight: [14, 24], animate: false });
      this.fitting = false;
      this.whole = true;
    }
  }

  recolour() {
    if (!this.words) return;
    const dark = this.dark();
    if (dark === this.isDark) return;
    this.isDark = dark;
    this.root.classList.toggle("gw-dark", dark);
    this.restyle();
    this.select(this.selected);
    this.drawLegend();
    this.report();
  }

  restyle() {
    for (const entry of this.layers.values()) {
      if (entry.message.style === "label") continue;
      for (const [id, shape] of entry.shapes) {
        shape.setStyle(styleOf(entry.message.style, entry.held.features.get(id), this.context()));
      }
    }
  }

  drawLegend() {
    fillLegend(this.legendBox, this.legend, this.isDark, this.colourBy, (chosen) => {
      this.colourBy = chosen;
      this.restyle();
    });
  }

  drawSwitches() {
    const present = this.order.map((id) => this.layers.get(id)).filter(Boolean);
    const items = switches(present.map((entry) => entry.message));
    fillSwitches(this.switchBox, this.words.layers || "", items, this.hidden,
      () => this.showLayers());
  }

  remove() {
    this.join("");
    window.clearTimeout(this.ahead);
    this.parts.reset(null);
    this.watcher.disconnect();
    this.themeWatcher.disconnect();
    this.scheme.removeEventListener("change", this.onScheme);
    this.map.off();
    this.root.remove();
    // A zoom under way ends by itself a quarter of a second later, and needs its map until then.
    window.setTimeout(() => this.map.remove(), 400);
  }
}

export default function mount(component) {
  const { data, parentElement, setTriggerValue } = component;
  let board = boards.get(parentElement);
  if (!board) {
    board = new Board(parentElement);
    boards.set(parentElement, board);
  }
  board.send = setTriggerValue;
  if (data) {
    const message = JSON.parse(new TextDecoder().decode(data));
    if (!board.read(message)) setTriggerValue("resync", true);
  }
  return () => {
    // Called at unmounting; a rerun that keeps the element keeps the map.
    window.setTimeout(() => {
      if (!parentElement.isConnected && boards.get(parentElement) === board) {
        boards.delete(parentElement);
        board.remove();
      }
    }, 0);
  };
}
