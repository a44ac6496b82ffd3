// The seller's income over time, drawn with uPlot.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  for (const place of document.querySelectorAll(".chart[data-series]")) {
    const style = getComputedStyle(document.documentElement);
    const ink = style.getPropertyValue("--faint").trim();
    const accent = style.getPropertyValue("--accent").trim();
    const axis = { stroke: ink, grid: { stroke: style.getPropertyValue("--line").trim(), width: 1 }, ticks: { show: false } };
    const chart = new uPlot({
      width: place.clientWidth, height: 220, legend: { show: false }, cursor: { y: false },
      axes: [axis, { ...axis, size: 56 }],
      series: [{}, { stroke: accent, width: 2, fill: `${accent}22`, paths: uPlot.paths.stepped({ align: 1 }) }],
    }, JSON.parse(place.dataset.series), place);
    new ResizeObserver(() => chart.setSize({ width: place.clientWidth, height: 220 })).observe(place);
  }
});
