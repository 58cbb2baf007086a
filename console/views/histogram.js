/** How many pixels are how light: drawn, and as numbers. */
import { Plot } from "./plot.js";
import { html, useMemo } from "../html.js";
import { percent } from "../words.js";

const STROKES = { luma: [], red: [], green: [6, 3], blue: [2, 3] };

export function Histogram({ channels }) {
  const names = Object.keys(channels);
  const bins = channels[names[0]].length;
  const data = useMemo(() => {
    const places = channels[names[0]].map((_, place) => (place + 0.5) / bins);
    return [places, ...names.map((name) => channels[name])];
  }, [channels]);
  return html`
    <${Plot} data=${data} options=${(style) => optionsFor(names, style)} label="Tones from dark to light; the numbers are in the table below." />
    <ul class="legend" aria-hidden="true">${names.map((name) => html`<li data-channel=${name}>${name}</li>`)}</ul>
    <details>
      <summary>As numbers</summary>
      <div class="scroll" tabindex="0" role="region" aria-label="Tones as numbers">
        <table class="table">
          <thead><tr><th scope="col">Dark to light</th>${names.map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
          <tbody>
            ${channels[names[0]].map(
              (_, place) => html`<tr><th scope="row">${place + 1} of ${bins}</th>${names.map((name) => html`<td>${percent(channels[name][place])}</td>`)}</tr>`,
            )}
          </tbody>
        </table>
      </div>
    </details>
  `;
}

function optionsFor(names, style) {
  const line = (name) => ({
    label: name,
    stroke: style(`--${name}`),
    width: name === "luma" ? 1 : 1.5,
    dash: STROKES[name],
    fill: name === "luma" ? style("--luma-fill") : undefined,
    points: { show: false },
    value: (_, share) => (share === null ? "" : percent(share)),
  });
  const axis = { stroke: style("--faint"), grid: { stroke: style("--line"), width: 1 }, ticks: { show: false }, font: "12px system-ui" };
  return {
    legend: { show: false },
    cursor: { y: false },
    scales: { x: { time: false, range: [0, 1] } },
    axes: [
      { ...axis, values: (_, places) => places.map((place) => ({ 0: "dark", 1: "light" })[place] ?? ""), space: 40 },
      { ...axis, values: (_, shares) => shares.map((share) => percent(share, 0)), size: 46 },
    ],
    series: [{}, ...names.map(line)],
  };
}
