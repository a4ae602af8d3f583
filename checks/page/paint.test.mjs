// First paint: the median of five of the main job's page beside an empty page, and of a page with 35 recipes. What is late fails
// `checks/page.sh --full`, and is a warning otherwise.

import assert from "node:assert/strict";
import { availableParallelism, loadavg } from "node:os";
import { closeAll, open, test } from "./browser.mjs";
import { emptyPage, pageOf } from "./pages.mjs";

const painted = async (file) => {
  const { page } = await open(file);
  const seen = () =>
    new Promise((done) => {
      new PerformanceObserver((list) => done(list.getEntries()[0].startTime)).observe({ type: "paint", buffered: true });
    });
  const milliseconds = await page.evaluate(seen);
  await closeAll();
  return milliseconds;
};

test("first paint", async () => {
  const files = { empty: emptyPage(), main: pageOf("main").file, many: pageOf("many").file };
  const times = Object.fromEntries(Object.keys(files).map((name) => [name, []]));
  // In turn, so that a busy moment of the machine meets all of them; the first round warms up.
  for (let k = 0; k < 6; k += 1) {
    for (const [name, file] of Object.entries(files)) {
      const time = await painted(file);
      if (k) times[name].push(time);
    }
  }
  const median = (all) => [...all].sort((a, b) => a - b)[2];
  const [empty, main, many] = Object.values(times).map(median);
  console.log(`first paint in ms, medians of five: empty ${empty.toFixed(0)}, main job ${main.toFixed(0)}, 35 recipes ${many.toFixed(0)}`);
  const late = [...(main <= empty + 200 ? [] : ["the main job's page"]), ...(many < 2000 ? [] : ["the page with 35 recipes"])];
  if (process.env.FLATLEAK_FULL === "1") return assert.deepEqual(late, []);
  // Beside other work the clock measures that work.
  return late.forEach((what) => console.log(`WARNING: ${what} is late; load ${loadavg()[0].toFixed(0)} on ${availableParallelism()} cores`));
});
