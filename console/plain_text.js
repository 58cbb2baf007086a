/** Making text that somebody else wrote safe to look at: tags, EXIF, the content of codes, file names. */

const LONGEST = 500;
/** Control, format (which turns the direction of text), surrogate and unassigned characters, and line separators. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/gu;

/** Return a value as text on one line, unsafe characters written as escapes, and cut when it is too long. */
export function plain(value, longest = LONGEST) {
  if (value === null || value === undefined || typeof value === "object") return "";
  const text = [...String(value).slice(0, longest * 2)];
  const safe = text.slice(0, longest).join("").replace(UNSAFE, escaped);
  return text.length > longest ? `${safe}…` : safe;
}

function escaped(char) {
  return `\\u{${char.codePointAt(0).toString(16)}}`;
}
