/**
 * Reading a report for people: what it says, as text that is safe to show, whatever shape it has. Lays nothing out.
 *
 * What is missing, or not what it should be, is left out. The mirror of client/darkroom/cli/report_reading.py.
 */
import { bytes, capitalized, percent } from "./words.js";
import { plain } from "./plain_text.js";

export const CHANNELS = ["luma", "red", "green", "blue"];
const GOOD_SCORE = 70;
const FAIR_SCORE = 40;
const HEX_COLOUR = /^#[0-9a-f]{6}$/i;
const LONGEST_SUMMARY = 1000;
const LONGEST_CODE = 2000;
/** Of an analysis that this page knows nothing about, or of a list. */
const MOST_LINES = 60;
const MOST_BINS = 256;
const READ_APART = new Set(["palette", "quality", "fingerprint", "codes", "regions", "labels"]);

/** Read a report; `job` tells which analyses were not made. Facts are pairs of a name and what there is to say. */
export function readReport(report, job) {
  const image = object(report.image);
  const analyses = object(report.analyses);
  const { palette, quality, fingerprint, codes, regions, labels } = Object.fromEntries(
    [...READ_APART].map((name) => [name, isMade(analyses[name]) ? analyses[name] : null]),
  );
  return {
    summary: plain(report.summary, LONGEST_SUMMARY),
    verdicts: list(quality?.verdicts).map((verdict) => plain(verdict)).filter(Boolean),
    scores: scoresOf(quality),
    clipping: clippingOf(quality),
    image: imageFacts(image),
    photo: photoFacts(image),
    hasLocation: typeof image.hasLocation === "boolean" ? image.hasLocation : null,
    size: sizeOf(image),
    colours: list(palette?.colours).map(object).map(colourOf),
    mean: palette?.mean ? colourOf(object(palette.mean)) : null,
    histogram: histogramOf(object(palette?.histogram)),
    codes: codes ? list(codes.codes).map(object).map(codeOf) : null,
    moreCodes: codes ? Math.max(0, (number(codes.found) ?? 0) - list(codes.codes).length) : 0,
    regions: regions ? regionsOf(regions) : null,
    labels: labels ? labelsOf(labels) : null,
    marks: known([
      ...Object.entries(object(fingerprint)).map(([name, value]) => [plain(name, 40), plain(value, 100)]),
      ["SHA-256 of the file", plain(image.sha256, 100)],
    ]),
    others: othersOf(analyses),
    notMade: notMade(job),
  };
}

/** Whether a score, of 100, is `good`, `fair` or `poor`. */
export function gradeOf(score) {
  if (score === null) return "plain";
  return score >= GOOD_SCORE ? "good" : score >= FAIR_SCORE ? "fair" : "poor";
}

function isMade(result) {
  return result !== null && typeof result === "object" && !Array.isArray(result) && !result.skipped;
}

function scoresOf(quality) {
  return Object.entries(object(quality))
    .filter(([, judged]) => object(judged).verdict)
    .map(([name, judged]) => ({
      name: plain(name, 40),
      verdict: plain(judged.verdict, 100),
      advice: plain(judged.advice),
      score: number(judged.score),
    }));
}

function clippingOf(quality) {
  const clipping = object(quality?.clipping);
  const tones = [
    ["pure white", share(clipping.highlights)],
    ["pure black", share(clipping.shadows)],
  ];
  return tones
    .filter(([, part]) => part !== null)
    .map(([tone, part]) => `${percent(part)} ${tone}`)
    .join(", ");
}

function sizeOf(image) {
  const [width, height] = [number(image.width), number(image.height)];
  return width > 0 && height > 0 ? { width, height } : null;
}

function imageFacts(image) {
  const size = sizeOf(image);
  const [megapixels, frames, bits] = [image.megapixels, image.frames, image.bitDepth].map(number);
  const across = number(list(image.dpi)[0]);
  return known([
    ["Format", joined(plain(image.format, 20), image.progressive === true && "progressive")],
    ["Size", size && joined(`${size.width} × ${size.height} pixels`, megapixels !== null && `${megapixels} megapixels`)],
    ["File", number(image.bytes) === null ? "" : bytes(image.bytes)],
    ["Frames", frames > 1 && `${frames}, of which the first was looked at`],
    ["Colour", joined(plain(image.mode, 20), bits && `${bits} bits a channel`, image.hasAlpha === true && "with transparency", plain(image.iccProfile, 100))],
    ["Print", across && `${across} dots per inch`],
  ]);
}

/** What took the picture: in words, where the report has them, else from the fields of the EXIF data. */
function photoFacts(image) {
  const [photo, exif] = [object(image.photo), object(image.exif)];
  return known([
    ["Camera", plain(photo.camera) || [plain(exif.make), plain(exif.model)].filter(Boolean).join(" ")],
    ["Lens", plain(photo.lens) || plain(exif.lens)],
    ["Exposure", plain(photo.exposure)],
    ["Taken", cameraTime(plain(photo.takenAt, 40) || plain(exif.takenAt, 40))],
    ["Software", plain(exif.software)],
  ]);
}

/** A camera's time is of its own clock, unless it says how far that was from UTC. */
function cameraTime(text) {
  const parts = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?(Z|[+-]\d\d:\d\d)?$/.exec(text);
  if (!parts) return text;
  return `${parts[1]} ${parts[2]}${parts[3] ? ` (UTC${parts[3] === "Z" ? "" : parts[3]})` : ", by the camera's clock"}`;
}

function colourOf(colour) {
  const hex = HEX_COLOUR.test(colour.hex) ? colour.hex : null;
  return {
    hex,
    text: hex ?? (plain(colour.hex, 20) || "?"),
    name: plain(colour.name, 60),
    share: share(colour.share),
    textColour: HEX_COLOUR.test(colour.textColour) ? colour.textColour : null,
    contrast: number(colour.contrast),
  };
}

/** Channels that are shares of pixels from dark to light, all of one length. */
function histogramOf(histogram) {
  const channels = {};
  for (const name of CHANNELS) {
    const shares = list(histogram[name], MOST_BINS + 1).map(share);
    if (shares.length > 1 && shares.length <= MOST_BINS && !shares.includes(null)) channels[name] = shares;
  }
  const lengths = new Set(Object.values(channels).map((shares) => shares.length));
  return lengths.size === 1 ? channels : {};
}

function codeOf(code) {
  const text = String(code.text ?? "").slice(0, LONGEST_CODE);
  return {
    format: plain(code.format, 40) || "code",
    lines: text.split("\n").map((line) => plain(line, LONGEST_CODE)),
    isCut: Boolean(code.truncated),
    box: boxOf(code.positionInOriginal),
    place: placeOf(boxOf(code.positionInOriginal), number(code.orientation)),
  };
}

/** The rectangle around corners, in pixels of the image as it is displayed; null when they are none. */
function boxOf(corners) {
  const points = list(corners).map((corner) => list(corner).map(number));
  if (!points.length || points.some((point) => point.length !== 2 || point.includes(null))) return null;
  const [across, down] = [0, 1].map((axis) => points.map((point) => point[axis]));
  const [left, top] = [Math.min(...across), Math.min(...down)];
  return { left, top, width: Math.max(...across) - left, height: Math.max(...down) - top };
}

function placeOf(box, degrees) {
  if (!box) return "";
  const turned = degrees ? `, turned by ${degrees}°` : "";
  return `${box.width} × ${box.height} pixels at ${box.left}, ${box.top}${turned}`;
}

function regionsOf(regions) {
  if (regions.measured !== true) return { isMeasured: false, reason: plain(regions.reason) || "It was not measured." };
  const [columns, rows] = [number(regions.columns), number(regions.rows)];
  const tile = (name) => {
    const { sharpness, box } = object(regions[name]);
    const sides = list(box).map(number);
    const place = sides.length === 4 && !sides.includes(null) ? `at ${sides[0]}, ${sides[1]}` : "";
    return number(sharpness) === null ? "" : joined(`sharpness ${sharpness}`, place);
  };
  return {
    isMeasured: true,
    facts: known([
      ["Tiles", columns && rows && `${columns} × ${rows}`],
      ["Sharpest", tile("sharpest")],
      ["Softest", tile("softest")],
    ]),
  };
}

function labelsOf(labels) {
  const named = (entries, word) =>
    list(entries)
      .map(object)
      .map((entry) => ({ name: plain(entry[word], 100), confidence: number(entry.confidence) }))
      .filter(({ name }) => name);
  return {
    shown: named(labels.labels, "name"),
    written: named(labels.text, "text"),
    warnings: named(labels.moderation, "name"),
  };
}

/** What was found by analyses that are newer than this page, a line for each value. */
function othersOf(analyses) {
  return Object.entries(analyses)
    .filter(([name, result]) => !READ_APART.has(name) && isMade(result))
    .map(([name, result]) => [capitalized(plain(name, 60)), linesOf(result).slice(0, MOST_LINES)]);
}

function linesOf(value, name = "", depth = 0) {
  if (value === null || typeof value !== "object") return known([[name, plain(value)]]);
  if (depth === 3) return [[name, plain(JSON.stringify(value), 200)]];
  return Object.entries(value)
    .slice(0, MOST_LINES)
    .flatMap(([key, inner]) => linesOf(inner, `${name} ${plain(key, 60)}`.trim(), depth + 1));
}

function notMade(job) {
  const asked = new Set(job?.analyses ?? []);
  return (job?.timeline ?? [])
    .filter((entry) => entry.status === "SKIPPED")
    .map((entry) => [plain(entry.stage, 60), plain(entry.reason) || (asked.has(entry.stage) ? "skipped" : "not asked for")]);
}

function known(facts) {
  return facts.filter(([, value]) => value);
}

function joined(...parts) {
  return parts.filter(Boolean).join(", ");
}

function object(value) {
  return value !== null && typeof value === "object" && !Array.isArray(value) ? value : {};
}

function list(value, most = MOST_LINES) {
  return Array.isArray(value) ? value.slice(0, most) : [];
}

function number(value) {
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}

function share(value) {
  const found = number(value);
  return found !== null && found >= 0 && found <= 1 ? found : null;
}
