// The page answers what readers ask: every answer of book/reading.md is in view as the page opens, or one click away. Its sentences are
// short, and its terms are explained.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { open, test } from "./browser.mjs";
import { HERE, pageOf } from "./pages.mjs";

/// Questions with the selector and the words of their answers, as the table of the book has them.
const questions = () => {
  const text = readFileSync(join(HERE, "../../book/reading.md"), "utf8");
  const rows = text.split("\n").filter((line) => line.startsWith("|")).slice(2);
  const cells = rows.map((row) => row.split("|").slice(1, -1).map((cell) => cell.trim()));
  return cells.map(([reader, question, selector, words]) => ({ reader, question, selector: selector.replace(/`/g, ""), words }));
};

/// Which of the answers are in view; runs in the page.
const inView = (all) =>
  all.map(({ selector, words }) => {
    const seen = (node) => {
      const { top, bottom, height } = node.getBoundingClientRect();
      return height > 0 && node.checkVisibility() && bottom > 0 && top > -height / 2 && top < innerHeight - Math.min(height, 40);
    };
    const text = (node) => node.textContent.replace(/\s+/g, " ").toLowerCase();
    return [...document.querySelectorAll(selector)].some((node) => seen(node) && text(node).includes(words.toLowerCase()));
  });

test("25 questions are answered in view or one click away", async () => {
  const all = questions();
  assert.equal(all.length, 25);
  const { page, complaints } = await open(pageOf("main").file, { width: 1400, height: 900 });
  const answered = await page.evaluate(inView, all);
  await page.evaluate(() => document.querySelectorAll("details[open]").forEach((node) => (node.dataset.was = "open")));
  const places = await page.evaluate(() => {
    const { innerHeight: low } = window;
    const within = ({ top, bottom }) => top < low && bottom > 0;
    const reached = (node) => node.checkVisibility() && within(node.getBoundingClientRect());
    return [...document.querySelectorAll("a[href^='#'], summary")].map(reached);
  });
  for (const k of places.keys()) {
    if (!places[k]) continue;
    await page.evaluate((at) => document.querySelectorAll("a[href^='#'], summary")[at].click(), k);
    (await page.evaluate(inView, all)).forEach((found, at) => (answered[at] ||= found));
    await page.evaluate(() => {
      document.querySelectorAll("details").forEach((node) => (node.open = node.dataset.was === "open"));
      scrollTo(0, 0);
    });
  }
  const missing = all.filter((_, k) => !answered[k]).map(({ question, selector, words }) => `${question} ${selector}: ${words}`);
  assert.deepEqual([...missing, ...complaints], []);
});

const LONGEST = 30;

/// Sentences of the page; runs in the page. Code, figures in tables and lists of settings are no sentences.
const sentences = () => {
  const blocks = [...document.querySelectorAll("p, li, figcaption, summary, dd, h1, h2, h3")];
  const own = (node) => {
    const copy = node.cloneNode(true);
    copy.querySelectorAll("code, ul, ol, table, svg, script, .tools, .key, .legend, .settings").forEach((inner) => inner.remove());
    return copy.textContent.replace(/\s+/g, " ").trim();
  };
  const text = blocks.filter((node) => !node.closest(".settings, #settings, .tools")).map(own);
  // A name may begin a sentence with a small letter; a colon before a capital begins one of its own.
  return text.flatMap((block) => block.split(/(?<=[\p{L}\d)\]%][.!?])\s+|(?<=:)\s+(?=\p{Lu})/u)).filter(Boolean);
};

for (const name of ["main", "audit", "theory"]) {
  test(`no sentence of the page ${name} has more than ${LONGEST} words`, async () => {
    const { page } = await open(pageOf(name).file);
    const words = (sentence) => sentence.split(/\s+/).filter((word) => /\p{L}/u.test(word)).length;
    const long = (await page.evaluate(sentences)).filter((sentence) => words(sentence) > LONGEST);
    assert.deepEqual(long.map((sentence) => `${words(sentence)}: ${sentence}`), []);
  });
}

/// Terms of the field that a reader may not know. Abbreviations are found by their capitals.
const TERMS = ["membership inference", "leak", "member", "non-member", "shadow model", "memorization", "influence", "phi", "advantage",
  "balanced accuracy", "false-positive rate", "true-positive rate", "confidence interval", "recipe", "held-out", "relevant",
  "leave-one-block-out", "influence entropy", "likelihood ratio", "LiRA", "RMIA"];
/// Abbreviations that everyone who can open a page knows, and names of files and works.
const KNOWN = new Set(["CSV", "SVG", "PNG", "LaTeX", "JSON", "HTML", "CPU", "ID", "II", "MB", "OK", "URL", "ICLR", "CC", "BY",
  "MIT", "UCI", "GB"]);

test("every term is in the glossary", async () => {
  const { results, file } = pageOf("main");
  const { page } = await open(file);
  const [text, glossary] = await page.evaluate(() => {
    const main = document.querySelector("main") ?? document.body;
    const copy = main.cloneNode(true);
    copy.querySelectorAll("code, script, style, svg, .tools, #settings, #reproduce, #cite").forEach((node) => node.remove());
    // Words of neighbouring cells do not run together.
    const words = document.createTreeWalker(copy, NodeFilter.SHOW_TEXT);
    const text = [];
    while (words.nextNode()) text.push(words.currentNode.data);
    const terms = [...document.querySelectorAll("#glossary dt, #glossary dd")].map((node) => node.textContent);
    return [text.join(" ").replace(/\s+/g, " "), terms.join(" | ").toLowerCase()];
  });
  const machine = JSON.stringify([results.machine, results.study.name]).toLowerCase();
  const names = new Set(results.recipes.map((recipe) => recipe.name.toLowerCase()));
  const short = new Set(text.match(/\b[A-Z]{2,}[a-z]*[A-Z]*\b/g) ?? []);
  const unknown = (word) => !KNOWN.has(word) && !machine.includes(word.toLowerCase()) && !names.has(word.toLowerCase());
  const used = [...TERMS.filter((term) => text.toLowerCase().includes(term.toLowerCase())), ...[...short].filter(unknown)];
  assert.deepEqual(used.filter((term) => !glossary.includes(term.toLowerCase())), []);
});
