// Paper and size: the main job's page prints on few sheets and is a small file.

import assert from "node:assert/strict";
import { statSync } from "node:fs";
import { open, test } from "./browser.mjs";
import { pageOf } from "./pages.mjs";

test("the main job's page prints on at most 12 sheets", async () => {
  const { page, complaints } = await open(pageOf("main").file);
  const pdf = (await page.pdf({ format: "A4", preferCSSPageSize: true, printBackground: true })).toString("latin1");
  const sheets = pdf.match(/\/Type\s*\/Page\b(?!s)/g)?.length ?? 0;
  console.log(`${sheets} sheets`);
  assert.ok(sheets > 0 && sheets <= 12, `${sheets} sheets`);
  assert.deepEqual(complaints, []);
});

test("the main job's page is at most 1.5 MB", () => {
  const bytes = statSync(pageOf("main").file).size;
  console.log(`${bytes} bytes`);
  assert.ok(bytes <= 1.5e6, `${bytes} bytes`);
});
