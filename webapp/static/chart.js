// Charts over time, drawn with uPlot: `data-series` holds the times and one or more rows of values.
"use strict";

const COLOURS = ["--accent", "--good", "--amber", "--bad"];

const drawChart = (place) => {
  if (place.dataset.drawn) return;
  place.dataset.drawn = "1";
  const style = getComputedStyle(document.documentElement);
  const ink = style.getPropertyValue("--faint").trim();
  const axis = { stroke: ink, grid: { stroke: style.getPropertyValue("--line").trim(), width: 1 }, ticks: { show: false } };
  const data = JSON.parse(place.dataset.series);
  const labels = JSON.parse(place.dataset.labels ?? "[]");
  const bars = place.dataset.kind === "bars";
  const paths = {
    bars: () => uPlot.paths.bars({ size: [0.7 / Math.max(1, data.length - 1), 18], align: 0 }),
    line: () => uPlot.paths.linear(),
  }[place.dataset.kind] ?? (() => uPlot.paths.stepped({ align: 1 }));
  const series = data.slice(1).map((_, index) => {
    const colour = style.getPropertyValue(COLOURS[index % COLOURS.length]).trim();
    return { label: labels[index] ?? "", stroke: colour, width: bars ? 0 : 2, fill: bars ? colour : `${colour}22`, paths: paths(), points: { show: false } };
  });
  const size = () => ({ width: place.clientWidth, height: 220 });
  const chart = new uPlot({
    ...size(), legend: { show: labels.length > 1, live: false }, cursor: { y: false },
    axes: [axis, { ...axis, size: 56 }], series: [{}, ...series],
    scales: bars ? { y: { range: (_u, _min, max) => [0, Math.max(1, max)] } } : {},
  }, data, place);
  new ResizeObserver(() => chart.setSize(size())).observe(place);
};

const drawCharts = (root) => root.querySelectorAll(".chart[data-series]").forEach(drawChart);
document.addEventListener("DOMContentLoaded", () => drawCharts(document));
document.addEventListener("htmx:load", (event) => drawCharts(event.target));
