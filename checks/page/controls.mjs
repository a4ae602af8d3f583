// What each kind of control must do. A control of the page that no kind here covers fails the test.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { PATIENCE } from "./browser.mjs";
import { readCsv, readMarkdown } from "./csv.mjs";

/// Everything that can be worked with: enumerated from the document, so that nothing new goes untested.
export const CONTROLS =
  "a[href], button, input, select, textarea, summary, [tabindex]:not([tabindex='-1']), [contenteditable], [onclick], video, audio";
/// Those that need a name.
const NAMED = "a[href], button, input, select, textarea, summary, svg[tabindex]";

const attribute = (control, name) => control.getAttribute(name);

/// The file that a button gives, as the browser writes it.
export const downloaded = async (page, control) => {
  const [file] = await Promise.all([page.waitForEvent("download", { timeout: PATIENCE }), control.evaluate((node) => node.click())]);
  return { name: file.suggestedFilename(), bytes: readFileSync(await file.path()) };
};

/// The file that a button gives, taken on its way to the browser: the same content, faster.
const caught = async (control) => {
  const { name, content } = await control.evaluate((node, patience) => {
    const { createObjectURL } = URL;
    const { click } = HTMLAnchorElement.prototype;
    return new Promise((done, failed) => {
      const blobs = new Map();
      const restore = () => {
        URL.createObjectURL = createObjectURL;
        HTMLAnchorElement.prototype.click = click;
      };
      URL.createObjectURL = (blob) => {
        const url = createObjectURL.call(URL, blob);
        blobs.set(url, blob);
        return url;
      };
      HTMLAnchorElement.prototype.click = function () {
        restore();
        const reader = new FileReader();
        reader.onload = () => done({ name: this.download, content: reader.result.split(",")[1] });
        reader.readAsDataURL(blobs.get(this.href));
      };
      setTimeout(() => failed(new Error("no file came")), patience);
      node.click();
    });
  }, PATIENCE);
  return { name, bytes: Buffer.from(content, "base64") };
};

const link = async (page, control) => {
  const href = await attribute(control, "href");
  if (!href.startsWith("#")) {
    // Links out of the page are for people to follow: none is fetched.
    assert.match(href, /^https:\/\//, "a link out of the page");
    return;
  }
  await control.evaluate((node) => node.click());
  const found = await page.evaluate((id) => {
    const target = document.getElementById(decodeURIComponent(id));
    if (!target) return "no such place";
    const { top, bottom } = target.getBoundingClientRect();
    return target.checkVisibility() && top < innerHeight && bottom > 0 ? "seen" : `not in view: ${top} to ${bottom}`;
  }, href.slice(1));
  assert.equal(found, "seen", `where ${href} leads`);
};

const summary = async (_, control) => {
  const toggled = await control.evaluate((node) => {
    const was = node.parentElement.open;
    node.click();
    const is = node.parentElement.open;
    node.click();
    return is !== was;
  });
  assert.ok(toggled, "a folded part opens");
};

const key = async (_, control) => {
  const states = await control.evaluate((node) => {
    const all = [...node.closest("figure").querySelectorAll("svg [data-recipe]")];
    const marks = all.filter((mark) => mark.dataset.recipe === node.dataset.recipe);
    const state = () => [node.getAttribute("aria-pressed"), marks.filter((mark) => getComputedStyle(mark).display !== "none").length];
    const states = [state()];
    for (let k = 0; k < 2; k += 1) {
      node.click();
      states.push(state());
    }
    return states;
  });
  const [[first, shown], [second, left], again] = states;
  assert.ok(shown > 0, "a key of a legend stands for marks");
  assert.deepEqual([first, second, left], ["true", "false", 0], "a key hides its marks");
  assert.deepEqual(again, [first, shown], "a key shows them again");
};

const sort = async (page, control, { first }) => {
  const read = () =>
    control.evaluate((node) => {
      const head = node.closest("th");
      const rows = [...head.closest("table").tBodies[0].rows];
      const cell = (row) => row.cells[head.cellIndex];
      const text = (row) => (cell(row)?.textContent ?? "").replace(/\s+/g, " ").trim();
      return { state: head.getAttribute("aria-sort"), numbers: rows.map((r) => cell(r)?.dataset.value ?? ""), texts: rows.map(text) };
    });
  // The first with keys, the others as a click does.
  const press = async () => {
    if (!first) return control.evaluate((node) => node.click());
    await control.focus();
    await page.keyboard.press("Enter");
  };
  const before = await read();
  const [up, down, again] = [await press().then(read), await press().then(read), await press().then(read)];
  assert.deepEqual([up.state, down.state, again.state], ["ascending", "descending", null], "aria-sort");
  assert.deepEqual(again, before, "the third time gives the order of the document");
  assert.deepEqual([...up.texts].sort(), [...before.texts].sort(), "no row is lost");
  const numbers = (side) => side.numbers.filter((v) => v !== "").map(Number);
  const count = numbers(up).length;
  assert.deepEqual(numbers(up), [...numbers(before)].sort((a, b) => a - b), "numbers rise");
  assert.deepEqual(numbers(down), [...numbers(before)].sort((a, b) => b - a), "numbers fall");
  assert.ok(up.numbers.slice(0, count).every((v) => v !== ""), "what has no number stands last");
  const words = (side) => side.texts.filter((text, k) => side.numbers[k] === "" && text !== "");
  const order = new Intl.Collator("en", { numeric: true });
  assert.deepEqual(words(up), [...words(before)].sort(order.compare), "words rise");
};

const search = async (_, control) => {
  const [word, all, found, none, again] = await control.evaluate((node) => {
    const name = node.closest(".tools").ariaLabel.replace("Filter table ", "");
    const table = [...document.querySelectorAll("table[data-name]")].find((t) => t.dataset.name === name);
    const rows = [...table.tBodies].flatMap((body) => [...body.rows]);
    const type = (text) => {
      node.value = text;
      node.dispatchEvent(new Event("input"));
      return rows.map((row) => !row.hidden);
    };
    const word = rows[0].textContent.trim().split(/\s+/)[0];
    const holds = rows.map((row) => row.textContent.replace(/\s+/g, " ").toLowerCase().includes(word.toLowerCase()));
    return [holds, type("").every(Boolean), type(word), type("\u0001no such row").some(Boolean), type("").every(Boolean)];
  });
  assert.deepEqual([all, found, none, again], [true, word, false, true], "a filter");
};

const select = async (_, control) => {
  const outcome = await control.evaluate((node) => {
    const choose = (value) => {
      node.value = value;
      node.dispatchEvent(new Event("input"));
    };
    const box = node.closest(".tools");
    const table = document.querySelector("table.explorer");
    if (node.ariaLabel.startsWith("Compare")) {
      const both = [...box.querySelectorAll("select")].filter((s) => s.ariaLabel.startsWith("Compare"));
      const at = both.indexOf(node);
      const other = both[1 - at];
      choose("1");
      other.value = "2";
      other.dispatchEvent(new Event("input"));
      const heads = [...table.tHead.rows[table.tHead.rows.length - 1].cells];
      const shown = new Set(heads.filter((h) => h.dataset.recipe && !h.hidden).map((h) => h.dataset.recipe));
      const names = [both[0], both[1]].map((s) => s.selectedOptions[0].textContent);
      const difference = heads.find((h) => h.className.includes("difference"));
      const [a, b] = names.map((name) => heads.find((h) => h.dataset.recipe === name));
      const value = (row, head) => Number(row.cells[head.cellIndex].dataset.value);
      const rows = [...table.tBodies[0].rows].filter((row) => row.cells[a.cellIndex].dataset.value && row.cells[b.cellIndex].dataset.value);
      const right = rows.every((row) => value(row, difference) === value(row, b) - value(row, a));
      choose("");
      other.value = "";
      other.dispatchEvent(new Event("input"));
      return shown.size === 2 && rows.length > 0 && right && !table.querySelector(".difference");
    }
    const rows = [...table.tBodies].flatMap((body) => [...body.rows]);
    const column = node.ariaLabel.split(" ")[2];
    const head = [...table.tHead.rows[table.tHead.rows.length - 1].cells].find((h) => h.dataset.column === column);
    choose("1");
    const name = node.selectedOptions[0].textContent;
    const right = rows.every((row) => row.hidden === (row.cells[head.cellIndex].textContent.replace(/\s+/g, " ").trim() !== name));
    const some = rows.some((row) => !row.hidden) && rows.some((row) => row.hidden);
    choose("");
    return right && some && rows.every((row) => !row.hidden);
  });
  assert.ok(outcome, "a choice shows what was chosen");
};

const range = async (page, control) => {
  const look = () => page.evaluate(() => ["density", "eta-value", "f-v"].map((id) => [id, document.getElementById(id).outerHTML]));
  const before = await look();
  await control.focus();
  await page.keyboard.press("Home");
  assert.notDeepEqual(await look(), before, "the slider changes picture and figures");
  await page.keyboard.press("End");
  assert.deepEqual(await look(), before, "and back");
};

const marks = async (page, control) => {
  const said = () => page.evaluate(() => document.querySelector(".tip.on")?.textContent ?? null);
  const own = await control.evaluate((svg) => [...svg.querySelectorAll("[data-said]")].map((mark) => mark.dataset.said));
  const recipes = await control.evaluate((svg) => [...svg.querySelectorAll("[data-said][data-recipe]")].map((mark) => mark.dataset.recipe));
  // What a mark says, or a row of a line: its recipe, and numbers with their names.
  const known = (text) => own.includes(text) || recipes.some((recipe) => text?.startsWith(`${recipe}\n`) && /\n.+: -?[\d.e-]+/.test(text));
  await control.focus();
  const seen = new Set();
  for (const key of ["Home", "ArrowRight", "ArrowRight", "End", "ArrowLeft"]) {
    await page.keyboard.press(key);
    const text = await said();
    assert.ok(known(text), `${key} shows ${text}`);
    seen.add(text);
  }
  assert.ok(seen.size > 1 || new Set(own).size === 1, "arrows move over the values");
  await page.keyboard.press("Escape");
  assert.equal(await said(), null, "Escape puts it away");
  // The pointer over a mark says what the mark stands for.
  const place = await control.evaluate((svg) => {
    const shape = [...svg.querySelectorAll("[data-said] circle, [data-said] rect")].find((node) => node.getBoundingClientRect().width > 0);
    if (!shape) return null;
    shape.scrollIntoView({ block: "center" });
    const { left, top, width, height } = shape.getBoundingClientRect();
    return { x: left + width / 2, y: top + height / 2 };
  });
  if (!place) return;
  await page.mouse.move(place.x, place.y);
  assert.ok(known(await said()), `the pointer shows ${await said()}`);
  await page.mouse.move(0, 0);
};

const region = async (page, control) => {
  await control.focus();
  assert.ok(await control.evaluate((node) => node === document.activeElement), "a scrolled part can be reached with keys");
};

/// Figures with lines come nearer with + and with a drag; the whole comes back with - and with the button.
const whole = async (page, control) => {
  const svg = await control.evaluateHandle((node) => node.closest("figure").querySelector("svg"));
  const look = async () => [await svg.evaluate((node) => node.viewBox.baseVal.width), await control.evaluate((node) => node.hidden)];
  const [width] = await look();
  await svg.focus();
  await page.keyboard.press("Home");
  await page.keyboard.press("+");
  assert.deepEqual(await look(), [width / 2, false], "+ halves what is shown");
  await page.keyboard.press("-");
  assert.deepEqual(await look(), [width, true], "- shows the whole");
  await svg.evaluate((node) => node.scrollIntoView({ block: "center" }));
  const { x, y, width: wide } = await svg.boundingBox();
  await page.mouse.move(x + wide / 4, y + wide / 4);
  await page.mouse.down();
  await page.mouse.move(x + wide / 2, y + wide / 3, { steps: 3 });
  await page.mouse.up();
  const [near, hidden] = await look();
  assert.ok(near < width / 2 && !hidden, "a drag shows what was dragged over");
  await control.evaluate((node) => node.click());
  assert.deepEqual(await look(), [width, true], "the button shows the whole");
  await page.mouse.move(0, 0);
};

/// A picture by itself: it parses, nothing in it depends on the page, and it says what it shows.
const svgFile = async (page, { bytes }) => {
  const problems = await page.evaluate((source) => {
    const parsed = new DOMParser().parseFromString(source, "image/svg+xml");
    if (parsed.querySelector("parsererror")) return [parsed.querySelector("parsererror").textContent];
    const svg = parsed.documentElement;
    const values = [svg, ...svg.querySelectorAll("*")].flatMap((node) => [...node.attributes].map(({ name, value }) => [name, value]));
    const foreign = ([name, value]) => /^(?:class|style|on.*)$/.test(name) || /var\(|currentColor|color-mix|^color\(/.test(value);
    const borrowed = values.filter(foreign);
    const out = borrowed.map((pair) => `borrowed from the page: ${pair.join("=")}`);
    if (svg.namespaceURI !== "http://www.w3.org/2000/svg") out.push("another namespace");
    if (!svg.querySelector("title")?.textContent) out.push("no title");
    if (!(Number(svg.getAttribute("width")) > 0)) out.push("no width");
    return out;
  }, bytes.toString("utf8"));
  assert.deepEqual(problems, [], "an SVG file");
};

const pngFile = async (page, { bytes }, control) => {
  const width = await control.evaluate((node) => node.closest("figure").querySelector("svg").viewBox.baseVal.width);
  const [wide, colours] = await page.evaluate(async (text) => {
    const numbers = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
    const image = await createImageBitmap(new Blob([numbers], { type: "image/png" }));
    const pen = new OffscreenCanvas(image.width, image.height).getContext("2d");
    pen.drawImage(image, 0, 0);
    const data = new Uint32Array(pen.getImageData(0, 0, image.width, image.height).data.buffer);
    const colours = new Set();
    for (let k = 0; k < data.length && colours.size < 3; k += 1) colours.add(data[k]);
    return [image.width, colours.size];
  }, bytes.toString("base64"));
  assert.ok(wide >= 2 * width, `a PNG of ${wide} pixels for ${width} units`);
  assert.ok(colours > 2, "a PNG that shows something");
};

const tableOf = (control) =>
  control.evaluate((node) => {
    const name = node.closest(".tools").ariaLabel.replace("Save table ", "");
    const table = [...document.querySelectorAll("table[data-name]")].find((t) => t.dataset.name === name);
    const heads = [...table.tHead.rows[table.tHead.rows.length - 1].cells];
    const rows = [...table.tBodies].flatMap((body) => [...body.rows]).filter((row) => !row.hidden);
    const text = (cell) => cell.textContent.replace(/\s+/g, " ").trim();
    const cell = (c) => ({ text: text(c), ...c.dataset });
    return { heads: heads.map(text), rows: rows.map((row) => [...row.cells].map(cell)) };
  });

const csvFile = async (control, { bytes }) => {
  const [heads, ...rows] = readCsv(bytes.toString("utf8"));
  assert.ok(rows.every((row) => row.length === heads.length), "as many cells as heads");
  const figure = await control.evaluate((node) => node.closest("figure")?.querySelector("script.data")?.textContent ?? null);
  if (figure !== null) {
    const data = JSON.parse(figure);
    assert.equal(rows.length, data.length, "a line for every row");
    data.forEach((row, k) => Object.entries(row).forEach(([name, value]) => same(rows[k][heads.indexOf(name)], value)));
    return;
  }
  const table = await tableOf(control);
  assert.equal(rows.length, table.rows.length, "a line for every row of the table");
  let at = 0;
  for (const column of written(table)) {
    const head = table.heads[column];
    const wide = table.rows.some((row) => row[column]?.low);
    assert.deepEqual(heads.slice(at, at + (wide ? 3 : 1)), wide ? [head, `${head} low`, `${head} high`] : [head]);
    const equal = (text, value) => assert.ok(text !== "" && Number(text) === Number(value), `${head}: ${text} for ${value}`);
    table.rows.forEach((row, k) => {
      const cell = row[column];
      if (cell?.value) equal(rows[k][at], cell.value);
      if (cell?.low) [cell.low, cell.high].forEach((end, side) => equal(rows[k][at + 1 + side], end));
    });
    at += wide ? 3 : 1;
  }
  assert.equal(at, heads.length, "no other column");
};

/// Columns of a table that hold text, by their place: those of pictures are not written.
const written = ({ heads, rows }) => [...heads.keys()].filter((k) => !rows.length || rows.some((row) => row[k]?.text));

const same = (cell, value) => {
  if (value === null || value === undefined) return assert.equal(cell, "");
  if (typeof value === "number") return assert.equal(Number(cell), value);
  const text = String(value);
  // A spreadsheet must not compute what is a name.
  const computed = ["=", "+", "-", "@"].includes(text.trim().normalize("NFKC")[0]);
  return assert.equal(cell, computed ? `'${text}` : text);
};

const markdownFile = async (control, { bytes }) => {
  const lines = readMarkdown(bytes.toString("utf8"));
  const table = await tableOf(control);
  const columns = written(table);
  assert.deepEqual(lines[0], columns.map((k) => table.heads[k]), "heads of Markdown are those of the table");
  assert.ok(lines[1].every((cell) => /^---:?$/.test(cell)), "the line below the heads");
  const texts = table.rows.map((row) => columns.map((k) => row[k]?.text ?? ""));
  assert.deepEqual(lines.slice(2), texts, "rows of Markdown are those of the table");
};

/// The tables in LaTeX that were given away, for a compiler.
export const latexFiles = [];

const latexFile = async (control, { bytes }) => {
  const text = bytes.toString("utf8");
  const table = await tableOf(control);
  assert.match(text, /\\begin\{tabular\}\{[lr]+\}\n\\toprule\n[^]*\\bottomrule\n\\end\{tabular\}\n$/);
  assert.equal(text.split("\\\\\n").length - 1, table.rows.length + 1, "a line for the heads and for every row");
  latexFiles.push(text);
};

const saved = async (page, control, { first }) => {
  const file = await (first ? downloaded(page, control) : caught(control));
  const ending = file.name.split(".").pop();
  assert.match(file.name, /^[A-Za-z0-9][A-Za-z0-9.-]*\.(?:svg|png|csv|md|tex)$/, "the name of a file");
  if (ending === "svg") await svgFile(page, file);
  if (ending === "png") await pngFile(page, file, control);
  if (ending === "csv") await csvFile(control, file);
  if (ending === "md") await markdownFile(control, file);
  if (ending === "tex") await latexFile(control, file);
};

/// Selectors, the special before the general, with what is done.
const KINDS = [
  ["a[href]", link],
  ["summary", summary],
  ["button.key", key],
  ["button.sort", sort],
  ["button.whole", whole],
  [".tools[aria-label^='Save'] button", saved],
  ["input[type=search]", search],
  [".tools select", select],
  ["input#eta", range],
  ["svg[tabindex]", marks],
  [".scroll[tabindex], pre[tabindex]", region],
];

/// What a control is, and whether it has a name; folded parts around it are opened, as a person would. Runs in the page.
const prepare = (nodes, [selectors, named]) =>
  nodes.map((node) => {
    const folded = (up) => up.tagName === "DETAILS" && !(node.tagName === "SUMMARY" && node.parentElement === up);
    for (let up = node.parentElement; up; up = up.parentElement) if (folded(up)) up.open = true;
    const called = [node.ariaLabel, node.textContent.trim(), node.labels?.length, node.querySelector("title")];
    return {
      what: node.outerHTML.slice(0, 160),
      kind: selectors.findIndex((selector) => node.matches(selector)),
      like: `${node.tagName} ${node.className} ${node.tagName === "BUTTON" ? node.textContent : ""}`,
      named: !node.matches(named) || called.some(Boolean),
    };
  });

/// Works every control of a page, or those of a selector; those that no kind covers, and what went wrong with the others.
export const exercise = async (page, selector = CONTROLS) => {
  const controls = await page.locator(selector).elementHandles();
  const prepared = await page.locator(selector).evaluateAll(prepare, [KINDS.map(([selector]) => selector), NAMED]);
  const failures = [];
  const seen = new Set();
  for (const [k, control] of controls.entries()) {
    const { what, kind, like, named } = prepared[k];
    if (!named) failures.push(`no name: ${what}`);
    if (kind < 0) {
      failures.push(`no test for ${what}`);
      continue;
    }
    const first = !seen.has(like);
    seen.add(like);
    try {
      await KINDS[kind][1](page, control, { first });
    } catch (error) {
      failures.push(`${what}: ${error.message.split("\n").slice(0, 6).join(" / ")}`);
    }
  }
  return { count: controls.length, failures };
};
