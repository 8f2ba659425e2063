// The charts: each is drawn when it comes into view, in the colours of the theme.
(() => {
"use strict";

const specs = JSON.parse(document.getElementById("chart-data").textContent);
const drawn = new Map();

const colours = () => {
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(name).trim();
  const text = colour("--text"), quiet = colour("--quiet"), line = colour("--line");
  return {
    background: "transparent",
    font: "system-ui, sans-serif",
    view: { stroke: null },
    axis: {
      labelColor: quiet, titleColor: quiet, gridColor: line, domainColor: line, tickColor: line,
      labelFontSize: 12, titleFontSize: 12, titleFontWeight: "normal", titlePadding: 8,
    },
    axisY: { labelColor: text },
    legend: { labelColor: text, titleColor: quiet, labelFontSize: 12, titleFontSize: 12, titleFontWeight: "normal" },
    rule: { color: quiet },
    title: { color: text },
  };
};

// On a narrow page, names are cut to leave room for the plot.
const fitted = (spec, width) => {
  if (width > 560) return spec;
  return JSON.parse(JSON.stringify(spec), (key, value) => {
    if (key === "axis" && value?.labelLimit) return { ...value, labelLimit: 120 };
    if (key === "legend" && value) return { ...value, columns: 1, labelLimit: width - 60 };
    return value;
  });
};

const draw = async (plot) => {
  const before = drawn.get(plot);
  drawn.set(plot, null);
  if (before) before.finalize();
  try {
    const result = await window.vegaEmbed(plot, fitted(specs[plot.dataset.chart], plot.clientWidth), {
      actions: false, ast: true, config: colours(), defaultStyle: false, renderer: "svg",
      tooltip: { disableDefaultStyle: true },
    });
    drawn.set(plot, result);
  } catch (error) {
    plot.textContent = `This chart cannot be drawn here (${error.message}); its table is below.`;
  }
};

const seen = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    if (!entry.isIntersecting) continue;
    seen.unobserve(entry.target);
    draw(entry.target);
  }
}, { rootMargin: "500px" });
for (const plot of document.querySelectorAll(".plot")) seen.observe(plot);
document.addEventListener("quickgaze-theme", () => {
  for (const plot of drawn.keys()) draw(plot);
});
})();
