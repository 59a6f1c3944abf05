import assert from "node:assert/strict";
import { test } from "node:test";

import {
  absolute, ACTIONS, alongPath, applyLabels, bordersOf, choose, colourNumbers, contains, flow, joined,
  keyMeaning, nearestBorder, neighboursOf, percent, readUnits, stepTo, sumOf, TOOLS, totals, unitAt,
  unitsInBox, unitsInLoop, unitsNear, whole,
} from "./hand-logic.js";

// four squares of 10 in a row: 0 1 2 3
const square = (x) => [[[x, 0, 10, 0, 0, 10, -10, 0, 0, -10]]];
const units = readUnits([0, 10, 20, 30].map(square));
const places = [5, 5, 15, 5, 25, 5, 35, 5];
const borders = bordersOf(units);
const near = neighboursOf(borders, 4);

test("a run becomes absolute coordinates and a box", () => {
  assert.deepEqual([...absolute([5, 6, 1, -1])], [5, 6, 6, 5]);
  assert.deepEqual(units[1].box, [10, 0, 20, 10]);
});

test("a point is in one unit or in none", () => {
  assert.equal(unitAt(units, 12, 3), 1);
  assert.equal(unitAt(units, 45, 3), -1);
});

test("a hole is outside", () => {
  const rings = [[0, 0, 10, 0, 10, 10, 0, 10, 0, 0], [4, 4, 6, 4, 6, 6, 4, 6, 4, 4]];
  assert.equal(contains(rings, 5, 5), false);
  assert.equal(contains(rings, 2, 5), true);
});

test("each stretch of border occurs once, with both sides", () => {
  assert.equal(borders.length / 6, 13);
  assert.deepEqual(near.map((set) => [...set].sort()), [[1], [0, 2], [1, 3], [2]]);
});

test("rectangle, loop and brush find units by their place", () => {
  assert.deepEqual(unitsInBox(places, [18, 9], [2, 1]), [0, 1]);
  assert.deepEqual(unitsInLoop(places, [[10, 0], [30, 0], [30, 10], [10, 10]]), [1, 2]);
  assert.deepEqual(unitsNear(places, [0, 5], [20, 5], 3, 1), [0, 1]);
  assert.deepEqual(unitsNear(places, [5, 9], [5, 9], 4, 1), [0]);
});

test("only what touches the grid flows to it", () => {
  assert.deepEqual(joined([1, 2], [7, 8, 8, 8], 7, near), [1, 2]);
  assert.deepEqual(joined([2, 3], [7, 8, 8, 8], 7, near), []);
});

test("a border pulled into the other grid takes its units, pulled back gives them", () => {
  const asked = { places, label: [7, 7, 8, 8], near, a: 7, b: 8, start: [20, 5], xScale: 1 };
  assert.deepEqual(flow({ ...asked, now: [26, 5], under: 8 }), { units: [2], to: 7 });
  assert.deepEqual(flow({ ...asked, now: [36, 5], under: 8 }), { units: [2, 3], to: 7 });
  assert.deepEqual(flow({ ...asked, now: [14, 5], under: 7 }), { units: [1], to: 8 });
  assert.deepEqual(flow({ ...asked, now: [14, 5], under: 9 }).units, []);
});

test("the nearest border names the grid beyond it", () => {
  assert.deepEqual(nearestBorder(borders, [7, 7, 8, 8], 7, [17, 5], 1), { grid: 8, distance: 3 });
  assert.equal(nearestBorder(borders, [7, 7, 7, 7], 7, [17, 5], 1), null);
});

test("totals are sums, persons unknown when one is", () => {
  const sums = totals([7, 7, 8], [3, 4, 5], [6, 8, -1]);
  assert.deepEqual(sums.get(7), { units: 2, households: 7, persons: 14 });
  assert.equal(sums.get(8).persons, -1);
  assert.deepEqual(sumOf(new Set([0, 2]), [3, 4, 5], [1, 1, 1]),
    { units: 2, households: 8, persons: 2 });
  assert.deepEqual(sumOf(new Set(), [], []), { units: 0, households: 0, persons: 0 });
});

test("choosing replaces, adds, or toggles", () => {
  const chosen = new Set([1, 2]);
  assert.deepEqual([...choose(chosen, [3], "replace")], [3]);
  assert.deepEqual([...choose(chosen, [2, 3], "toggle")], [1, 3]);
  assert.deepEqual([...choose(chosen, [2, 3], "add")], [1, 2, 3]);
  assert.equal(chosen.size, 2);
});

test("labels follow differences of their own version only", () => {
  const full = applyLabels(null, { version: "a:1", labels: [7, 7, 8] });
  const next = applyLabels(full, { version: "a:2", base: "a:1", changed: [[8, [0]]] });
  assert.deepEqual([...next.label], [8, 7, 8]);
  assert.deepEqual([...full.label], [7, 7, 8]);
  assert.equal(applyLabels(next, { version: "a:4", base: "a:3", changed: [] }), null);
  assert.equal(applyLabels(next, { version: "a:2", base: "a:1", changed: [[9, [1]]] }), next);
  assert.equal(applyLabels(null, { version: "a:2", base: "a:1", changed: [] }), null);
});

test("neighbours differ in colour and a colour stays with its grid", () => {
  const numbers = colourNumbers(new Map([[8, 4]]), [7, 8, 9], [7, 8, 9, 9], borders, 5);
  assert.equal(numbers.get(8), 4);
  assert.notEqual(numbers.get(7), 4);
  assert.notEqual(numbers.get(9), 4);
});

test("arrows go to the neighbour on that side", () => {
  assert.equal(stepTo(1, [1, 0], places, near, 1), 2);
  assert.equal(stepTo(1, [-1, 0], places, near, 1), 0);
  assert.equal(stepTo(3, [1, 0], places, near, 1), 3);
});

test("keys mean what the list says, and none means two things", () => {
  const key = (name, more = {}) => keyMeaning({ key: name, ...more });
  assert.deepEqual(key("z", { ctrl: true }), { action: "undo" });
  assert.deepEqual(key("Z", { ctrl: true, shift: true }), { action: "redo" });
  assert.deepEqual(key("b"), { tool: "brush" });
  assert.deepEqual(key("M"), { action: "merge" });
  assert.deepEqual(key("X", { shift: true }), { action: "lock_all" });
  assert.deepEqual(key("ArrowUp", { alt: true }), { step: [0, 1] });
  assert.equal(key("ArrowUp"), null);
  assert.equal(key("c", { ctrl: true }), null);
  const all = [...Object.keys(TOOLS), ...Object.keys(ACTIONS)];
  assert.equal(new Set(all).size, all.length);
});

test("with a tool that draws, arrows move the pen and Space, Enter, Backspace draw", () => {
  const key = (name, more = {}) => keyMeaning({ key: name, drawing: true, ...more });
  assert.deepEqual(key("ArrowUp"), { pen: [0, 1], fine: false });
  assert.deepEqual(key("ArrowLeft", { shift: true }), { pen: [-1, 0], fine: true });
  assert.deepEqual(key("ArrowUp", { alt: true }), { step: [0, 1] });
  assert.deepEqual([" ", "Enter", "Backspace"].map((name) => key(name).action),
    ["place", "finish", "take_back"]);
  assert.deepEqual(keyMeaning({ key: " " }), { action: "toggle" });
  assert.equal(keyMeaning({ key: "Backspace" }), null);
  assert.deepEqual(key("q"), { action: "through" });
  assert.deepEqual(key("Escape"), { action: "escape" });
});

test("a path of few corners is looked at between them", () => {
  const along = alongPath([[0, 0], [12, 0], [12, 24]]);
  assert.equal(along.length, 25);
  assert.deepEqual(along[1], [1, 0]);
  assert.deepEqual(along[24], [12, 24]);
  assert.deepEqual(alongPath([[3, 4]]), [[3, 4]]);
});

test("numbers read as everywhere in the program", () => {
  assert.equal(whole(12345), "12,345");
  assert.equal(whole(-1), "—");
  assert.equal(percent(-0.043), "−4 %");
  assert.equal(percent(0.1), "+10 %");
  assert.equal(percent(0), "0 %");
  assert.equal(percent(null), "—");
});
