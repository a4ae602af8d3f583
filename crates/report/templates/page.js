// What the page does beyond showing: values under the pointer, legends that hide a recipe, tables that sort and filter, files to keep.
//
// Without this script the page is whole and static. Nothing is fetched. Names come from users: they reach the document as textContent or
// as the value of an attribute, never as HTML.
"use strict";
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const plain = (node) => node.textContent.replace(/\s+/g, " ").trim();

  const make = (tag, attributes = {}, text = "") => {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    node.textContent = text;
    return node;
  };
  const button = (text, label, act) => {
    const node = make("button", { type: "button", "aria-label": label }, text);
    node.addEventListener("click", act);
    return node;
  };
  const tools = (label, ...controls) => {
    const node = make("div", { class: "tools", role: "group", "aria-label": label });
    node.append(...controls);
    return node;
  };

  // ---- Files -------------------------------------------------------------------------------------------------------------------------

  const save = (name, ending, type, content) => {
    const url = URL.createObjectURL(content instanceof Blob ? content : new Blob([content], { type }));
    const stem = name.replace(/[^A-Za-z0-9.]+/g, "-").replace(/^[-.]+|[-.]+$/g, "").slice(0, 80) || "flatleak";
    const link = make("a", { href: url, download: `${stem}.${ending}` });
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(url), 60000);
  };

  // Text that a spreadsheet would compute has an apostrophe before it, as in flatleak's own CSV files: names of recipes and classes come
  // from others. Numbers are left as they are, negative ones too.
  const FORMULA = /^(?:[\t\r]|\s*[=+\-@\uFF1D\uFF0B\uFF0D\uFF20])/;
  const field = (value) => {
    if (value === null || value === undefined) return "";
    if (typeof value === "number" || typeof value === "boolean") return String(value);
    const text = FORMULA.test(value) ? `'${value}` : String(value);
    return /[",\n\r]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
  };
  // RFC 4180 with plain newlines.
  const csv = (rows) => rows.map((row) => row.map(field).join(",") + "\n").join("");

  // What GitHub's Markdown would read as a mark, and the bar between cells.
  const inMarkdown = (text) => text.replace(/[\\`*_[\]<>|~$&]/g, "\\$&");
  const markdown = ({ heads, numeric, rows }) => {
    const line = (cells) => `| ${cells.join(" | ")} |\n`;
    const rule = line(numeric.map((n) => (n ? "---:" : "---")));
    return line(heads.map(inMarkdown)) + rule + rows.map((row) => line(row.map(inMarkdown))).join("");
  };

  const LATEX = {
    "\\": "\\textbackslash{}", "{": "\\{", "}": "\\}", $: "\\$", "&": "\\&", "#": "\\#", "%": "\\%", _: "\\_", "^": "\\textasciicircum{}",
    "~": "\\textasciitilde{}", "<": "\\textless{}", ">": "\\textgreater{}", "|": "\\textbar{}", '"': "\\textquotedbl{}",
    "`": "\\textasciigrave{}", "\u2212": "$-$", "\u00b1": "$\\pm$", "\u00d7": "$\\times$", "\u00b7": "$\\cdot$", "\u2013": "--",
    "\u2014": "---", "\u2018": "`", "\u2019": "'", "\u201c": "``", "\u201d": "''", "\u2026": "\\dots{}", "\u2190": "$\\leftarrow$",
    "\u2192": "$\\rightarrow$", "\u2264": "$\\le$", "\u2265": "$\\ge$", "\u2248": "$\\approx$", "\u00b2": "$^2$", "\u00a0": "~",
    "\u202f": "\\,", "\u03b5": "$\\varepsilon$", "\u03b7": "$\\eta$", "\u03c1": "$\\rho$", "\u03c3": "$\\sigma$", "\u03c4": "$\\tau$",
    "\u03c6": "$\\varphi$", "\u0394": "$\\Delta$", "\u03a3": "$\\Sigma$", "-": "-{}",
  };
  // Latin letters with accents stay; what pdfLaTeX has no letter for is named by its number; what cannot be seen is left out.
  const inLatex = (text) => {
    const code = (c) => `\\texttt{U+${c.codePointAt(0).toString(16).toUpperCase()}}`;
    const letter = (c) => LATEX[c] ?? (/[ -~\u00c0-\u017f]/.test(c) ? c : /\p{C}/u.test(c) ? "" : code(c));
    const out = [...text].map(letter).join("").replace(/-\{\}(?!-)/g, "-");
    // After the end of a row these would be read as its options.
    return /^[[*]/.test(out) ? `{}${out}` : out;
  };
  const latex = ({ heads, numeric, rows }) => {
    const line = (cells) => `${cells.map(inLatex).join(" & ")} \\\\\n`;
    return "% Needs \\usepackage[T1]{fontenc} and \\usepackage{booktabs}.\n" +
      `\\begin{tabular}{${numeric.map((n) => (n ? "r" : "l")).join("")}}\n\\toprule\n${line(heads)}\\midrule\n` +
      `${rows.map(line).join("")}\\bottomrule\n\\end{tabular}\n`;
  };

  // ---- Figures -----------------------------------------------------------------------------------------------------------------------

  const SVG = "http://www.w3.org/2000/svg";
  const STYLES = ["fill", "fill-opacity", "stroke", "stroke-width", "stroke-opacity", "stroke-dasharray", "stroke-linecap", "opacity",
    "font-family", "font-size", "font-weight", "text-anchor", "dominant-baseline", "paint-order"];
  const draw = (tag, attributes, text = "") => {
    const node = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    node.textContent = text;
    return node;
  };

  // The legend below a picture that leaves the page, in as many lines as it takes; its height.
  const legend = (figure, picture, width, top) => {
    const keys = all(".key", figure).filter((key) => key.getAttribute("aria-pressed") !== "false");
    const style = getComputedStyle(figure);
    const pen = make("canvas").getContext("2d");
    pen.font = `11px ${style.fontFamily}`;
    let [x, y] = [8, top];
    for (const key of keys) {
      const wide = pen.measureText(plain(key)).width + 26;
      if (x > 8 && x + wide > width) [x, y] = [8, y + 16];
      const fill = getComputedStyle(key, "::before").backgroundColor;
      const text = { x: x + 14, y: y + 11, fill: style.color, "font-family": style.fontFamily, "font-size": "11px" };
      picture.append(draw("rect", { x, y: y + 2, width: 10, height: 10, fill }), draw("text", text, plain(key)));
      x += wide;
    }
    return keys.length ? y + 20 - top : 0;
  };

  // The figure's picture by itself: styles as attributes, hidden recipes gone, values as titles, the page's colour behind, its legend below.
  const picture = (figure) => {
    const svg = figure.querySelector("svg");
    const copy = svg.cloneNode(true);
    const [here, there] = [svg, copy].map((root) => [root, ...all("*", root)]);
    here.forEach((node, k) => {
      const style = getComputedStyle(node);
      for (const name of STYLES) {
        const value = style.getPropertyValue(name);
        if (value) there[k].setAttribute(name, value);
      }
    });
    for (const node of there) {
      if (node.dataset.said) node.prepend(draw("title", {}, node.dataset.said));
      for (const name of ["class", "style", "tabindex", "aria-describedby", "data-said"]) node.removeAttribute(name);
    }
    here.forEach((node, k) => node.classList.contains("off") && there[k].remove());
    const [x, y, width, height] = svg.getAttribute("viewBox").split(/[\s,]+/).map(Number);
    const below = legend(figure, copy, width, y + height);
    const size = { width, height: height + below };
    const fill = getComputedStyle(document.body).backgroundColor;
    copy.prepend(draw("title", {}, figure.dataset.name), draw("rect", { x, y, ...size, fill }));
    const frame = { viewBox: [x, y, width, size.height].join(" "), ...size };
    for (const [name, value] of Object.entries(frame)) copy.setAttribute(name, value);
    return { text: new XMLSerializer().serializeToString(copy), ...size };
  };

  const savePng = (figure) => {
    const { text, width, height } = picture(figure);
    const shown = figure.querySelector("svg").clientWidth || width;
    const scale = (2 * Math.max(shown, width)) / width;
    const image = new Image();
    image.onload = () => {
      const canvas = make("canvas", { width: Math.round(width * scale), height: Math.round(height * scale) });
      canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
      URL.revokeObjectURL(image.src);
      canvas.toBlob((blob) => blob && save(figure.dataset.name, "png", "image/png", blob), "image/png");
    };
    image.src = URL.createObjectURL(new Blob([text], { type: "image/svg+xml" }));
  };

  const saveData = (figure) => {
    const rows = JSON.parse(figure.querySelector("script.data").textContent);
    const columns = [...new Set(rows.flatMap(Object.keys))];
    save(figure.dataset.name, "csv", "text/csv", csv([columns, ...rows.map((row) => columns.map((name) => row[name]))]));
  };

  const keys = (figure) => {
    for (const key of all(".key[data-recipe]", figure)) {
      const { recipe } = key.dataset;
      const drawn = all("[data-recipe]", figure.querySelector("svg")).filter((node) => node.dataset.recipe === recipe);
      if (!drawn.length) continue;
      const state = { type: "button", class: key.className, "data-recipe": recipe, "aria-pressed": "true", title: "Show or hide" };
      const toggle = make("button", state, plain(key));
      toggle.addEventListener("click", () => {
        const shown = toggle.getAttribute("aria-pressed") === "true";
        toggle.setAttribute("aria-pressed", String(!shown));
        drawn.forEach((node) => node.classList.toggle("off", shown));
      });
      key.replaceWith(toggle);
    }
  };

  // One box for the page: what the mark under the pointer, or the one reached with the arrows, stands for.
  const tip = make("div", { class: "tip", role: "status" });
  const say = (mark) => {
    all(".lit").forEach((node) => node.classList.remove("lit"));
    tip.textContent = mark ? mark.dataset.said : "";
    tip.classList.toggle("on", Boolean(mark));
    if (!mark) return;
    mark.classList.add("lit");
    const at = mark.getBoundingClientRect();
    const room = document.documentElement.clientWidth - tip.offsetWidth - 8;
    const left = Math.max(8, Math.min(at.left + at.width / 2 - tip.offsetWidth / 2, room));
    const above = at.top - tip.offsetHeight - 8;
    tip.style.left = `${left}px`;
    tip.style.top = `${above > 8 ? above : Math.min(at.bottom + 8, innerHeight - tip.offsetHeight - 8)}px`;
  };
  const values = (svg) => {
    // The browser's own tips would show a second time, late; a saved picture gets its titles back.
    for (const title of all("title", svg)) {
      if (title.parentNode !== svg) title.parentNode.dataset.said = plain(title);
      title.remove();
    }
    if (!svg.querySelector("[data-said]")) return;
    let at = -1;
    const marks = () => all("[data-said]", svg).filter((mark) => !mark.closest(".off"));
    svg.setAttribute("tabindex", "0");
    svg.setAttribute("aria-describedby", "how-to-read-values");
    svg.addEventListener("pointerover", (event) => say(event.target.closest("[data-said]")));
    svg.addEventListener("pointerleave", () => say(null));
    svg.addEventListener("blur", () => say(null));
    svg.addEventListener("focus", () => svg.matches(":focus-visible") && marks().length && say(marks()[(at = 0)]));
    svg.addEventListener("keydown", (event) => {
      const found = marks();
      const to = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: found.length - 1 }[event.key];
      if (event.key === "Escape") say(null);
      if (to === undefined || !found.length) return;
      event.preventDefault();
      at = (to + found.length) % found.length;
      say(found[at]);
    });
  };

  for (const figure of all("figure.plot[data-name]")) {
    const { name } = figure.dataset;
    keys(figure);
    values(figure.querySelector("svg"));
    const svg = button("SVG", `Save figure ${name} as SVG`, () => save(name, "svg", "image/svg+xml", picture(figure).text));
    const png = button("PNG", `Save figure ${name} as PNG`, () => savePng(figure));
    const data = button("CSV", `Save the data of figure ${name} as CSV`, () => saveData(figure));
    figure.append(tools(`Save figure ${name}`, svg, png, ...(figure.querySelector("script.data") ? [data] : [])));
  }

  // ---- Tables ------------------------------------------------------------------------------------------------------------------------

  // From this many rows on a table is searched rather than read.
  const MANY = 8;
  const bodyRows = (table) => [...table.tBodies].flatMap((body) => [...body.rows]);
  const lastHeads = (table) => [...(table.tHead?.rows[table.tHead.rows.length - 1]?.cells ?? [])];
  const number = (cell, what = "value") => (cell?.dataset[what] ? Number(cell.dataset[what]) : NaN);

  // A table as it is shown: filtered rows and hidden columns are left out, and so are columns of pictures.
  const shown = (table) => {
    const rows = bodyRows(table).filter((row) => !row.hidden);
    const said = (head) => !rows.length || rows.some((row) => row.cells[head.cellIndex] && plain(row.cells[head.cellIndex]));
    const columns = lastHeads(table).filter((head) => !head.hidden && said(head));
    return { rows, columns, cells: (row) => columns.map((head) => row.cells[head.cellIndex]) };
  };
  const texts = (table) => {
    const { rows, columns, cells } = shown(table);
    const numeric = columns.map((head) => rows.some((row) => !Number.isNaN(number(row.cells[head.cellIndex]))));
    return { heads: columns.map(plain), numeric, rows: rows.map((row) => cells(row).map((cell) => (cell ? plain(cell) : ""))) };
  };
  // Estimates take three columns: the value and the ends of its interval.
  const figures = (table) => {
    const { rows, columns } = shown(table);
    const wide = columns.map((head) => rows.some((row) => row.cells[head.cellIndex]?.dataset.low));
    const heads = columns.flatMap((head, k) => (wide[k] ? ["", " low", " high"].map((end) => plain(head) + end) : [plain(head)]));
    const ends = (cell) => ["low", "high"].map((end) => (cell?.dataset[end] ? number(cell, end) : null));
    const value = (cell) => (cell?.dataset.value ? number(cell) : cell?.dataset.value === "" || !cell ? null : plain(cell));
    const parts = (cell, k) => [value(cell), ...(wide[k] ? ends(cell) : [])];
    return [heads, ...rows.map((row) => columns.flatMap((head, k) => parts(row.cells[head.cellIndex], k)))];
  };

  const compare = (a, b, up) => {
    const [x, y] = [number(a), number(b)];
    const [s, t] = [a, b].map((cell) => (cell ? plain(cell) : ""));
    const [none, other] = [Number.isNaN(x), Number.isNaN(y)];
    // Numbers before words, and what is missing last, whatever the direction.
    if (!none && !other) return up * (x - y);
    if (none !== other) return none ? 1 : -1;
    return s === "" || t === "" ? (s === "") - (t === "") : up * s.localeCompare(t, "en", { numeric: true });
  };
  const sortable = (table, head) => {
    const act = () => {
      const to = { none: "ascending", ascending: "descending", descending: "none" }[head.getAttribute("aria-sort") ?? "none"];
      lastHeads(table).forEach((other) => other.removeAttribute("aria-sort"));
      if (to !== "none") head.setAttribute("aria-sort", to);
      const up = to === "descending" ? -1 : 1;
      const first = (row) => Number(row.dataset.first);
      const at = head.cellIndex;
      const order = (p, q) => (to === "none" ? 0 : compare(p.cells[at], q.cells[at], up)) || first(p) - first(q);
      table.tBodies[0].append(...[...table.tBodies[0].rows].sort(order));
    };
    const label = plain(head);
    if (!label || head.querySelector("a,button,input")) return;
    const sort = button("", `Sort by ${label}`, act);
    sort.className = "sort";
    sort.append(...head.childNodes);
    head.append(sort);
  };

  // Hides rows unless every test lets them pass; says how many are left.
  const filters = (table, controls, tests) => {
    const rows = bodyRows(table);
    const count = make("span", { role: "status" });
    const apply = () => {
      rows.forEach((row) => (row.hidden = !tests.every((passes) => passes(row))));
      const left = rows.filter((row) => !row.hidden).length;
      count.textContent = left === rows.length ? `${left} rows` : `${left} of ${rows.length} rows`;
    };
    controls.forEach((control) => control.addEventListener("input", apply));
    apply();
    return count;
  };
  const search = (table) => {
    const input = make("input", { type: "search", placeholder: "filter", "aria-label": `Filter the rows of table ${table.dataset.name}` });
    return [input, (row) => plain(row).toLowerCase().includes(input.value.trim().toLowerCase())];
  };
  const choice = (label, first, names) => {
    const select = make("select", { "aria-label": label });
    select.append(make("option", { value: "" }, first), ...names.map((name, k) => make("option", { value: String(k + 1) }, name)));
    return { select, chosen: () => (select.value ? names[Number(select.value) - 1] : null) };
  };

  // Choosing among the words of a column, such as classes and groups.
  const among = (table, column) => {
    const head = lastHeads(table).find((h) => h.dataset.column === column);
    if (!head) return [];
    const word = (row) => plain(row.cells[head.cellIndex]);
    const words = [...new Set(bodyRows(table).map(word))].sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
    const { select, chosen } = choice(`Show one ${column} of table ${table.dataset.name}`, `every ${column}`, words);
    return words.length > 1 ? [[select, (row) => chosen() === null || word(row) === chosen()]] : [];
  };

  // Two recipes beside each other, with the difference of each of their measures; the columns of the others are hidden.
  const pair = (table) => {
    const heads = lastHeads(table).filter((head) => head.dataset.recipe);
    const recipes = [...new Set(heads.map((head) => head.dataset.recipe))];
    if (recipes.length < 2) return [];
    const named = (role) => choice(`Compare: ${role} of table ${table.dataset.name}`, role, recipes);
    const [from, to] = ["baseline", "candidate"].map(named);
    const find = (recipe, measure) => heads.find(({ dataset }) => dataset.recipe === recipe && dataset.measure === measure);
    const act = () => {
      const two = [from.chosen(), to.chosen()];
      const both = two[0] !== null && two[1] !== null && two[0] !== two[1];
      all(".difference", table).forEach((cell) => cell.remove());
      for (const head of heads) {
        const hide = both && !two.includes(head.dataset.recipe);
        [head, ...bodyRows(table).map((row) => row.cells[head.cellIndex])].forEach((cell) => cell && (cell.hidden = hide));
      }
      if (!both) return;
      for (const measure of new Set(heads.map((head) => head.dataset.measure))) {
        const ends = two.map((recipe) => find(recipe, measure));
        if (ends.includes(undefined)) continue;
        const difference = make("th", { class: "difference", scope: "col" }, `${measure}, ${two[1]} \u2212 ${two[0]}`);
        ends[0].parentNode.append(difference);
        for (const row of bodyRows(table)) {
          const [a, b] = ends.map((head) => number(row.cells[head.cellIndex]));
          const known = !Number.isNaN(b - a);
          const text = known ? `${b < a ? "\u2212" : "+"}${Math.abs(b - a).toFixed(3)}` : "\u2013";
          row.append(make("td", { class: "difference", "data-value": known ? String(b - a) : "" }, text));
        }
        sortable(table, difference);
      }
    };
    [from, to].forEach(({ select }) => select.addEventListener("input", act));
    return [from.select, to.select];
  };

  for (const table of all("table[data-name]")) {
    const { name } = table.dataset;
    const outside = table.closest(".scroll") ?? table;
    const rows = bodyRows(table);
    if (table.tBodies.length === 1 && rows.length > 1 && !("fixed" in table.dataset)) {
      rows.forEach((row, k) => (row.dataset.first = k));
      lastHeads(table).forEach((head) => sortable(table, head));
    }
    if (rows.length >= MANY) {
      const explorer = table.classList.contains("explorer");
      const found = [search(table), ...(explorer ? ["class", "group"].flatMap((column) => among(table, column)) : [])];
      const controls = found.map(([control]) => control);
      const count = filters(table, controls, found.map(([, passes]) => passes));
      outside.before(tools(`Filter table ${name}`, ...controls, ...(explorer ? pair(table) : []), count));
    }
    const csvOf = button("CSV", `Save table ${name} as CSV`, () => save(name, "csv", "text/csv", csv(figures(table))));
    const markdownOf = button("Markdown", `Save table ${name} as Markdown`, () => save(name, "md", "text/markdown", markdown(texts(table))));
    const latexOf = button("LaTeX", `Save table ${name} as LaTeX`, () => save(name, "tex", "application/x-tex", latex(texts(table))));
    outside.after(tools(`Save table ${name}`, csvOf, markdownOf, latexOf));
  }

  // ---- The page ----------------------------------------------------------------------------------------------------------------------

  // A link into something folded opens it.
  const target = (hash) => (hash.length > 1 ? document.getElementById(decodeURIComponent(hash.slice(1))) : null);

  // A link into something folded opens it, when it is followed again too.
  const unfold = (hash) => {
    const place = target(hash);
    for (let node = place; node; node = node.parentElement) if (node.tagName === "DETAILS") node.open = true;
    if (place) place.scrollIntoView();
  };
  addEventListener("click", (event) => {
    const link = event.target.closest?.("a[href^='#']");
    if (link) unfold(link.hash);
  });

  // The entry of the contents whose section is in view.
  const entries = all("nav a[href^='#']").map((link) => [link, target(link.hash)]);
  const mark = () => {
    const passed = entries.filter(([, place]) => place && place.getBoundingClientRect().top <= innerHeight / 4);
    const [current] = passed[passed.length - 1] ?? entries[0];
    entries.forEach(([link]) => link.removeAttribute("aria-current"));
    current.setAttribute("aria-current", "true");
  };

  // Paper unfolds nothing: print shows what is folded, and the screen is as before afterwards.
  let folded = [];
  addEventListener("beforeprint", () => (folded = all("details:not([open])")).forEach((node) => (node.open = true)));
  addEventListener("afterprint", () => folded.forEach((node) => (node.open = false)));

  // The slider of the page on theory: every position's picture and figures are in the page.
  const slider = document.getElementById("eta");
  if (slider) {
    const [frames, stops] = ["frames", "figures"].map((id) => JSON.parse(document.getElementById(id).textContent));
    const show = () => {
      const k = Number(slider.value);
      for (const what of ["density", "threshold"]) document.getElementById(what).setAttribute("d", frames[k][what]);
      document.getElementById("eta-value").textContent = stops[k].eta;
      slider.setAttribute("aria-valuetext", `eta ${stops[k].eta}`);
      const said = ["v", "confidence", "best", "memorization", "error"];
      said.forEach((what) => (document.getElementById(`f-${what}`).textContent = stops[k][what]));
    };
    slider.addEventListener("input", show);
    show();
  }

  document.body.append(tip, make("p", { id: "how-to-read-values", class: "unseen" }, "Arrow keys move over the values."));
  document.documentElement.classList.add("scripted");
  if (entries.length) {
    addEventListener("scroll", () => requestAnimationFrame(mark), { passive: true });
    mark();
  }
  unfold(location.hash);
})();
