// Files that the page gives away.

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
const T1 = /[ -~\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u0125\u0128-\u0137\u0139-\u013e\u0141-\u0148\u014a-\u0165\u0168-\u017e]/;
// Latin letters that the encoding T1 has stay; what pdfLaTeX has no letter for is named by its number; what cannot be seen is left out.
const inLatex = (text) => {
  const code = (c) => `\\texttt{U+${c.codePointAt(0).toString(16).toUpperCase()}}`;
  const letter = (c) => LATEX[c] ?? (T1.test(c) ? c : /\p{C}/u.test(c) ? "" : code(c));
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
