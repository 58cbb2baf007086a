/** Something that changes and tells whoever looks at it. Must not know who that is. */
import { useEffect, useState } from "./html.js";

export class Observed {
  #listeners = new Set();

  /** Call `listener` after every change; returns how to stop that. */
  subscribe(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  changed() {
    for (const listener of [...this.#listeners]) listener();
  }
}

/** Draw the component again whenever `observed` changes: once in a frame at most, however many changes there are. */
export function useObserved(observed) {
  const [, draw] = useState(0);
  useEffect(() => {
    let frame = 0;
    const drawSoon = () => {
      frame ||= requestAnimationFrame(() => {
        frame = 0;
        draw((count) => count + 1);
      });
    };
    drawSoon(); // for what has changed between drawing and this
    const stop = observed.subscribe(drawSoon);
    return () => {
      stop();
      cancelAnimationFrame(frame);
    };
  }, [observed]);
  return observed;
}
