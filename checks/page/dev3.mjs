import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { launch, open } from "./browser.mjs";
import { labels, overflow } from "./layout.mjs";
const source = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const b = await launch();
for (const scheme of ["light","dark"]) {
const { page, complaints } = await open(b, process.argv[2], {scheme});
await page.evaluate(() => document.querySelectorAll("details").forEach((node) => (node.open = true)));
await page.evaluate(source);
const v = await page.evaluate(async () => {
        const { violations } = await axe.run(document, { resultTypes: ["violations"], rules: { "target-size": { enabled: true } } });
        return violations.map(({ id, nodes }) => `${id} (${nodes.length}): ${nodes.slice(0,3).map(n=>n.html.slice(0, 160)+n.failureSummary).join("\n    ")}`);
      });
console.log(scheme, v, complaints);
if (scheme=="light") for (const width of [390,768,1400,2560]) { await page.setViewportSize({width,height:900}); console.log(width, await page.evaluate(overflow), width==1400? await page.evaluate(labels):""); await page.screenshot({path:`/tmp/b/dev/w${width}.png`, fullPage:false}); }
}
await b.close();
