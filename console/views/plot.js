/** A drawing by uPlot in the colours of the page: as wide as there is room, drawn anew when light turns dark. */
import { html, useEffect, useRef, useState } from "../html.js";
import { loadPlotting } from "../plotting.js";

const HEIGHT = 180;

/** @param options given the style of the page (`(name) => value` of a custom property), returns uPlot's options */
export function Plot({ options, data, label }) {
  const holder = useRef(null);
  const plot = useRef(null);
  const [hasFailed, setFailed] = useState(false);
  useEffect(() => {
    let isThere = true;
    const draw = async () => {
      const UPlot = await loadPlotting();
      if (!isThere) return;
      plot.current?.destroy();
      const style = getComputedStyle(document.documentElement);
      const size = { width: holder.current.clientWidth, height: HEIGHT };
      plot.current = new UPlot({ ...options((name) => style.getPropertyValue(name)), ...size }, data, holder.current);
    };
    const drawOrTell = () =>
      draw().catch((error) => {
        console.error(error);
        if (isThere) setFailed(true);
      });
    drawOrTell();
    const darkness = matchMedia("(prefers-color-scheme: dark)");
    darkness.addEventListener("change", drawOrTell);
    const sizes = new ResizeObserver(([{ contentRect }]) =>
      plot.current?.setSize({ width: contentRect.width, height: HEIGHT }),
    );
    sizes.observe(holder.current);
    return () => {
      isThere = false;
      darkness.removeEventListener("change", drawOrTell);
      sizes.disconnect();
      plot.current?.destroy();
      plot.current = null;
    };
  }, []);
  useEffect(() => plot.current?.setData(data), [data]);
  return html`<div ref=${holder} class="plot" role="img" aria-label=${label}>
    ${hasFailed && html`<p class="faint">The drawing could not be loaded; its numbers are below.</p>`}
  </div>`;
}
