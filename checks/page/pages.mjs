// The pages that are looked at. All come out of `flatleak`, from results that are kept here or beside other tests.

import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";

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

/// A document with every text that is one of `names`, the names of its fields too, replaced.
const renamed = (document, names) => {
  const other = (text) => names.get(text) ?? text;
  const replace = (value) => {
    if (typeof value === "string") return other(value);
    if (Array.isArray(value)) return value.map(replace);
    if (value === null || typeof value !== "object") return value;
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [other(key), key === "file" ? inner : replace(inner)]));
  };
  return replace(document);
};

/// What the main job left behind (`flatleak compare`): results and the listing of examples, packed with gzip, and the pictures as they are.
const MAIN = join(HERE, "fixture");
const kept = (name) => JSON.parse(gunzipSync(readFileSync(join(MAIN, `${name}.json.gz`))));
const AUDIT = join(ROOT, "crates/cli/tests/kept/schema-2/audit/results.json");
const VERSION1 = join(ROOT, "crates/report/tests/version1.json");
const json = (file) => JSON.parse(readFileSync(file, "utf8"));

/// A page of results, and of examples where they are given, beside the main job's pictures.
const page = (name, results, examples) => {
  const folder = join(work, name);
  mkdirSync(folder, { recursive: true });
  const pictures = examples ? readdirSync(MAIN).filter((file) => file.endsWith(".png")) : [];
  pictures.forEach((file) => copyFileSync(join(MAIN, file), join(folder, file)));
  // What was changed has other checksums: it goes without.
  delete results.timings?.checksum;
  results.listings?.forEach((listing) => (listing.blake3 = ""));
  writeFileSync(join(folder, "results.json"), JSON.stringify(results));
  if (examples) writeFileSync(join(folder, "examples.json"), JSON.stringify(examples));
  flatleak("report", folder);
  return { name, file: join(folder, "report.html"), results };
};

/// As many copies of the recipes as asked for, each of its own name; comparisons stay those of the first.
const multiplied = (results, count) => {
  const copies = Array.from({ length: Math.ceil(count / results.recipes.length) }, (_, k) =>
    results.recipes.map((recipe) => ({ ...recipe, name: k ? `${recipe.name}-${k}` : recipe.name })));
  return { ...results, recipes: copies.flat().slice(0, count) };
};

const MADE = {
  main: () => page("main", kept("results"), kept("examples")),
  names: () => {
    const [results, examples] = [kept("results"), kept("examples")];
    const classes = [...new Set(examples.examples.map((example) => example.class))];
    const own = [results.study.name, ...results.recipes.map((recipe) => recipe.name), results.study.datasets[0].name];
    const names = new Map([...own.map((name, k) => [name, HOSTILE[k]]), ...classes.map((name, k) => [name, `${HOSTILE[k % 4]} ${k}`])]);
    return page("names", renamed(results, names), renamed(examples, names));
  },
  many: () => page("many", multiplied(kept("results"), 35), kept("examples")),
  one: () => {
    const results = kept("results");
    return page("one", { ...results, recipes: results.recipes.slice(0, 1), comparisons: [], figures: results.figures.slice(0, 1) });
  },
  // Nothing held out, no picture, no single example.
  bare: () => {
    const results = kept("results");
    const recipes = results.recipes.map((recipe) => ({ ...recipe, test_accuracy: null }));
    const explain = { ...results.explain, influence: [] };
    return page("bare", { ...results, recipes, explain, pictures: [], listings: undefined, frontiers: undefined });
  },
  // As many classes as a table of them would hardly hold, with long names.
  classes: () => {
    const [results, examples] = [kept("results"), kept("examples")];
    results.study.datasets[0].classes = 1000;
    examples.examples.forEach((example, k) => (example.class = `n${k} ${"Long, and of many words. ".repeat(8)}`.slice(0, 200)));
    results.pictures.forEach((picture) => (picture.rows = picture.rows.map((row, k) => `${k} ${"of a long name ".repeat(13)}${row}`)));
    return page("classes", results, examples);
  },
  version1: () => page("version1", json(VERSION1)),
  audit: () => page("audit", json(AUDIT)),
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
