import assert from "node:assert/strict";
import { test } from "node:test";

import {
  applyLayer, classColour, cornersOf, cornersOfDecoded, decode, decodeRun, isDark, isInteractive,
  styleOf, switches, visible, wantedParts,
} from "./logic.js";

const full = (version, ids) => ({
  id: "grids", version, base: "", remove: [], upsert: ids.map((i) => ({ i })),
});

test("a run is read back as latitude, longitude", () => {
  assert.deepEqual(decodeRun([118500000, 32300000, 1, -2]), [[32.3, 118.5], [32.299998, 118.500001]]);
});

test("each kind has its nesting", () => {
  assert.deepEqual(decode("point", [1000000, 2000000]), [2, 1]);
  assert.deepEqual(decode("line", [[0, 0, 1000000, 0]]), [[[0, 0], [0, 1]]]);
  assert.deepEqual(decode("area", [[[0, 0, 1000000, 0, 0, 1000000]]]),
    [[[[0, 0], [0, 1], [1, 1]]]]);
});

test("a first message fills an empty layer", () => {
  const { held, changed, resync } = applyLayer(undefined, full("a", ["1", "2"]));
  assert.equal(resync, false);
  assert.deepEqual(changed, ["1", "2"]);
  assert.equal(held.features.size, 2);
});

test("a difference changes only what it names and leaves the old copy alone", () => {
  const { held } = applyLayer(undefined, full("a", ["1", "2"]));
  const next = applyLayer(held, { version: "b", base: "a", remove: ["1"], upsert: [{ i: "3" }] });
  assert.deepEqual([...next.held.features.keys()], ["2", "3"]);
  assert.deepEqual(next.removed, ["1"]);
  assert.deepEqual([...held.features.keys()], ["1", "2"]);
});

test("a difference to another version asks for everything", () => {
  const { held } = applyLayer(undefined, full("a", ["1"]));
  const message = { version: "c", base: "b", remove: [], upsert: [] };
  assert.equal(applyLayer(held, message).resync, true);
  assert.equal(applyLayer(undefined, message).resync, true);
});

test("the version already held is not applied twice", () => {
  const { held } = applyLayer(undefined, full("a", ["1"]));
  const again = applyLayer(held, { version: "a", base: "z", remove: ["1"], upsert: [] });
  assert.equal(again.resync, false);
  assert.equal(again.held.features.size, 1);
});

test("a full message drops what it does not name", () => {
  const { held } = applyLayer(undefined, full("a", ["1", "2"]));
  const next = applyLayer(held, full("b", ["2"]));
  assert.deepEqual(next.removed, ["1"]);
  assert.deepEqual(next.changed, ["2"]);
});

test("layers with one label share a switch", () => {
  const layers = [
    { id: "a", label: "Roads", shown: true }, { id: "b", label: "Roads", shown: true },
    { id: "c", label: "" }, { id: "d", label: "Water", shown: false },
  ];
  assert.deepEqual(switches(layers), [
    { label: "Roads", ids: ["a", "b"], shown: true },
    { label: "Water", ids: ["d"], shown: false },
  ]);
});

test("dark and light colours are told apart in every form CSS gives them", () => {
  assert.equal(isDark("rgb(14, 17, 23)"), true);
  assert.equal(isDark("#ffffff"), false);
  assert.equal(isDark("#123"), true);
  assert.equal(isDark("rgba(250, 250, 250, 1)"), false);
  assert.equal(isDark(""), false);
});

test("a class outside the ramp takes the colour of no value", () => {
  const legend = { light: ["l0"], dark: ["d0"], noneLight: "ln", noneDark: "dn" };
  assert.equal(classColour(legend, 0, true), "d0");
  assert.equal(classColour(legend, -1, false), "ln");
  assert.equal(classColour(legend, 7, true), "dn");
});

test("a grid is filled by the class chosen in the legend", () => {
  const legend = { light: ["#000001", "#000002"], dark: [], noneLight: "n", noneDark: "n" };
  const feature = { c: [0, 1] };
  assert.equal(styleOf("grid", feature, { dark: false, legend, colourBy: 0 }).fillColor, "#000001");
  assert.equal(styleOf("grid", feature, { dark: false, legend, colourBy: 1 }).fillColor, "#000002");
});

test("an unknown style is an error, not an invisible layer", () => {
  assert.throws(() => styleOf("nonsense", {}, { dark: false, legend: {} }), /unknown style/);
});

test("context never catches the mouse", () => {
  assert.equal(isInteractive("grid"), true);
  assert.equal(isInteractive("roadMain"), false);
});

test("bounds become Leaflet's corners", () => {
  assert.deepEqual(cornersOf([1, 2, 3, 4]), [[2, 1], [4, 3]]);
  assert.deepEqual(cornersOfDecoded([[[0, 1], [2, 3]]], [5, -1]), [[0, -1], [5, 3]]);
  assert.equal(cornersOfDecoded(), null);
});

test("a layer hides by its switch or by the zoom", () => {
  const layer = { label: "Roads", minZoom: 13 };
  assert.equal(visible(layer, new Set(), 12), false);
  assert.equal(visible(layer, new Set(), 13), true);
  assert.equal(visible(layer, new Set(["Roads"]), 15), false);
});

test("what a comparison or a survey draws answers to the mouse, lines do not", () => {
  const context = { dark: false, legend: { light: ["#000001"], noneLight: "n" }, colourBy: 1 };
  for (const style of ["moved", "movedGrid", "choropleth", "cell", "event", "station"]) {
    assert.equal(isInteractive(style), true);
    assert.equal(styleOf(style, { c: [0] }, context).fill, true);
  }
  assert.equal(styleOf("choropleth", { c: [0] }, context).fillColor, "#000001");
  assert.equal(styleOf("cell", {}, context).fillColor, "n");
  assert.equal(isInteractive("beatLine"), false);
});

test("a layer is hidden from its last zoom on", () => {
  const layer = { minZoom: 9, maxZoom: 11 };
  assert.deepEqual([8.75, 9, 10.75, 11].map((zoom) => visible(layer, new Set(), zoom)),
    [false, true, true, false]);
  assert.equal(visible({ minZoom: 0, maxZoom: 0 }, new Set(), 19), true);
});

test("parts are asked for nearest first, by zoom, and none twice", () => {
  const spec = { grids: 11, context: 13, near: 15 };
  const places = [
    { code: "far", distance: 9, near: false }, { code: "here", distance: 1, near: true },
  ];
  assert.deepEqual(wantedParts(places, spec, 10, new Map(), 9), []);
  assert.deepEqual(wantedParts(places, spec, 11, new Map(), 9), ["g:here", "g:far"]);
  assert.deepEqual(wantedParts(places, spec, 15, new Map([["g:here", []]]), 9),
    ["c:here", "n:here", "g:far", "c:far"]);
  assert.deepEqual(wantedParts(places, spec, 15, new Map(), 2), ["g:here", "c:here"]);
});
