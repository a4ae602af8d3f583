// Every table that the pages give in LaTeX compiles: bash checks/page.sh --full.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { closeAll, open, test } from "./browser.mjs";
import { exercise, latexFiles } from "./controls.mjs";
import { pageOf } from "./pages.mjs";

/// Letters of every kind that a name may have, put where the script takes its tables from.
const ODD = [
  String.raw`\ { } $ & # % _ ^ ~ < > | " ' - -- --- [a] *`,
  "[first", "*star", "caf\u00e9 \u4e2d\u6587 \u0414\u0430 \u05d0 \ud83d\ude00 \u202e",
];

test("tables in LaTeX compile", async () => {
  const folder = mkdtempSync(join(tmpdir(), "flatleak-latex-"));
  const accents = Array.from({ length: 0x17f - 0xa0 }, (_, k) => String.fromCodePoint(0xa1 + k));
  const file = join(folder, "odd.html");
  const odd = JSON.stringify([...ODD, ...accents]);
  // The script as a page has it.
  const [, source] = readFileSync(pageOf("main").file, "utf8").match(/<script>([^]*?)<\/script>/);
  const row = `const row = document.querySelector("tbody").insertRow();`;
  const fill = `for (const text of ${odd}) { ${row} for (const k of [0, 1]) row.insertCell().textContent = text; }`;
  const table = "<table data-name=odd><thead><tr><th>[a<th>b<tbody></table>";
  writeFileSync(file, `<!doctype html><meta charset=utf-8><title>odd</title>${table}<script>${fill}\n${source}</script>`);
  latexFiles.length = 0;
  for (const page of [file, ...["main", "names", "audit", "version1"].map((name) => pageOf(name).file)]) {
    const opened = await open(page);
    const { failures } = await exercise(opened.page, "button[aria-label$='as LaTeX']");
    assert.deepEqual(failures, []);
    await closeAll();
  }
  assert.ok(latexFiles.length > 10, `${latexFiles.length} tables`);
  const body = latexFiles.map((text) => `\\resizebox{\\linewidth}{!}{${text}}\\par`).join("\n");
  const head = "\\documentclass{article}\\usepackage[T1]{fontenc}\\usepackage{booktabs,lmodern,graphicx}\\begin{document}";
  writeFileSync(join(folder, "tables.tex"), `${head}\n${body}\n\\end{document}\n`);
  const words = ["-halt-on-error", "-interaction=nonstopmode", "tables.tex"];
  const run = () => execFileSync("pdflatex", words, { cwd: folder, encoding: "utf8" });
  assert.doesNotThrow(run, `pdflatex: see ${folder}/tables.log`);
});
