// What the board knows without a browser: decoding, differences, classes, styles.
// Pure functions only, tested by logic.test.js; board.js does the drawing.

export const SCALE = 1e6; // the same number stands in ui/map/encode.py

/** One run of whole numbers [x0, y0, dx, dy, ...] -> [[lat, lng], ...], Leaflet's order. */
export function decodeRun(run) {
  const points = new Array(run.length / 2);
  let x = 0;
  let y = 0;
  for (let i = 0; i < run.length; i += 2) {
    x += run[i];
    y += run[i + 1];
    points[i / 2] = [y / SCALE, x / SCALE];
  }
  return points;
}

/** Geometry of a feature in Leaflet's nesting, by the layer's kind. */
export function decode(kind, g) {
  if (kind === "point") return [g[1] / SCALE, g[0] / SCALE];
  if (kind === "line") return g.map(decodeRun);
  return g.map((polygon) => polygon.map(decodeRun));
}

/**
 * Bring the held copy of one layer to the message's version.
 *
 * held: {version, features: Map(id -> feature)} or undefined.
 * Returns {held, changed: [ids], removed: [ids], resync}: with resync true nothing was applied,
 * because the message starts from a version that is not the one held.
 */
export function applyLayer(held, message) {
  if (held && held.version === message.version) {
    return { held, changed: [], removed: [], resync: false };
  }
  if (message.base && (!held || held.version !== message.base)) {
    return { held, changed: [], removed: [], resync: true };
  }
  const features = message.base ? new Map(held.features) : new Map();
  const removed = message.base ? message.remove : held ? [...held.features.keys()] : [];
  for (const id of message.base ? message.remove : []) features.delete(id);
  const changed = [];
  for (const feature of message.upsert) {
    features.set(feature.i, feature);
    changed.push(feature.i);
  }
  const gone = removed.filter((id) => !features.has(id));
  return { held: { version: message.version, features }, changed, removed: gone, resync: false };
}

/** Layers under one switch, in the order they came: [{label, ids, shown}]. */
export function switches(layers) {
  const byLabel = new Map();
  for (const layer of layers) {
    if (!layer.label) continue;
    const entry = byLabel.get(layer.label) || { label: layer.label, ids: [], shown: layer.shown };
    entry.ids.push(layer.id);
    byLabel.set(layer.label, entry);
  }
  return [...byLabel.values()];
}

/** Is this CSS colour (rgb(...) or #rrggbb) nearer to black than to white? */
export function isDark(colour) {
  const text = String(colour || "").trim();
  let rgb = null;
  const hex = /^#([0-9a-f]{6})/i.exec(text);
  if (hex) {
    const n = parseInt(hex[1], 16);
    rgb = [n >> 16, (n >> 8) & 255, n & 255];
  } else if (/^#[0-9a-f]{3}$/i.test(text)) {
    rgb = [...text.slice(1)].map((c) => parseInt(c + c, 16));
  } else {
    const parts = text.match(/[\d.]+/g);
    if (parts && parts.length >= 3) rgb = parts.slice(0, 3).map(Number);
  }
  if (!rgb) return false;
  return 0.2126 * rgb[0] + 0.7152 * rgb[1] + 0.0722 * rgb[2] < 128;
}

const INK = { light: "#33373d", dark: "#d9dce1" };

/** Colour of a class, or of "no value". */
export function classColour(legend, number, dark) {
  const ramp = (dark ? legend.dark : legend.light) || [];
  if (number >= 0 && number < ramp.length) return ramp[number];
  return dark ? legend.noneDark : legend.noneLight;
}

/**
 * Leaflet path options of one feature.
 *
 * context: {dark, legend, colourBy: index into feature.c}.
 */
export function styleOf(style, feature, context) {
  const dark = context.dark;
  const ink = dark ? INK.dark : INK.light;
  switch (style) {
    case "grid": {
      const number = feature.c ? feature.c[context.colourBy] : -1;
      return {
        stroke: true, color: dark ? "#15171a" : "#5f6670", weight: 0.8, opacity: 0.9,
        fill: true, fillColor: classColour(context.legend, number, dark), fillOpacity: 0.86,
      };
    }
    case "unit":
      return { stroke: true, color: ink, weight: 0.5, opacity: 0.45, fill: false };
    case "microGrid": // over its grid: it lets the grid's colour through and takes no click
      return { stroke: true, color: dark ? "#8fd3c4" : "#1d6b5b", weight: 1, opacity: 0.9,
        dashArray: "4 3", fill: false };
    case "village":
      return { stroke: true, color: dark ? "#c9cdd3" : "#23262b", weight: 1.4, opacity: 0.95,
        fill: false };
    case "gridLine":
      return { stroke: true, color: dark ? "#e8eaed" : "#2b2f36", weight: 1.8, opacity: 0.9,
        fill: false };
    case "villageArea":
      return { stroke: true, color: dark ? "#9aa0a8" : "#6a7078", weight: 1.2, opacity: 1,
        fill: true, fillColor: dark ? "#2c3036" : "#e9e8e2", fillOpacity: 0.9 };
    case "household":
      return { stroke: false, fill: true, fillColor: dark ? "#f2f3f5" : "#1f2328",
        fillOpacity: 0.75, radius: Math.min(7, 1.6 + 0.45 * Math.sqrt(feature.n || 1)) };
    case "exception":
      return { stroke: true, color: dark ? "#15171a" : "#ffffff", weight: 1.5, opacity: 1,
        fill: true, fillColor: dark ? "#ff7fb0" : "#b3124f", fillOpacity: 1, radius: 4.5 };
    case "roadMain":
      return { stroke: true, color: dark ? "#c8bfae" : "#8c8474", weight: 1.8, opacity: 0.85,
        fill: false };
    case "roadMinor":
      return { stroke: true, color: dark ? "#a79f90" : "#a39b8b", weight: 0.8, opacity: 0.8,
        fill: false };
    case "water":
      return { stroke: true, color: dark ? "#3f7f93" : "#3c9db5", weight: 1.8, opacity: 0.9,
        fill: false };
    case "waterMinor":
      return { stroke: true, color: dark ? "#3f7f93" : "#3c9db5", weight: 1, opacity: 0.7,
        fill: false };
    case "waterArea":
      return { stroke: true, color: dark ? "#3f7f93" : "#3c9db5", weight: 0.8, opacity: 0.9,
        fill: true, fillColor: dark ? "#24505e" : "#9fd3df", fillOpacity: 0.6 };
    case "railway":
      return { stroke: true, color: ink, weight: 1.6, opacity: 0.85, dashArray: "7 4",
        fill: false };
    case "compound":
      return { stroke: true, color: dark ? "#c792ea" : "#6f3fa0", weight: 1.2, opacity: 0.9,
        dashArray: "3 3", fill: false };
    case "moved":
      return { stroke: true, color: dark ? "#ff8ac1" : "#a3195b", weight: 1.6, opacity: 1,
        fill: true, fillColor: dark ? "#ff8ac1" : "#d6277a", fillOpacity: 0.55 };
    case "choropleth":
      return { stroke: true, color: dark ? "#15171a" : "#5f6670", weight: 0.8, opacity: 0.9,
        fill: true, fillOpacity: 0.86,
        fillColor: classColour(context.legend, feature.c ? feature.c[0] : -1, dark) };
    case "cell":
      return { stroke: false, fill: true, fillOpacity: 0.72,
        fillColor: classColour(context.legend, feature.c ? feature.c[0] : -1, dark) };
    case "movedGrid":
      return { stroke: false, fill: true, fillColor: dark ? "#ff8ac1" : "#d6277a",
        fillOpacity: 0.32 };
    case "beatLine":
      return { stroke: true, color: dark ? "#ffd54a" : "#1d2f6f", weight: 1.8, opacity: 0.95,
        fill: false };
    case "event":
      return { stroke: true, color: dark ? "#15171a" : "#ffffff", weight: 0.6, opacity: 0.9,
        fill: true, fillColor: dark ? "#ffb454" : "#a8441b", fillOpacity: 0.85, radius: 3 };
    case "station":
      return { stroke: true, color: "#ffffff", weight: 2, opacity: 1,
        fill: true, fillColor: "#1d2f6f", fillOpacity: 1, radius: 6 };
    default:
      throw new Error(`unknown style ${style}`);
  }
}

const INTERACTIVE = new Set([
  "grid", "household", "villageArea", "moved", "movedGrid", "choropleth", "cell", "event", "station",
]);

/** Styles whose features answer to the mouse. */
export function isInteractive(style) {
  return INTERACTIVE.has(style);
}

/** [west, south, east, north] -> Leaflet's [[south, west], [north, east]]. */
export function cornersOf(bounds) {
  return [[bounds[1], bounds[0]], [bounds[3], bounds[2]]];
}

/** Bounding corners of decoded geometry of any nesting; null when empty. */
export function cornersOfDecoded(...shapes) {
  let south = Infinity;
  let west = Infinity;
  let north = -Infinity;
  let east = -Infinity;
  const walk = (value) => {
    if (typeof value[0] === "number") {
      south = Math.min(south, value[0]);
      north = Math.max(north, value[0]);
      west = Math.min(west, value[1]);
      east = Math.max(east, value[1]);
    } else {
      value.forEach(walk);
    }
  };
  shapes.forEach(walk);
  return south === Infinity ? null : [[south, west], [north, east]];
}

/** Layers whose switch is on and whose zoom is reached and not passed. */
export function visible(layer, hidden, zoom) {
  return !(layer.label && hidden.has(layer.label)) && zoom >= (layer.minZoom || 0)
    && zoom < (layer.maxZoom || Infinity);
}

/**
 * Names of the parts to ask for next (ui/overview.py tells what they are), nearest first.
 *
 * places: [{code, distance, near}] of the villages in or beside the view; `near` when in view.
 * spec: zooms from which each kind is wanted. held: names that are here or on their way.
 */
export function wantedParts(places, spec, zoom, held, most) {
  const wanted = [];
  for (const place of [...places].sort((a, b) => a.distance - b.distance)) {
    if (zoom >= spec.grids) wanted.push(`g:${place.code}`);
    if (zoom >= spec.context) wanted.push(`c:${place.code}`);
    if (zoom >= spec.near && place.near) wanted.push(`n:${place.code}`);
  }
  return wanted.filter((name) => !held.has(name)).slice(0, most);
}
