// Charts over time, drawn with uPlot: `data-series` holds the times and one or more rows of values.
"use strict";

const COLOURS = ["--accent", "--good", "--amber", "--bad"];

const QUARTER_DAY = 21600;

const drawn = new Map();
const sizeOf = (place) => ({ width: place.clientWidth, height: 220 });
const resized = new ResizeObserver((seen) => seen.forEach(({ target }) => drawn.get(target)?.setSize(sizeOf(target))));

// The bars of a day stand side by side, and the first and the last one are as wide as the others.
const sideBySide = ([times, ...rows]) => rows.length < 2 ? [times, ...rows]
  : uPlot.join(rows.map((row, index) => [times.map((at) => at + (index - (rows.length - 1) / 2) * QUARTER_DAY), row]));
const aroundDays = (_u, min, max) => [min - 2 * QUARTER_DAY, max + 2 * QUARTER_DAY];

const drawChart = (place) => {
  if (drawn.has(place)) return;
  const style = getComputedStyle(document.documentElement);
  const ink = style.getPropertyValue("--faint").trim();
  const axis = { stroke: ink, grid: { stroke: style.getPropertyValue("--line").trim(), width: 1 }, ticks: { show: false } };
  const bars = place.dataset.kind === "bars";
  const told = JSON.parse(place.dataset.series);
  const data = bars ? sideBySide(told) : told;
  const labels = JSON.parse(place.dataset.labels ?? "[]");
  const paths = {
    bars: () => uPlot.paths.bars({ size: [told.length > 2 ? 0.25 : 0.8, 18], align: 0 }),
    line: () => uPlot.paths.linear(),
  }[place.dataset.kind] ?? (() => uPlot.paths.stepped({ align: 1 }));
  const series = data.slice(1).map((_, index) => {
    const colour = style.getPropertyValue(COLOURS[index % COLOURS.length]).trim();
    return { label: labels[index] ?? "", stroke: colour, width: bars ? 0 : 2, fill: bars ? colour : `${colour}22`, paths: paths(), points: { show: false } };
  });
  const chart = new uPlot({
    ...sizeOf(place), legend: { show: labels.length > 1, live: false }, cursor: { y: false },
    axes: [axis, { ...axis, size: 56 }], series: [{}, ...series],
    scales: bars ? { x: { range: aroundDays }, y: { range: (_u, _min, max) => [0, Math.max(1, max)] } } : {},
  }, data, place);
  drawn.set(place, chart);
  resized.observe(place);
};

// uPlot paints colours that it was given: other ones want another chart.
const redraw = () => {
  for (const [place, chart] of [...drawn]) {
    chart.destroy();
    drawn.delete(place);
    if (place.isConnected) drawChart(place);
  }
};
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);

const drawCharts = (root) => root.querySelectorAll(".chart[data-series]").forEach(drawChart);
document.addEventListener("DOMContentLoaded", () => drawCharts(document));
document.addEventListener("htmx:load", (event) => drawCharts(event.target));
