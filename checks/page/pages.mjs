// The pages that are looked at. All come out of `flatleak`, from results that are kept here or beside other tests.

import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

export const HERE = dirname(fileURLToPath(import.meta.url));
const ROOT = resolve(HERE, "../..");
const PROGRAM = process.env.FLATLEAK ?? join(ROOT, "target/release/flatleak");
const work = mkdtempSync(join(tmpdir(), "flatleak-page-"));
process.on("exit", () => execFileSync("rm", ["-rf", work]));

const flatleak = (...words) => execFileSync(PROGRAM, words, { stdio: ["ignore", "ignore", "pipe"] });

/// Names that try to be more than names.
export const HOSTILE = [
  `<script>window.caught='name'</script>`,
  `"><img src=x onerror="window.caught='attribute'">`,
  `</script></style></title></textarea><b onmouseover=window.caught=1>'"\``,
  `\u202eevil\u2066\u200b\ufeff =HYPERLINK("https://example.org") {{7*7}} \\input{x} $x_1^2$ %`,
  "n".repeat(10000),
];

/// The results with every text that is one of `names` replaced, whole, or as a word within sentences.
const renamed = (results, names) => {
  const replace = (value) => {
    if (typeof value === "string") return names.has(value) ? names.get(value) : value;
    if (Array.isArray(value)) return value.map(replace);
    if (value === null || typeof value !== "object") return value;
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, key === "file" ? inner : replace(inner)]));
  };
  return replace(results);
};

const read = (folder) => JSON.parse(readFileSync(join(folder, "results.json"), "utf8"));

/// A page of results, written beside the pictures of `from`, whose results they were before they were changed.
const page = (name, results, from) => {
  const folder = join(work, name);
  mkdirSync(folder, { recursive: true });
  if (from) cpSync(from, folder, { recursive: true, filter: (path) => !/study\.toml$|models$/.test(path) });
  // What was changed has another checksum: it goes without.
  delete results.timings?.checksum;
  writeFileSync(join(folder, "results.json"), JSON.stringify(results));
  flatleak("report", folder);
  return { name, file: join(folder, "report.html"), results };
};

const MAIN = join(HERE, "fixture");
const AUDIT = join(ROOT, "crates/cli/tests/kept/schema-2/audit");

/// As many copies of the recipes as asked for, each of its own name; comparisons stay those of the first.
const multiplied = (results, count) => {
  const copies = Array.from({ length: Math.ceil(count / results.recipes.length) }, (_, k) =>
    results.recipes.map((recipe) => ({ ...recipe, name: k ? `${recipe.name}-${k}` : recipe.name })));
  return { ...results, recipes: copies.flat().slice(0, count) };
};

const MADE = {
  main: () => page("main", read(MAIN), MAIN),
  names: () => {
    const results = read(MAIN);
    const [study, first, second, third, data] = HOSTILE;
    const [a, b, c] = results.recipes.map((recipe) => recipe.name);
    const names = [[results.study.name, study], [a, first], [b, second], [c, third], [results.study.datasets[0].name, data]];
    return page("names", renamed(results, new Map(names)), MAIN);
  },
  many: () => page("many", multiplied(read(MAIN), 35), MAIN),
  one: () => {
    const results = read(MAIN);
    const [recipe] = results.recipes;
    return page("one", { ...results, recipes: [recipe], comparisons: [], figures: results.figures.slice(0, 1) });
  },
  version1: () => page("version1", JSON.parse(readFileSync(join(ROOT, "crates/report/tests/version1.json"), "utf8"))),
  audit: () => page("audit", read(AUDIT)),
  theory: () => {
    flatleak("theory", "--out", join(work, "theory"));
    return { name: "theory", file: join(work, "theory", "theory.html"), results: null };
  },
};

export const NAMES = Object.keys(MADE);
const made = new Map();

/// A page by name, made when it is first asked for.
export const pageOf = (name) => {
  if (!made.has(name)) made.set(name, MADE[name]());
  return made.get(name);
};

/// A page without anything: what a first paint costs at least.
export const emptyPage = () => {
  const file = join(work, "empty.html");
  if (!existsSync(file)) writeFileSync(file, "<!doctype html><html lang=en><meta charset=utf-8><title>empty</title><p>empty</p></html>");
  return file;
};
