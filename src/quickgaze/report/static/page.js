// The page's frame: theme, navigation, choices of parts, tables that sort.
(() => {
"use strict";

const page = { text: (value) => (value === null || value === undefined ? "—" : String(value)) };
window.quickgaze = page;

page.element = (tag, attributes = {}, ...children) => {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== null) made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
};

// Theme: the system's, until a reader chooses.
const THEMES = ["automatic", "light", "dark"];
const themeButton = document.getElementById("theme");
const stored = () => {
  try { return localStorage.getItem("quickgaze-theme"); } catch { return null; }
};
let theme = THEMES.includes(stored()) ? stored() : "automatic";
const applyTheme = () => {
  if (theme === "automatic") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  themeButton.textContent = `Theme: ${theme}`;
  document.dispatchEvent(new Event("quickgaze-theme"));
};
themeButton.hidden = false;
themeButton.addEventListener("click", () => {
  theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
  try { localStorage.setItem("quickgaze-theme", theme); } catch { /* not allowed from disk */ }
  applyTheme();
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", applyTheme);
applyTheme();

// Navigation: the section in view is marked, and its link is brought into view.
const links = new Map([...document.querySelectorAll("nav a")].map((link) => [link.hash.slice(1), link]));
const sections = [...document.querySelectorAll("main > section")];
const markSection = () => {
  const line = innerHeight / 3;
  let current = sections[0];
  for (const section of sections) if (section.getBoundingClientRect().top < line) current = section;
  if (innerHeight + scrollY >= document.documentElement.scrollHeight - 2) current = sections.at(-1);
  for (const [anchor, link] of links) {
    const here = anchor === current.id;
    if (here && !link.hasAttribute("aria-current")) {
      const list = link.closest("ul");
      list.scrollLeft = link.offsetLeft - list.clientWidth / 3;
    }
    if (here) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
};
let waiting = false;
addEventListener("scroll", () => {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => { waiting = false; markSection(); });
}, { passive: true });
markSection();

// Parts: of those with a label, one is shown at a time.
for (const chooser of document.querySelectorAll("select[data-choose]")) {
  const parts = [...chooser.closest("section").querySelectorAll(".part")].filter((part) => part.dataset.part !== "0");
  const choose = () => { for (const part of parts) part.hidden = part.dataset.part !== chooser.value; };
  chooser.addEventListener("change", choose);
  choose();
}

// Tables: a heading sorts by its column, numbers as numbers, missing values last.
const number = (text) => {
  const found = /-?[\d,]*\.?\d+/.exec(text);
  return found ? Number(found[0].replaceAll(",", "")) : null;
};
const sortBy = (table, column, heading) => {
  const rising = heading.getAttribute("aria-sort") !== "ascending";
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  heading.setAttribute("aria-sort", rising ? "ascending" : "descending");
  const numeric = heading.classList.contains("number");
  const rows = [...table.tBodies[0].rows].map((row) => {
    const text = row.cells[column].textContent.trim();
    return { row, key: text === "—" || text === "" ? null : numeric ? number(text) : text };
  });
  const order = new Intl.Collator(undefined, { numeric: true });
  rows.sort((one, other) => {
    if (one.key === null || other.key === null) return (one.key === null) - (other.key === null);
    const way = numeric ? one.key - other.key : order.compare(one.key, other.key);
    return rising ? way : -way;
  });
  table.tBodies[0].append(...rows.map(({ row }) => row));
};
for (const table of document.querySelectorAll(".table table")) {
  if (table.tBodies[0].rows.length < 2) continue;
  [...table.tHead.rows[0].cells].forEach((heading, column) => {
    const button = page.element("button", { type: "button" }, heading.textContent);
    button.addEventListener("click", () => sortBy(table, column, heading));
    heading.replaceChildren(button);
  });
}
})();
