// What stands on the map: legend, layer switch, tooltip. Elements and plain text only.

/** An element with a class and plain text; no value from a file ever becomes markup. */
export function element(tag, className, text) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
}

/** A feature's name and its values; a row without a value is left out. */
export function tooltip(feature, rowNames) {
  const box = element("div");
  if (!feature) return box;
  if (feature.t) box.appendChild(element("div", "gw-tip-name", feature.t));
  const table = element("table");
  (feature.r || []).forEach((value, i) => {
    if (value === "") return;
    const row = element("tr");
    row.appendChild(element("th", "", rowNames[i]));
    row.appendChild(element("td", "", value));
    table.appendChild(row);
  });
  box.appendChild(table);
  return box;
}

function chooser(legend, colourBy, choose) {
  const box = element("select", "gw-choice");
  box.setAttribute("aria-label", legend.title || "");
  legend.choices.forEach((name, i) => {
    const option = element("option", "", name);
    option.value = String(i);
    option.selected = i === colourBy;
    box.appendChild(option);
  });
  box.addEventListener("change", () => choose(Number(box.value)));
  return box;
}

/** Fill the legend; `choose` gets the number of the colouring that a visitor picks. */
export function fillLegend(box, legend, dark, colourBy, choose) {
  box.replaceChildren();
  box.hidden = !legend.labels;
  if (!legend.labels) return;
  box.appendChild((legend.choices || []).length > 1 ? chooser(legend, colourBy, choose)
    : element("div", "gw-legend-title", legend.title || ""));
  const colours = dark ? legend.dark : legend.light;
  const rows = legend.labels.map((label, i) => [colours[i], label]);
  if (legend.none) rows.push([dark ? legend.noneDark : legend.noneLight, legend.none]);
  for (const [colour, label] of rows) {
    const row = element("div", "gw-class");
    const swatch = element("span", "gw-swatch");
    swatch.style.background = colour;
    row.append(swatch, element("span", "", label));
    box.appendChild(row);
  }
}

/** Fill the layer switch; `hidden` is the set of labels that are off, changed in place. */
export function fillSwitches(box, title, items, hidden, changed) {
  const open = box.open;
  box.replaceChildren(element("summary", "", title));
  box.open = open;
  box.hidden = items.length === 0;
  for (const item of items) {
    const label = element("label", "gw-switch");
    const tick = element("input");
    tick.type = "checkbox";
    tick.checked = !hidden.has(item.label);
    tick.addEventListener("change", () => {
      if (tick.checked) hidden.delete(item.label);
      else hidden.add(item.label);
      changed();
    });
    label.append(tick, element("span", "", item.label));
    box.appendChild(label);
  }
}
