// Every control of every page does what it is for; nothing is said on the console, nothing leaves the page.

import assert from "node:assert/strict";
import { open, test } from "./browser.mjs";
import { exercise } from "./controls.mjs";
import { pageOf } from "./pages.mjs";

for (const name of ["main", "audit", "theory", "version1"]) {
  test(`every control of the page ${name}`, async () => {
    const { page, complaints } = await open(pageOf(name).file);
    const { count, failures } = await exercise(page);
    assert.ok(count > 0, "there are controls");
    assert.deepEqual([...failures, ...complaints], []);
  });
}

test("without scripts the page is whole", async () => {
  const { page, complaints } = await open(pageOf("main").file, { script: false });
  assert.equal(await page.locator("button:visible, input:visible, select:visible").count(), 0, "no control that does nothing");
  assert.ok((await page.locator("figure.plot svg").count()) > 0 && (await page.locator("table").count()) > 0);
  assert.deepEqual(complaints, []);
});
