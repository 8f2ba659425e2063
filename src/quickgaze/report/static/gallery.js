// The gallery: sorted, filtered, and only the cards in view are in the page.
(() => {
"use strict";

const page = window.quickgaze;
const { element } = page;
const find = (id) => document.getElementById(id);
const data = JSON.parse(find("gallery-data").textContent);
const total = data.stimuli.length;
const names = data.stimuli.map((name) => name.toLowerCase());
const LAYERS = [
  ["image", "Image", "Image"],
  ["cam", "CAM", "CAM"],
  ["map", "Saliency map", "Map"],
  ["density", "People", "People"],
  ["difference", "Difference", "Diff."],
];
const OTHERS = { explained_variance: "explained variance", orientation_margin: "orientation margin" };
const INDEX = new Map(data.metrics.map((metric) => [metric.name, metric]));

// State, and what the page's other scripts read.
const state = { variant: data.main, sort: data.metric, way: 1, layer: "map", find: "", filters: [], order: [] };
const own = new Map();
page.data = data;
page.state = state;
page.layers = LAYERS;

const variant = () => data.variants[state.variant];
page.variant = variant;
page.score = (stimulus, name) => variant().scores[name]?.[stimulus] ?? null;

// The files lie under the stimulus's number; ids never become paths.
page.picture = (stimulus, layer) => {
  const file = `${String(stimulus + 1).padStart(data.digits, "0")}.webp`;
  if (layer === "image" || layer === "density") {
    return data.has[layer][stimulus] === "1" ? `pictures/${layer}/${file}` : null;
  }
  const { signs, cam, map } = variant();
  if (signs[stimulus] === "." || (layer === "difference" && data.has.density[stimulus] !== "1")) return null;
  return `pictures/${layer}/${layer === "cam" ? cam : map}${signs[stimulus]}/${file}`;
};
const layerExists = (layer) => {
  if (layer === "image" || layer === "density") return data.has[layer].includes("1");
  const drawn = data.variants.some(({ signs }) => /[pn]/.test(signs));
  return drawn && (layer !== "difference" || data.has.density.includes("1"));
};
const available = LAYERS.filter(([layer]) => layerExists(layer));
page.available = available;
if (!layerExists(state.layer)) state.layer = available[0]?.[0] ?? "image";

// A stack: the photograph, and the layer over it.
page.stack = (stack, stimulus, layer) => {
  const name = data.stimuli[stimulus];
  const title = LAYERS.find(([each]) => each === layer)[1];
  const image = page.picture(stimulus, "image");
  const over = layer === "image" ? null : page.picture(stimulus, layer);
  const parts = [];
  const add = (file, alt, kind) => {
    const img = element("img", { src: file, alt, loading: "lazy", decoding: "async", class: kind });
    img.addEventListener("error", () => img.replaceWith(element("span", { class: "none" }, "picture missing")));
    parts.push(img);
  };
  if (image) add(image, over ? "" : `${name}: image`, "under");
  if (over) add(over, `${name}: ${title}`, image ? "over" : "under");
  if (!over && layer !== "image") parts.push(element("span", { class: "none" }, image ? "" : `no ${title.toLowerCase()}`));
  if (!image && !over && layer === "image") parts.push(element("span", { class: "none" }, "no image"));
  stack.replaceChildren(...parts);
};

// A switch between layers, of radio buttons.
let switches = 0;
const narrow = matchMedia("(max-width: 30rem)");
page.layerSwitch = (options, current, short, describe, change) => {
  const name = `layers-${++switches}`;
  options.setAttribute("role", "radiogroup");
  options.setAttribute("aria-label", describe);
  options.replaceChildren(...available.map(([layer, long, brief]) => {
    const input = element("input", { type: "radio", name, value: layer });
    input.checked = layer === current;
    input.addEventListener("change", () => change(layer));
    return element("label", { title: long }, input, element("span", {}, short || narrow.matches ? brief : long));
  }));
};

// Controls.
const cards = find("cards"), room = find("room");
const written = (value) => {
  if (value === null) return "—";
  return Math.abs(value) < 100 ? value.toFixed(3) : Number(value.toPrecision(4)).toLocaleString("en");
};
page.written = written;
data.variants.forEach(({ label }, index) => find("variant").append(element("option", { value: index }, label)));
find("variant").value = state.variant;
const sorts = [
  ...data.metrics.map(({ name, higher }) => [name, `${name} ${higher ? "↑" : "↓"}`]),
  ["id", "id"],
  ...Object.entries(OTHERS).filter(([name]) => data.variants.some(({ scores }) => name in scores)),
  ...data.attributes.filter(({ kind }) => kind === "number").map(({ name }) => [`attribute:${name}`, name]),
];
for (const [value, label] of sorts) find("sort").append(element("option", { value }, label));
find("sort").value = state.sort;
const nameOrders = () => {
  const words = INDEX.has(state.sort) ? ["best first", "worst first"]
    : state.sort === "id" ? ["A to Z", "Z to A"] : ["highest first", "lowest first"];
  [...find("order").options].forEach((option, index) => { option.textContent = words[index]; });
};

const attribute = (name) => data.attributes.find((each) => each.name === name);
const values = (name) => {
  if (name.startsWith("attribute:")) return attribute(name.slice(10)).values;
  return variant().scores[name] ?? new Array(total).fill(null);
};

// Filters: by id, and any number of conditions that all must hold.
const filterable = [
  ...data.attributes.map(({ name, kind }) => ({ value: `attribute:${name}`, label: name, kind })),
  ...data.metrics.map(({ name }) => ({ value: name, label: `score: ${name}`, kind: "number" })),
];
for (const { value, label } of filterable) find("attribute").append(element("option", { value }, label));
const numberInput = (label) => element("input", { type: "number", step: "any", "aria-label": label, placeholder: label });
const showCondition = () => {
  const chosen = filterable.find(({ value }) => value === find("attribute").value);
  const box = find("condition");
  if (chosen.kind === "yes/no") {
    const select = element("select", { "aria-label": "value" },
      element("option", { value: "1" }, "yes"), element("option", { value: "0" }, "no"),
      element("option", { value: "" }, "not known"));
    box.replaceChildren(select);
  } else if (chosen.kind === "number") {
    box.replaceChildren(numberInput("from"), " ", numberInput("to"));
  } else {
    const known = [...new Set(values(chosen.value))].filter((text) => text !== null).sort();
    const select = element("select", { "aria-label": "value" });
    for (const text of known.slice(0, 500)) select.append(element("option", { value: text }, text));
    box.replaceChildren(select);
  }
};
const readCondition = () => {
  const { value, label, kind } = filterable.find((each) => each.value === find("attribute").value);
  const inputs = [...find("condition").querySelectorAll("input, select")];
  if (kind === "number") {
    const [low, high] = inputs.map((input) => (input.value === "" ? null : Number(input.value)));
    if (low === null && high === null) return null;
    const words = [low === null ? "" : `from ${low}`, high === null ? "" : `to ${high}`].filter(Boolean).join(" ");
    const keep = (given) => given !== null && (low === null || given >= low) && (high === null || given <= high);
    return { value, keep, text: `${label} ${words}` };
  }
  const wanted = inputs[0].value;
  const text = kind === "yes/no" ? `${label}: ${inputs[0].selectedOptions[0].textContent}` : `${label}: ${wanted}`;
  const keep = (given) => (given === null ? wanted === "" && kind === "yes/no" : String(given) === wanted);
  return { value, keep, text };
};
const showChips = () => {
  find("chips").replaceChildren(...state.filters.map((filter, index) => {
    const button = element("button", { type: "button", "aria-label": `Remove the filter ${filter.text}` }, `${filter.text} ×`);
    button.addEventListener("click", () => {
      state.filters.splice(index, 1);
      showChips();
      refresh();
      find("attribute").focus();
    });
    return element("li", {}, button);
  }));
};

// With several data sets, a variant only concerns the stimuli of its own.
const ofVariant = (stimulus) => data.sets === null || data.sets[stimulus] === variant().set;
const countAll = () => (data.sets === null ? total : data.sets.filter((set) => set === variant().set).length);
page.useVariantOf = (stimulus) => {
  if (ofVariant(stimulus)) return;
  state.variant = data.mains.find((index) => data.variants[index].set === data.sets[stimulus]);
  find("variant").value = state.variant;
  refresh();
};

// Order: missing values come last in either direction.
const arrange = () => {
  const wanted = state.find.trim().toLowerCase();
  const tests = state.filters.map(({ value, keep }) => [values(value), keep]);
  const kept = [];
  for (let stimulus = 0; stimulus < total; stimulus += 1) {
    if (!ofVariant(stimulus)) continue;
    if (wanted && !names[stimulus].includes(wanted)) continue;
    if (tests.every(([given, keep]) => keep(given[stimulus] ?? null))) kept.push(stimulus);
  }
  if (state.sort === "id") {
    const collator = new Intl.Collator(undefined, { numeric: true });
    kept.sort((one, other) => state.way * collator.compare(data.stimuli[one], data.stimuli[other]));
  } else {
    const given = values(state.sort);
    const rising = (INDEX.has(state.sort) && !INDEX.get(state.sort).higher ? 1 : -1) * state.way;
    kept.sort((one, other) => {
      const first = given[one] ?? null, second = given[other] ?? null;
      if (first === null || second === null) return (first === null) - (second === null) || one - other;
      return rising * (first - second) || one - other;
    });
  }
  state.order = kept;
};

// Cards: rows of equal height; only those in the window exist.
const GAP = 12, WORDS = 48, SWITCH = 36, NARROWEST = 236;
const shown = new Map();
let columns = 1, width = 0, height = 0;
const pictured = available.length > 0;
const measure = () => {
  const inner = Math.max(0, cards.clientWidth - 2 * GAP);
  columns = Math.max(1, Math.floor((inner + GAP) / (NARROWEST + GAP)));
  width = Math.floor((inner - (columns - 1) * GAP) / columns);
  height = WORDS + (pictured ? Math.round(width * 0.75) + SWITCH : 0);
};
const caption = (stimulus) => {
  const parts = [];
  const name = INDEX.has(state.sort) ? state.sort : data.metric;
  parts.push(`${name} ${written(page.score(stimulus, name))}`);
  if (state.sort.startsWith("attribute:")) parts.push(`${state.sort.slice(10)} ${written(values(state.sort)[stimulus] ?? null)}`);
  else if (state.sort in OTHERS) parts.push(`${OTHERS[state.sort]} ${written(page.score(stimulus, state.sort))}`);
  return parts.join(" · ");
};
// Ids often differ at their end, so they are cut in the middle.
const shortened = (name) => (name.length <= 33 ? name : `${name.slice(0, 14)}…${name.slice(-16)}`);
const layerOf = (stimulus) => own.get(stimulus) ?? state.layer;
const makeCard = (position) => {
  const stimulus = state.order[position];
  const name = data.stimuli[stimulus];
  const stack = element("div", { class: "stack" });
  const open = element("button", { type: "button", class: "open", "data-stimulus": stimulus, "aria-label": `${name}, ${caption(stimulus)}: open at large` }, stack,
    element("span", { class: "words" }, element("span", { class: "id", title: name }, shortened(name)), element("span", { class: "score" }, caption(stimulus))));
  open.querySelector(".words").style.display = "block";
  const card = element("article", { class: "card", role: "listitem", "aria-posinset": position + 1, "aria-setsize": state.order.length }, open);
  if (pictured) {
    page.stack(stack, stimulus, layerOf(stimulus));
    const options = element("div", { class: "options" });
    page.layerSwitch(options, layerOf(stimulus), true, `Layer of ${name}`, (layer) => {
      own.set(stimulus, layer);
      page.stack(stack, stimulus, layer);
    });
    card.append(options);
  }
  card.style.width = `${width}px`;
  card.style.height = `${height}px`;
  const row = Math.floor(position / columns), column = position % columns;
  card.style.transform = `translate(${GAP + column * (width + GAP)}px, ${GAP + row * (height + GAP)}px)`;
  return card;
};
const render = () => {
  const step = height + GAP;
  const first = Math.max(0, Math.floor(cards.scrollTop / step) - 1) * columns;
  const last = Math.min(state.order.length, (Math.ceil((cards.scrollTop + cards.clientHeight) / step) + 1) * columns);
  for (const [position, card] of shown) {
    if ((position < first || position >= last) && !card.contains(document.activeElement)) {
      card.remove();
      shown.delete(position);
    }
  }
  let next = room.firstElementChild;
  const positions = [...new Set([...shown.keys(), ...Array.from({ length: Math.max(0, last - first) }, (_, index) => first + index)])].sort((one, other) => one - other);
  for (const position of positions) {
    const there = shown.get(position);
    if (there) { next = there.nextElementSibling; continue; }
    const card = makeCard(position);
    room.insertBefore(card, next);
    shown.set(position, card);
  }
};
const relayout = () => {
  if (document.activeElement && room.contains(document.activeElement)) document.activeElement.blur();
  shown.clear();
  room.replaceChildren();
  measure();
  const rows = Math.ceil(state.order.length / columns);
  const tall = rows * (height + GAP) + GAP;
  room.style.height = `${tall}px`;
  cards.style.height = tall < innerHeight * 0.8 ? `${tall + 2}px` : "";
  render();
};
const KEYS = { map: ["sequential", "0", "1"], density: ["sequential", "0", "1"], cam: ["diverging", "negative", "positive"], difference: ["diverging", "people look, the map does not", "the map does, people do not"] };
const showKey = () => {
  const key = KEYS[state.layer];
  find("key").hidden = !key || !pictured;
  if (!key) return;
  find("key-bar").className = `key-${key[0]}`;
  find("key-low").textContent = key[1];
  find("key-high").textContent = key[2];
};
const refresh = () => {
  arrange();
  nameOrders();
  showKey();
  const count = state.order.length.toLocaleString("en"), all = countAll().toLocaleString("en");
  find("count").textContent = count === all ? `${all} stimuli` : `${count} of ${all} stimuli`;
  cards.scrollTop = 0;
  relayout();
};

// Listeners.
find("gallery-controls").addEventListener("submit", (event) => event.preventDefault());
find("variant").addEventListener("change", (event) => { state.variant = Number(event.target.value); refresh(); });
find("sort").addEventListener("change", (event) => { state.sort = event.target.value; refresh(); });
find("order").addEventListener("change", (event) => { state.way = Number(event.target.value); refresh(); });
let typing = 0;
find("find").addEventListener("input", (event) => {
  clearTimeout(typing);
  typing = setTimeout(() => { state.find = event.target.value; refresh(); }, 120);
});
find("attribute").addEventListener("change", showCondition);
find("add-filter").addEventListener("click", () => {
  const filter = readCondition();
  if (!filter) return;
  state.filters.push(filter);
  showChips();
  refresh();
});
find("condition").addEventListener("keydown", (event) => { if (event.key === "Enter") { event.preventDefault(); find("add-filter").click(); } });
page.setOpacity = (percent) => {
  document.documentElement.style.setProperty("--opacity", percent / 100);
  for (const id of ["opacity", "large-opacity"]) {
    find(id).value = percent;
    find(`${id}-value`).textContent = `${percent} %`;
  }
};
find("opacity").addEventListener("input", (event) => page.setOpacity(Number(event.target.value)));
page.setLayer = (layer) => { state.layer = layer; own.clear(); showKey(); relayoutKeepingPlace(); };
const relayoutKeepingPlace = () => { const place = cards.scrollTop; relayout(); cards.scrollTop = place; render(); };
let scrolling = false;
cards.addEventListener("scroll", () => {
  if (scrolling) return;
  scrolling = true;
  requestAnimationFrame(() => { scrolling = false; render(); });
}, { passive: true });

// Arrow keys move from card to card.
cards.addEventListener("keydown", (event) => {
  const here = event.target.closest?.(".open");
  const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns };
  if (!here || !(event.key in steps)) return;
  event.preventDefault();
  const position = state.order.indexOf(Number(here.dataset.stimulus)) + steps[event.key];
  if (position >= 0 && position < state.order.length) page.focusCard(position);
});
page.focusCard = (position) => {
  const step = height + GAP, top = Math.floor(position / columns) * step;
  if (top < cards.scrollTop) cards.scrollTop = top;
  if (top + step + GAP > cards.scrollTop + cards.clientHeight) cards.scrollTop = top + step + GAP - cards.clientHeight;
  render();
  shown.get(position)?.querySelector(".open").focus({ preventScroll: true });
};

// Start.
find("gallery-body").hidden = false;
if (!pictured) cards.classList.add("no-pictures");
find("all-layers").hidden = !pictured;
if (pictured) page.layerSwitch(find("all-layers").querySelector(".options"), state.layer, false, "Layer of all cards", page.setLayer);
find("opacity-label").hidden = !(data.has.image.includes("1") && available.length > 1);
showCondition();
page.setOpacity(60);
refresh();
let widthBefore = cards.clientWidth;
new ResizeObserver(() => {
  if (cards.clientWidth === widthBefore) return;
  widthBefore = cards.clientWidth;
  relayoutKeepingPlace();
}).observe(cards);
})();
