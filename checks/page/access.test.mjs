// axe-core finds nothing to complain about (its rules of WCAG 2.0 to 2.2, A and AA, and its best practices), in light and, where colours
// matter, in dark.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { open, test } from "./browser.mjs";
import { pageOf } from "./pages.mjs";

const source = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
/// What a page does wrong by axe-core; runs in the page.
const violations = async (rules) => {
  const only = rules ? { runOnly: { type: "tag", values: rules } } : { rules: { "target-size": { enabled: true } } };
  const { violations, passes } = await axe.run(document, { resultTypes: ["violations"], ...only });
  const said = ({ id, nodes }) => `${id} (${nodes.length}): ${nodes[0].html.slice(0, 160)}: ${nodes[0].failureSummary}`;
  return { count: passes.length, said: violations.map(said) };
};

for (const name of ["main", "audit", "theory", "version1"]) {
  test(`axe on the page ${name}`, async () => {
    const { page } = await open(pageOf(name).file);
    await page.evaluate(() => document.querySelectorAll("details").forEach((node) => (node.open = true)));
    // Rows of the list of examples are alike: twenty of them are looked at.
    await page.evaluate(() => document.querySelectorAll("table.explorer tbody tr:nth-child(n+21)").forEach((row) => row.remove()));
    await page.evaluate(source);
    for (const [scheme, rules] of [["light", null], ["dark", ["cat.color"]]]) {
      await page.emulateMedia({ colorScheme: scheme });
      const { count, said } = await page.evaluate(violations, rules);
      assert.ok(count > 0, "some rule applies");
      assert.deepEqual(said, [], scheme);
    }
  });
}
