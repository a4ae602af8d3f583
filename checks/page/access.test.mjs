// axe-core finds nothing to complain about, in light and in dark (its rules of WCAG 2.0 to 2.2, A and AA, and its best practices).

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { launch, open } from "./browser.mjs";
import { pageOf } from "./pages.mjs";

const source = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
let browser;
before(async () => (browser = await launch()));
after(() => browser.close());

for (const name of ["main", "audit", "theory", "version1"]) {
  for (const scheme of ["light", "dark"]) {
    test(`axe on the page ${name}, ${scheme}`, async () => {
      const { page, close } = await open(browser, pageOf(name).file, { scheme });
      await page.evaluate(() => document.querySelectorAll("details").forEach((node) => (node.open = true)));
      await page.evaluate(source);
      const violations = await page.evaluate(async () => {
        const { violations } = await axe.run(document, { resultTypes: ["violations"], rules: { "target-size": { enabled: true } } });
        return violations.map(({ id, nodes }) => `${id} (${nodes.length}): ${nodes[0].html.slice(0, 160)}: ${nodes[0].failureSummary}`);
      });
      assert.deepEqual(violations, []);
      await close();
    });
  }
}
