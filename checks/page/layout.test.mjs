// Nothing is cut off at four widths; labels of pictures do not lie over each other.

import assert from "node:assert/strict";
import { open, test } from "./browser.mjs";
import { labels, overflow } from "./layout.mjs";
import { NAMES, pageOf } from "./pages.mjs";

const WIDTHS = [390, 768, 1400, 2560];
for (const name of NAMES) {
  test(`the page ${name} at four widths`, async () => {
    const failures = [];
    const { page, complaints } = await open(pageOf(name).file);
    await page.evaluate(() => document.querySelectorAll("details").forEach((node) => (node.open = true)));
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: 900 });
      const found = [...(await page.evaluate(overflow)), ...(width === 1400 ? await page.evaluate(labels) : [])];
      failures.push(...found.map((what) => `${width}: ${what}`));
    }
    assert.deepEqual([...failures, ...complaints], []);
  });
}
