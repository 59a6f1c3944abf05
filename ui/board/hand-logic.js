// What the planner's board knows without a browser: units, hits, borders, flows, keys.
// Pure functions only, tested by hand-logic.test.js; hand.js listens, hand-canvas.js draws.

/** One run of whole numbers [x0, y0, dx, dy, ...] -> [x0, y0, x1, y1, ...]. */
export function absolute(run) {
  const flat = new Int32Array(run.length);
  let x = 0;
  let y = 0;
  for (let i = 0; i < run.length; i += 2) {
    x += run[i];
    y += run[i + 1];
    flat[i] = x;
    flat[i + 1] = y;
  }
  return flat;
}

/** Encoded areas (ui/map/encode.py) -> [{rings: [flat, ...], box: [w, s, e, n]}]. */
export function readUnits(encoded) {
  return encoded.map((polygons) => {
    const rings = polygons.flatMap((rings_) => rings_.map(absolute));
    const box = [Infinity, Infinity, -Infinity, -Infinity];
    for (const ring of rings) {
      for (let i = 0; i < ring.length; i += 2) {
        box[0] = Math.min(box[0], ring[i]);
        box[1] = Math.min(box[1], ring[i + 1]);
        box[2] = Math.max(box[2], ring[i]);
        box[3] = Math.max(box[3], ring[i + 1]);
      }
    }
    return { rings, box };
  });
}

/** Even-odd: is the point inside the rings? Holes are rings too. */
export function contains(rings, x, y) {
  let inside = false;
  for (const ring of rings) {
    const last = ring.length - 2;
    for (let i = 0, j = last; i <= last; j = i, i += 2) {
      if (ring[i + 1] > y !== ring[j + 1] > y
        && x < ((ring[j] - ring[i]) * (y - ring[i + 1])) / (ring[j + 1] - ring[i + 1]) + ring[i]) {
        inside = !inside;
      }
    }
  }
  return inside;
}

/** The unit a point lies in, -1 outside all of them. */
export function unitAt(units, x, y) {
  for (let i = 0; i < units.length; i += 1) {
    const [w, s, e, n] = units[i].box;
    if (x >= w && x <= e && y >= s && y <= n && contains(units[i].rings, x, y)) return i;
  }
  return -1;
}

/** Stretches of border: flat [left, right (-1 outside), x1, y1, x2, y2, ...]. */
export function bordersOf(units) {
  const first = new Map();
  const rows = [];
  units.forEach((unit, owner) => {
    for (const ring of unit.rings) {
      for (let i = 0; i + 3 < ring.length; i += 2) {
        const [x1, y1, x2, y2] = [ring[i], ring[i + 1], ring[i + 2], ring[i + 3]];
        const key = x1 < x2 || (x1 === x2 && y1 < y2) ? `${x1},${y1},${x2},${y2}`
          : `${x2},${y2},${x1},${y1}`;
        const at = first.get(key);
        if (at === undefined) {
          first.set(key, rows.length);
          rows.push(owner, -1, x1, y1, x2, y2);
        } else if (rows[at] !== owner) {
          rows[at + 1] = owner;
        }
      }
    }
  });
  return Int32Array.from(rows);
}

/** Neighbours of every unit, by shared border: [Set, ...]. */
export function neighboursOf(borders, n) {
  const near = Array.from({ length: n }, () => new Set());
  for (let i = 0; i < borders.length; i += 6) {
    const [a, b] = [borders[i], borders[i + 1]];
    if (b >= 0) {
      near[a].add(b);
      near[b].add(a);
    }
  }
  return near;
}

/** Units whose place lies in a box; places is flat [x0, y0, x1, ...]. */
export function unitsInBox(places, [x1, y1], [x2, y2]) {
  const found = [];
  for (let i = 0; i < places.length; i += 2) {
    if (places[i] >= Math.min(x1, x2) && places[i] <= Math.max(x1, x2)
      && places[i + 1] >= Math.min(y1, y2) && places[i + 1] <= Math.max(y1, y2)) found.push(i / 2);
  }
  return found;
}

/** Units whose place lies inside a drawn loop [[x, y], ...]. */
export function unitsInLoop(places, loop) {
  const ring = loop.flat();
  const found = [];
  for (let i = 0; i < places.length; i += 2) {
    if (contains([ring], places[i], places[i + 1])) found.push(i / 2);
  }
  return found;
}

/** Distance of a point from the stretch a-b; xScale shortens degrees of longitude to latitude's. */
function away(x, y, a, b, xScale) {
  const [dx, dy] = [(b[0] - a[0]) * xScale, b[1] - a[1]];
  const [px, py] = [(x - a[0]) * xScale, y - a[1]];
  const square = dx * dx + dy * dy;
  const t = square ? Math.max(0, Math.min(1, (px * dx + py * dy) / square)) : 0;
  return Math.hypot(px - t * dx, py - t * dy);
}

/** Units whose place is within reach of the stretch a-b: what a brush drawn along it touches. */
export function unitsNear(places, a, b, reach, xScale) {
  const found = [];
  for (let i = 0; i < places.length; i += 2) {
    if (away(places[i], places[i + 1], a, b, xScale) <= reach) found.push(i / 2);
  }
  return found;
}

/** Of the candidates, those joined to grid `to` by border, over candidates: no stray is made. */
export function joined(candidates, label, to, near) {
  const open = new Set(candidates);
  const taken = [];
  let edge = candidates.filter((u) => [...near[u]].some((v) => label[v] === to));
  while (edge.length) {
    const next = [];
    for (const unit of edge) {
      if (!open.delete(unit)) continue;
      taken.push(unit);
      for (const other of near[unit]) if (open.has(other)) next.push(other);
    }
    edge = next;
  }
  return taken.sort((a, b) => a - b);
}

/**
 * A border pulled from `start` to `now` between grids a and b: {units, to}.
 *
 * The grid that `now` lies in loses: those of its units that the pull passes, and that touch the
 * other grid, flow over. Anywhere else nothing flows.
 */
export function flow({ places, label, near, a, b, start, now, under, xScale }) {
  if (under !== a && under !== b) return { units: [], to: a };
  const to = under === a ? b : a;
  const reach = 0.6 * Math.hypot((now[0] - start[0]) * xScale, now[1] - start[1]);
  const passed = unitsNear(places, start, now, reach, xScale).filter((u) => label[u] === under);
  return { units: joined(passed, label, to, near), to };
}

/** The grid on the other side of the border nearest to a point: {grid, distance} or null. */
export function nearestBorder(borders, label, own, point, xScale) {
  let best = null;
  for (let i = 0; i < borders.length; i += 6) {
    const right = borders[i + 1];
    if (right < 0) continue;
    const [p, q] = [label[borders[i]], label[right]];
    if (p === q || (p !== own && q !== own)) continue;
    const distance = away(point[0], point[1], [borders[i + 2], borders[i + 3]],
      [borders[i + 4], borders[i + 5]], xScale);
    if (!best || distance < best.distance) best = { grid: p === own ? q : p, distance };
  }
  return best;
}

/** Sums by grid: Map(key -> {units, households, persons (-1 unknown)}). */
export function totals(label, households, persons) {
  const sums = new Map();
  label.forEach((key, u) => {
    const sum = sums.get(key) || { units: 0, households: 0, persons: 0 };
    sum.units += 1;
    sum.households += households[u];
    sum.persons = persons[u] < 0 || sum.persons < 0 ? -1 : sum.persons + persons[u];
    sums.set(key, sum);
  });
  return sums;
}

/** Sum over some units: {units, households, persons}. */
export function sumOf(units, households, persons) {
  return totals([...units].map(() => 0), [...units].map((u) => households[u]),
    [...units].map((u) => persons[u])).get(0) || { units: 0, households: 0, persons: 0 };
}

/** The chosen after one more choice; how: "replace", "toggle" or "add". */
export function choose(chosen, found, how) {
  if (how === "replace") return new Set(found);
  const next = new Set(chosen);
  for (const one of found) {
    if (how === "toggle" && next.has(one)) next.delete(one);
    else next.add(one);
  }
  return next;
}

/** Bring held labels to the message's: null when they belong to another version. */
export function applyLabels(held, state) {
  if (state.labels) return { version: state.version, label: Int32Array.from(state.labels) };
  if (!held) return null;
  if (held.version === state.version) return held;
  if (held.version !== state.base) return null;
  const label = Int32Array.from(held.label);
  for (const [key, units] of state.changed) for (const unit of units) label[unit] = key;
  return { version: state.version, label };
}

/** A colour number for every key, kept where it was; new keys take what neighbours leave free. */
export function colourNumbers(before, keys, label, borders, room) {
  const numbers = new Map(keys.filter((key) => before.has(key)).map((k) => [k, before.get(k)]));
  const beside = new Map(keys.map((key) => [key, new Set()]));
  for (let i = 0; i < borders.length; i += 6) {
    if (borders[i + 1] < 0) continue;
    const [p, q] = [label[borders[i]], label[borders[i + 1]]];
    if (p !== q) {
      beside.get(p)?.add(q);
      beside.get(q)?.add(p);
    }
  }
  for (const key of keys) {
    if (numbers.has(key)) continue;
    const count = Array.from({ length: room }, () => 0);
    for (const number of numbers.values()) count[number] += 1;
    for (const other of beside.get(key)) {
      if (numbers.has(other)) count[numbers.get(other)] += 1000;
    }
    numbers.set(key, count.indexOf(Math.min(...count)));
  }
  return numbers;
}

/** The neighbouring unit in a direction [dx, dy], for choosing by keyboard; itself if none. */
export function stepTo(from, direction, places, near, xScale) {
  let best = from;
  let least = Infinity;
  for (const other of near[from]) {
    const dx = (places[2 * other] - places[2 * from]) * xScale;
    const dy = places[2 * other + 1] - places[2 * from + 1];
    const along = dx * direction[0] + dy * direction[1];
    const cost = Math.hypot(dx, dy) * (1.5 - along / Math.hypot(dx, dy));
    if (along > 0 && cost < least) {
      least = cost;
      best = other;
    }
  }
  return best;
}

export const TOOLS = { v: "pick", r: "box", l: "lasso", t: "give", b: "brush", d: "drag",
  o: "draw", k: "cut" };
export const ACTIONS = { m: "merge", s: "split", e: "balance", n: "new", f: "rename",
  i: "tidy", p: "propose", g: "number", x: "lock", u: "unlock", c: "kind", w: "explain", h: "units",
  q: "through" };

/** Places along a drawn path, so close that none of what it crosses is missed by much. */
export function alongPath(path) {
  const found = [path[0]];
  for (let i = 1; i < path.length; i += 1) {
    const [a, b] = [path[i - 1], path[i]];
    const n = path.length > 40 ? 1 : 12;
    for (let k = 1; k <= n; k += 1) {
      found.push([a[0] + ((b[0] - a[0]) * k) / n, a[1] + ((b[1] - a[1]) * k) / n]);
    }
  }
  return found;
}

const PEN = { " ": "place", Enter: "finish", Backspace: "take_back" };

/**
 * What a key asks for: {tool}, {action}, {step: [dx, dy]}, {pen: [dx, dy], fine} or null.
 *
 * `drawing`: a tool that draws is in hand, so arrows, Space, Enter and Backspace draw.
 */
export function keyMeaning({ key, ctrl, shift, alt, drawing }) {
  const low = key.length === 1 ? key.toLowerCase() : key;
  if (ctrl) {
    if (low === "z") return { action: shift ? "redo" : "undo" };
    if (low === "y") return { action: "redo" };
    if (low === "a") return { action: "all" };
    return null;
  }
  const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
  if (alt) return steps[key] ? { step: steps[key] } : null;
  if (drawing && steps[key]) return { pen: steps[key], fine: Boolean(shift) };
  if (drawing && PEN[key]) return { action: PEN[key] };
  if (key === "Escape") return { action: "escape" };
  if (key === "Enter" || key === " ") return { action: key === " " ? "toggle" : "enter" };
  if (key === "?") return { action: "help" };
  if (shift && low === "x") return { action: "lock_all" };
  if (shift && low === "u") return { action: "unlock_all" };
  if (TOOLS[low]) return { tool: TOOLS[low] };
  if (ACTIONS[low]) return { action: ACTIONS[low] };
  return null;
}

/** 12345 -> "12,345"; a dash for what is not known. */
export function whole(value) {
  return value === null || value === undefined || value < 0 ? "—"
    : Math.round(value).toLocaleString("en-US");
}

/** 0.043 -> "+4 %", with a real minus sign. */
export function percent(value) {
  if (value === null || value === undefined) return "—";
  const number = Math.round(value * 100);
  return `${number > 0 ? "+" : ""}${number}`.replace("-", "−") + " %";
}
