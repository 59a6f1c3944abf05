// Draws one village on a canvas of Leaflet's map: units, grids, context, what is chosen.
// Shapes are made once a village; a redraw fills and strokes them with another scale.

const BASE = 20; // zoom in whose pixels shapes are kept
const PADDING = 0.25; // of the map's size, drawn beyond its edge for panning

export const PALETTE = {
  light: ["#a9c9e6", "#f2d0a4", "#b9d8b4", "#d9c3e0", "#f0e3a0", "#b5dcd8", "#e6bcbc", "#c9cdb4"],
  dark: ["#31567c", "#7a5527", "#3c6438", "#5e4769", "#6b6122", "#2d6560", "#713f3f", "#55593c"],
};

export class Sheet {
  constructor(map) {
    this.map = map;
    this.canvas = L.DomUtil.create("canvas", "gw-sheet leaflet-zoom-hide");
    map.getPanes().overlayPane.appendChild(this.canvas);
    this.context = this.canvas.getContext("2d");
    this.onMove = () => this.reset();
    map.on("moveend zoomend resize viewreset", this.onMove);
  }

  /** Micro-degrees -> pixels of zoom 20, from the village's corner. */
  place(x, y) {
    const point = this.map.project([y / 1e6, x / 1e6], BASE);
    return [point.x - this.origin.x, point.y - this.origin.y];
  }

  trace(path, flat, close) {
    for (let i = 0; i < flat.length; i += 2) {
      const [x, y] = this.place(flat[i], flat[i + 1]);
      if (i === 0) path.moveTo(x, y);
      else path.lineTo(x, y);
    }
    if (close) path.closePath();
  }

  setGround(units, places, borders, context) {
    this.state = null; // what was shown is of other units
    const west = Math.min(...units.map((unit) => unit.box[0]));
    const north = Math.max(...units.map((unit) => unit.box[3]));
    this.origin = this.map.project([north / 1e6, west / 1e6], BASE);
    this.shapes = units.map((unit) => {
      const path = new Path2D();
      unit.rings.forEach((ring) => this.trace(path, ring, true));
      return path;
    });
    this.web = new Path2D();
    this.shapes.forEach((shape) => this.web.addPath(shape));
    this.borders = borders;
    this.ends = new Float64Array((borders.length / 6) * 4);
    for (let i = 0; i < borders.length / 6; i += 1) {
      this.ends.set(this.place(borders[6 * i + 2], borders[6 * i + 3]), 4 * i);
      this.ends.set(this.place(borders[6 * i + 4], borders[6 * i + 5]), 4 * i + 2);
    }
    this.dots = [];
    for (let i = 0; i < places.length; i += 2) {
      this.dots.push(this.place(places[i], places[i + 1]));
    }
    this.lines = context.map(({ style, area, runs }) => {
      const path = new Path2D();
      runs.forEach((run) => this.trace(path, run, area));
      return { style, area, path };
    });
    this.grids = new Map();
    this.labelDrawn = null;
  }

  /** Paths of the grids, made anew for those whose units changed. */
  gridPaths(label) {
    if (this.labelDrawn === label) return;
    const stale = new Set();
    label.forEach((key, u) => {
      const was = this.labelDrawn ? this.labelDrawn[u] : undefined;
      if (was !== key) stale.add(key).add(was);
    });
    for (const key of stale) this.grids.delete(key);
    const made = new Map();
    label.forEach((key, u) => {
      if (!stale.has(key)) return;
      if (!made.has(key)) made.set(key, new Path2D());
      made.get(key).addPath(this.shapes[u]);
    });
    for (const [key, path] of made) this.grids.set(key, path);
    this.labelDrawn = label;
  }

  reset() {
    if (!this.shapes) return;
    const size = this.map.getSize();
    const ratio = window.devicePixelRatio || 1;
    const [w, h] = [size.x * (1 + 2 * PADDING), size.y * (1 + 2 * PADDING)];
    const corner = this.map.containerPointToLayerPoint([-size.x * PADDING, -size.y * PADDING]);
    L.DomUtil.setPosition(this.canvas, corner);
    if (this.canvas.width !== Math.round(w * ratio) || this.canvas.height !== Math.round(h * ratio)) {
      this.canvas.width = Math.round(w * ratio);
      this.canvas.height = Math.round(h * ratio);
      this.canvas.style.width = `${w}px`;
      this.canvas.style.height = `${h}px`;
    }
    const scale = this.map.getZoomScale(this.map.getZoom(), BASE);
    const at = this.map.project(this.map.unproject(this.origin, BASE)).subtract(
      this.map.getPixelOrigin()).subtract(corner);
    this.scale = scale;
    this.matrix = [ratio * scale, 0, 0, ratio * scale, ratio * at.x, ratio * at.y];
    this.draw();
  }

  show(state) {
    this.state = state;
    if (this.shapes && !this.matrix) this.reset();
    else this.draw();
  }

  draw() {
    const { state, context: ctx } = this;
    if (!state || !state.label || !this.matrix) return;
    ctx.setTransform(1, 0, 0, 1, 0, 0);
    ctx.clearRect(0, 0, this.canvas.width, this.canvas.height);
    ctx.setTransform(...this.matrix);
    const px = 1 / this.scale;
    ctx.lineJoin = "round";
    ctx.lineCap = "round";
    this.gridPaths(state.label);
    for (const [key, path] of this.grids) {
      ctx.fillStyle = state.fill(key);
      ctx.strokeStyle = ctx.fillStyle; // closes the hairlines between units
      ctx.lineWidth = px;
      ctx.fill(path, "evenodd");
      ctx.stroke(path);
    }
    if (state.showUnits) {
      ctx.strokeStyle = state.dark ? "rgba(230,232,235,0.22)" : "rgba(30,34,40,0.2)";
      ctx.lineWidth = 0.7 * px;
      ctx.stroke(this.web);
    }
    this.drawContext(ctx, state, px);
    this.drawBorders(ctx, state, px);
    this.drawChosen(ctx, state, px);
    if (state.showDots) this.drawDots(ctx, state, px);
    this.drawMarks(ctx, state, px);
  }

  drawContext(ctx, state, px) {
    for (const { style, area, path } of this.lines) {
      const look = state.contextStyle(style);
      ctx.globalAlpha = look.opacity ?? 1;
      ctx.setLineDash((look.dashArray || "").split(" ").filter(Boolean).map((d) => Number(d) * px));
      if (area && look.fill) {
        ctx.fillStyle = look.fillColor;
        ctx.fill(path, "evenodd");
      }
      ctx.strokeStyle = look.color;
      ctx.lineWidth = look.weight * px;
      ctx.stroke(path);
    }
    ctx.setLineDash([]);
    ctx.globalAlpha = 1;
  }

  drawBorders(ctx, state, px) {
    const { borders, ends } = this;
    const inner = new Path2D();
    const outer = new Path2D();
    for (let i = 0, j = 0; i < borders.length; i += 6, j += 4) {
      const path = borders[i + 1] < 0 ? outer
        : state.label[borders[i]] !== state.label[borders[i + 1]] ? inner : null;
      if (!path) continue;
      path.moveTo(ends[j], ends[j + 1]);
      path.lineTo(ends[j + 2], ends[j + 3]);
    }
    ctx.strokeStyle = state.dark ? "#e8eaed" : "#2b2f36";
    ctx.lineWidth = 2 * px;
    ctx.stroke(inner);
    ctx.lineWidth = 2.6 * px;
    ctx.stroke(outer);
  }

  drawChosen(ctx, state, px) {
    for (const key of state.grids) {
      const path = new Path2D();
      const { borders, ends } = this;
      for (let i = 0, j = 0; i < borders.length; i += 6, j += 4) {
        const inside = state.label[borders[i]] === key;
        if (inside === (borders[i + 1] >= 0 && state.label[borders[i + 1]] === key)) continue;
        path.moveTo(ends[j], ends[j + 1]);
        path.lineTo(ends[j + 2], ends[j + 3]);
      }
      ctx.strokeStyle = state.dark ? "#0d0f11" : "#ffffff";
      ctx.lineWidth = 7 * px;
      ctx.stroke(path);
      ctx.strokeStyle = state.dark ? "#ffe66d" : "#b3124f";
      ctx.lineWidth = 3.2 * px;
      ctx.stroke(path);
    }
    if (state.units.size) {
      const path = new Path2D();
      for (const unit of state.units) path.addPath(this.shapes[unit]);
      ctx.fillStyle = state.dark ? "rgba(255,230,109,0.42)" : "rgba(179,18,79,0.34)";
      ctx.fill(path, "evenodd");
      ctx.strokeStyle = state.dark ? "#ffe66d" : "#b3124f";
      ctx.lineWidth = 1.4 * px;
      ctx.stroke(path);
    }
    if (state.cursor >= 0) {
      ctx.strokeStyle = state.dark ? "#ffffff" : "#111418";
      ctx.setLineDash([4 * px, 3 * px]);
      ctx.lineWidth = 2.2 * px;
      ctx.stroke(this.shapes[state.cursor]);
      ctx.setLineDash([]);
    }
  }

  drawDots(ctx, state, px) {
    ctx.fillStyle = state.dark ? "rgba(242,243,245,0.75)" : "rgba(31,35,40,0.65)";
    ctx.beginPath();
    this.dots.forEach(([x, y], u) => {
      if (!state.households[u]) return;
      const radius = Math.min(6, 0.9 + 0.45 * Math.sqrt(state.households[u])) * px;
      ctx.moveTo(x + radius, y);
      ctx.arc(x, y, radius, 0, 2 * Math.PI);
    });
    ctx.fill();
  }

  /** A plate on each grid: number, households, a lock, a red rim where something is wrong. */
  drawMarks(ctx, state, px) {
    ctx.textAlign = "center";
    ctx.textBaseline = "middle";
    for (const plate of state.plates) {
      const [x, y] = this.dots[plate.unit];
      ctx.font = `600 ${12 * px}px sans-serif`;
      const width = ctx.measureText(plate.text).width + (plate.locked ? 24 : 10) * px;
      const height = 18 * px;
      ctx.fillStyle = state.dark ? "rgba(20,22,26,0.88)" : "rgba(255,255,255,0.9)";
      ctx.strokeStyle = plate.wrong ? (state.dark ? "#ff7fb0" : "#b3124f")
        : (state.dark ? "#3a3f46" : "#b9bdc4");
      ctx.lineWidth = (plate.wrong ? 2 : 1) * px;
      ctx.beginPath();
      ctx.rect(x - width / 2, y - height / 2, width, height);
      ctx.fill();
      ctx.stroke();
      ctx.fillStyle = state.dark ? "#e6e8eb" : "#23262b";
      ctx.fillText(plate.text, x + (plate.locked ? 6 : 0) * px, y + 0.5 * px);
      if (plate.locked) this.padlock(ctx, x - width / 2 + 9 * px, y, px);
    }
  }

  padlock(ctx, x, y, px) {
    ctx.fillRect(x - 4 * px, y - 1 * px, 8 * px, 6 * px);
    ctx.strokeStyle = ctx.fillStyle;
    ctx.lineWidth = 1.5 * px;
    ctx.beginPath();
    ctx.arc(x, y - 1 * px, 2.8 * px, Math.PI, 0);
    ctx.stroke();
  }

  remove() {
    this.map.off("moveend zoomend resize viewreset", this.onMove);
    this.canvas.remove();
  }
}
