// What the page looks like, beside what it looked like when someone last looked: warns and never fails, because fonts differ by machine.
// FLATLEAK_BLESS=1 keeps the pictures anew.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { open, test } from "./browser.mjs";
import { HERE, pageOf } from "./pages.mjs";

const LIMIT = 0.02;
/// Share of the pixels that differ by more than a tenth in a colour; pictures of other sizes differ whole. Runs in the page.
const differing = async (pair) => {
  const read = async (text) => {
    const numbers = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
    const image = await createImageBitmap(new Blob([numbers], { type: "image/png" }));
    const pen = new OffscreenCanvas(image.width, image.height).getContext("2d");
    pen.drawImage(image, 0, 0);
    return pen.getImageData(0, 0, image.width, image.height);
  };
  const [a, b] = await Promise.all(pair.map(read));
  if (a.width !== b.width || a.height !== b.height) return 1;
  let count = 0;
  for (let k = 0; k < a.data.length; k += 4) count += [0, 1, 2].some((c) => Math.abs(a.data[k + c] - b.data[k + c]) > 25);
  return count / (a.width * a.height);
};

for (const width of [390, 768, 1400, 2560]) {
  test(`looks at ${width}`, async () => {
    const { page } = await open(pageOf("main").file, { width, height: 900, scale: 0.5 });
    const now = await page.screenshot();
    const kept = join(HERE, "looks", `${width}.png`);
    if (process.env.FLATLEAK_BLESS === "1" || !existsSync(kept)) {
      mkdirSync(join(HERE, "looks"), { recursive: true });
      writeFileSync(kept, now);
    }
    const share = await page.evaluate(differing, [now, readFileSync(kept)].map((bytes) => bytes.toString("base64")));
    const word = share > LIMIT ? "WARNING: look at it" : "as before";
    console.log(`${width}: ${(100 * share).toFixed(2)} % of the pixels differ, ${word}`);
  });
}
