/** Which kind of image a file is: by how it begins, or else by its name. */

const BEGINNINGS = [
  ["image/jpeg", (text) => text.startsWith("\xff\xd8\xff")],
  ["image/png", (text) => text.startsWith("\x89PNG\r\n\x1a\n")],
  ["image/gif", (text) => text.startsWith("GIF8")],
  ["image/bmp", (text) => text.startsWith("BM")],
  ["image/tiff", (text) => /^(II[*+]\0|MM\0[*+])/.test(text)],
  ["image/webp", (text) => text.startsWith("RIFF") && text.slice(8, 12) === "WEBP"],
  ["image/avif", (text) => text.slice(4, 8) === "ftyp" && /^avi[fs]/.test(text.slice(8, 12))],
];
const ENDINGS = {
  jpg: "image/jpeg",
  jpeg: "image/jpeg",
  png: "image/png",
  gif: "image/gif",
  bmp: "image/bmp",
  tif: "image/tiff",
  tiff: "image/tiff",
  webp: "image/webp",
  avif: "image/avif",
};

/** For the file picker. */
export const ACCEPTED = [...new Set(Object.values(ENDINGS))].join(",");
export const KINDS_IN_WORDS = "JPEG, PNG, WebP, GIF, TIFF, BMP and AVIF";

/** Return the media type of a file, or null for one that neither begins nor is named like an image. */
export async function mediaTypeOf(file) {
  const bytes = new Uint8Array(await file.slice(0, 16).arrayBuffer());
  const text = String.fromCharCode(...bytes);
  const found = BEGINNINGS.find(([, begins]) => begins(text));
  const ending = file.name.toLowerCase().split(".").pop();
  return found?.[0] ?? ENDINGS[ending] ?? null;
}
