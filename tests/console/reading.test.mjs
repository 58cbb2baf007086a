// Reading what others wrote: reports of any shape, texts of any kind, addresses that somebody has typed.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { mediaTypeOf } from "../../console/media_types.js";
import { newJobId } from "../../console/job_ids.js";
import { onOwnOrigin } from "../../console/storage.js";
import { placeOf, toJob, toJobs } from "../../console/places.js";
import { plain } from "../../console/plain_text.js";
import { readReport } from "../../console/report_reading.js";
import { triesOf } from "../../console/tries.js";

const SEEDING = JSON.parse(readFileSync(new URL("../unit/client/reports/seeding.json", import.meta.url)));

test("a real report is read in full", () => {
  const read = readReport(SEEDING, { timeline: [] });
  assert.equal(read.colours.length, 6);
  assert.equal(read.colours[0].name, "dark greyish olive green");
  assert.deepEqual(Object.keys(read.histogram), ["luma", "red", "green", "blue"]);
  assert.deepEqual(read.scores.map(({ name, score }) => [name, score]), [["contrast", 100], ["exposure", 92], ["sharpness", 62]]);
  assert.equal(read.verdicts.length, 2);
  assert.deepEqual(read.codes, []);
  assert.equal(read.hasLocation, false);
});

test("a report of any shape is read without an error", () => {
  const strange = [null, true, 5, -1, 1e308, "text", "<b>", [], [[]], [null], {}, { a: { b: { c: { d: {} } } } }];
  const paths = ["summary", "image", "analyses", ...["palette", "quality", "codes", "regions", "labels", "fingerprint", "new"].map((name) => `analyses.${name}`),
    "analyses.palette.colours", "analyses.palette.mean", "analyses.palette.histogram", "analyses.palette.histogram.luma", "analyses.codes.codes",
    "analyses.quality.verdicts", "analyses.quality.sharpness", "image.photo", "image.exif", "image.dpi", "image.width"];
  for (const path of paths) {
    for (const value of strange) {
      const report = structuredClone(SEEDING);
      const names = path.split(".");
      const last = names.pop();
      names.reduce((at, name) => (at[name] ??= {}), report)[last] = value;
      readReport(report, undefined);
    }
  }
  readReport({}, {});
});

test("where a code is follows from its corners", () => {
  const report = { analyses: { codes: { found: 3, codes: [{ format: "QR", text: "a\nb", positionInOriginal: [[10, 20], [110, 20], [110, 120], [10, 120]], orientation: 90 }] } } };
  const { codes, moreCodes } = readReport(report, {});
  assert.deepEqual(codes[0].lines, ["a", "b"]);
  assert.equal(codes[0].place, "100 × 100 pixels at 10, 20, turned by 90°");
  assert.equal(moreCodes, 2);
});

test("text is cut, and what could turn or hide it is written out", () => {
  assert.equal(plain("a\u202eb\u0000c"), "a\\u{202e}b\\u{0}c");
  assert.equal(plain("é 🙂 <b>"), "é 🙂 <b>");
  assert.equal(plain("x".repeat(600)).length, 501);
  assert.equal(plain({ toString: () => "never" }), "");
  assert.equal(plain(null), "");
});

test("an address is read back as it was written, and nonsense leads to the list", () => {
  const place = { view: "jobs", status: "FAILED", search: "a & b", pages: 3 };
  assert.deepEqual(placeOf(toJobs(place)), place);
  assert.deepEqual(placeOf(toJob("job-1", "someone")), { view: "job", jobId: "job-1", owner: "someone" });
  for (const nonsense of ["", "#", "#/x/y/z", "#/jobs?status=NO&pages=-4", "#/jobs?pages=1e99", "#/jobs?pages=x"]) {
    const { view, status, pages } = placeOf(nonsense);
    assert.deepEqual([view, status], ["jobs", null]);
    assert.ok(pages >= 1 && pages <= 40);
  }
  assert.equal(placeOf("#/jobs/%E0%A4%A").jobId, "%E0%A4%A");
});

test("a presigned address moves to our own origin whole", () => {
  assert.equal(onOwnOrigin("https://bucket.s3.eu-central-1.amazonaws.com/a%20b?X-Amz-Signature=1&x=%2F", "/files"), "/files/a%20b?X-Amz-Signature=1&x=%2F");
});

test("ids are UUIDs of version 7 that carry their time", () => {
  const id = newJobId(0x0123456789ab);
  assert.match(id, /^01234567-89ab-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.notEqual(newJobId(1), newJobId(1));
});

test("a file is known by how it begins, or by its name", async () => {
  const file = (name, bytes) => new File([Uint8Array.from(bytes)], name);
  assert.equal(await mediaTypeOf(file("x.png", [0xff, 0xd8, 0xff, 0xe0])), "image/jpeg");
  assert.equal(await mediaTypeOf(file("x.PNG", [1, 2, 3])), "image/png");
  assert.equal(await mediaTypeOf(file("x.txt", [104, 105])), null);
});

test("tries of a stage are told apart by attempt and number, with what was waited between", () => {
  const event = (seq, entry) => ({ time: `2026-11-24T12:00:0${seq}.000Z`, data: { seq, attempt: 1, stages: [entry] } });
  const at = (second) => `2026-11-24T12:00:0${second}.000Z`;
  const tries = triesOf([
    event(1, { stage: "codes", status: "RUNNING", tries: 1, attempt: 1, startedAt: at(1) }),
    event(2, { stage: "codes", status: "FAILED", tries: 1, attempt: 1, startedAt: at(1), finishedAt: at(2), error: { class: "X", message: "no" } }),
    event(4, { stage: "codes", status: "RUNNING", tries: 2, attempt: 1, startedAt: at(4) }),
    event(5, { stage: "codes", status: "DONE", tries: 2, attempt: 1, startedAt: at(4), finishedAt: at(5) }),
  ]).get("codes");
  assert.deepEqual(tries.map(({ number, status, waited }) => [number, status, waited]), [[1, "FAILED", null], [2, "DONE", 2]]);
});
