/**
 * Markup in JavaScript, without a build step: `html` makes elements, whose text is always text and never markup.
 *
 * The hooks come through here too, so that no other module names a vendored file. Must not offer a way to set HTML.
 */
import { h, render } from "./vendor/preact.js";
import htm from "./vendor/htm.js";

export const html = htm.bind(h);
export { render };
export { useEffect, useLayoutEffect, useMemo, useRef, useState } from "./vendor/preact_hooks.js";
