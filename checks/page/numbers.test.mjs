// What is downloaded reads back to the numbers of results.json.

import assert from "node:assert/strict";
import { open, test } from "./browser.mjs";
import { downloaded } from "./controls.mjs";
import { readCsv } from "./csv.mjs";
import { pageOf } from "./pages.mjs";

/// Lines of a file as objects by their heads, and the heads.
const table = async (page, selector) => {
  const control = await page.locator(selector).first().elementHandle();
  const [heads, ...rows] = readCsv((await downloaded(page, control)).bytes.toString("utf8"));
  return { heads, rows: rows.map((row) => Object.fromEntries(row.map((cell, k) => [heads[k], cell]))) };
};
const three = (row, head) => [row[head], row[`${head} low`], row[`${head} high`]].map(Number);
const ends = ({ mean, low, high }) => [mean, low, high];

test("tables and figures read back to results.json", async () => {
  const { file, results } = pageOf("main");
  const { page } = await open(file);
  const numbers = await table(page, "button[aria-label='Save table The numbers that matter as CSV']");
  const head = (start) => numbers.heads.find((name) => name.startsWith(start));
  assert.equal(numbers.rows.length, results.recipes.length);
  for (const row of numbers.rows) {
    const recipe = results.recipes.find((one) => one.name === row[numbers.heads[0]]);
    const strongest = recipe.attacks.find((attack) => attack.name === "strongest");
    assert.deepEqual(three(row, head("test accuracy")), ends(recipe.test_accuracy));
    assert.deepEqual(three(row, head("leakage")), ends(strongest.auc));
    const found = strongest.tpr_at_fpr.map(({ tpr }) => ends(tpr).join());
    assert.ok(found.includes(three(row, head("members found")).join()), "TPR at one of the levels");
  }
  const curve = await table(page, "#fig-roc-1 button[aria-label$='as CSV']");
  const attack = results.figures[0].roc[0].attack;
  for (const { recipe, roc } of results.figures) {
    const rows = curve.rows.filter((row) => row.recipe === recipe);
    const { fpr, tpr } = roc.find((one) => one.attack === attack);
    const [x, y] = curve.heads.slice(1);
    assert.deepEqual(rows.map((row) => Number(row[x])), fpr);
    assert.deepEqual(rows.map((row) => Number(row[y])), tpr.map((one) => one.mean));
  }
});
