// The large view: one stimulus with all its data; arrow keys go on, Esc closes.
(() => {
"use strict";

const page = window.quickgaze;
const { data, element, state, written } = page;
const find = (id) => document.getElementById(id);
const dialog = find("large");
let current = null, layer = null;

const order = () => (state.order.includes(current) ? state.order : data.stimuli.map((_, index) => index).filter((index) => data.sets === null || data.sets[index] === page.variant().set));

const rank = (stimulus, metric) => {
  const own = page.score(stimulus, metric.name);
  if (own === null) return "—";
  const all = page.variant().scores[metric.name].filter((value) => value !== null);
  const better = all.filter((value) => (metric.higher ? value > own : value < own)).length;
  return `${(better + 1).toLocaleString("en")} of ${all.length.toLocaleString("en")}`;
};

const fill = () => {
  const known = order(), place = known.indexOf(current);
  find("large-title").textContent = data.stimuli[current];
  find("large-place").textContent = `${(place + 1).toLocaleString("en")} of ${known.length.toLocaleString("en")}`;
  find("large-previous").disabled = place <= 0;
  find("large-next").disabled = place >= known.length - 1;
  const stack = find("large-stack");
  stack.hidden = page.available.length === 0;
  if (!stack.hidden) page.stack(stack, current, layer);
  find("large-scores").caption.textContent = page.variant().label;
  find("large-scores").tBodies[0].replaceChildren(...data.metrics.filter(({ name }) => name in page.variant().scores).map((metric) =>
    element("tr", {}, element("th", { scope: "row", title: metric.summary }, `${metric.name} ${metric.higher ? "↑" : "↓"}`),
      element("td", { class: "number" }, written(page.score(current, metric.name))),
      element("td", { class: "number" }, rank(current, metric)))));
  const known_of = data.attributes.filter(({ values }) => values[current] !== null && values[current] !== undefined);
  find("large-attributes").hidden = known_of.length === 0;
  find("large-attributes").tBodies[0].replaceChildren(...known_of.map(({ name, kind, values }) => {
    const value = values[current];
    const text = kind === "yes/no" ? (value ? "yes" : "no") : kind === "number" ? written(value) : value;
    return element("tr", {}, element("th", { scope: "row" }, name), element("td", {}, text));
  }));
};

const open = (stimulus) => {
  page.useVariantOf(stimulus);
  current = stimulus;
  layer = state.layer;
  const several = page.available.length > 1;
  find("large-layers").hidden = !several;
  if (several) page.layerSwitch(find("large-layers").querySelector(".options"), layer, false, "Layer", (chosen) => { layer = chosen; fill(); });
  find("large-opacity-label").hidden = find("opacity-label").hidden;
  fill();
  if (!dialog.open) dialog.showModal();
};

const step = (by) => {
  const known = order(), place = known.indexOf(current) + by;
  if (place < 0 || place >= known.length) return;
  current = known[place];
  fill();
};

document.addEventListener("click", (event) => {
  const opener = event.target.closest?.("[data-stimulus]");
  if (opener) open(Number(opener.dataset.stimulus));
});
find("large-previous").addEventListener("click", () => step(-1));
find("large-next").addEventListener("click", () => step(1));
find("large-close").addEventListener("click", () => dialog.close());
dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
dialog.addEventListener("keydown", (event) => {
  if (event.target.matches("input")) return;
  if (event.key === "ArrowLeft") step(-1);
  else if (event.key === "ArrowRight") step(1);
  else return;
  event.preventDefault();
});
let opener = null;
dialog.addEventListener("toggle", (event) => { if (event.newState === "open") opener = current; });
dialog.addEventListener("close", () => {
  // Back to the card of the stimulus shown last.
  const position = state.order.indexOf(current);
  if (current !== opener && position >= 0) page.focusCard(position);
});
find("large-opacity").addEventListener("input", (event) => page.setOpacity(Number(event.target.value)));
})();
