// Names are text, whatever they say: in the page, in what its controls do, and in the files that it gives.

import assert from "node:assert/strict";
import { open, test } from "./browser.mjs";
import { exercise } from "./controls.mjs";
import { HOSTILE, pageOf } from "./pages.mjs";

/// What must be the same whatever the names are, and what names must not bring.
const look = (page) =>
  page.evaluate(() => ({
    scripts: document.querySelectorAll("script:not([type='application/json'])").length,
    foreign: document.querySelectorAll("b[onmouseover], img[src='x'], [onerror], [onload], iframe, object, embed, base, link").length,
    caught: window.caught ?? null,
    text: document.body.textContent,
    data: [...document.querySelectorAll("script[type='application/json']")].every((node) => Boolean(JSON.parse(node.textContent))),
  }));

test("names with marks, quotes, ten thousand letters and letters that turn the line stay text", async () => {
  const plain = await open(pageOf("main").file);
  const usual = await look(plain.page);
  const { page, complaints } = await open(pageOf("names").file);
  const check = async (when) => {
    const found = await look(page);
    assert.deepEqual([found.caught, found.foreign, found.scripts, found.data], [null, 0, usual.scripts, true], when);
    return found.text;
  };
  const text = await check("as it opens");
  assert.ok(text.includes(HOSTILE[0]) || text.includes(HOSTILE[0].slice(0, 20)), "a name is shown as it is");
  const found = (pattern) => text.match(pattern)?.[0] ?? null;
  assert.equal(found(/.{0,40}[\u202a-\u202e\u2066-\u2069\u200b\ufeff].{0,40}/), null, "letters that turn the line are written out");
  assert.equal(found(/n{1000}/), null, "long names are cut");
  const { failures } = await exercise(page);
  await check("after all controls were used");
  assert.deepEqual([...failures, ...complaints], []);
});
