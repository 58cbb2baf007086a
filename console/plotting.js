/** uPlot, loaded when the first drawing is to be seen: most pages need none. */

let loading = null;

/** Return the constructor of uPlot. Throws when it cannot be loaded; asking again tries again. */
export function loadPlotting() {
  loading ??= Promise.all([import("./vendor/uplot.js"), sheet("vendor/uplot.css")]).then(
    ([module]) => module.default,
    (error) => {
      loading = null;
      throw error;
    },
  );
  return loading;
}

function sheet(address) {
  return new Promise((resolve, reject) => {
    const link = Object.assign(document.createElement("link"), { rel: "stylesheet", href: address });
    link.onload = resolve;
    link.onerror = () => reject(new Error(`${address} could not be loaded`));
    document.head.append(link);
  });
}
