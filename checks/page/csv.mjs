// Readers of what the page gives away, written apart from the page's own writers.

/// Rows of a text of comma-separated values (RFC 4180), letter by letter.
export const readCsv = (text) => {
  const rows = [[]];
  let [cell, quoted] = ["", false];
  const end = () => {
    rows[rows.length - 1].push(cell);
    cell = "";
  };
  for (let k = 0; k < text.length; k += 1) {
    const c = text[k];
    if (quoted && c === '"' && text[k + 1] === '"') {
      cell += c;
      k += 1;
    } else if (c === '"') quoted = !quoted;
    else if (!quoted && c === ",") end();
    else if (!quoted && c === "\n") {
      end();
      rows.push([]);
    } else cell += c;
  }
  if (quoted || cell !== "" || rows[rows.length - 1].length) throw new Error("the last line does not end");
  return rows.slice(0, -1);
};

/// Cells of a table of GitHub's Markdown: heads, the line below, rows; a bar with a backslash is text.
export const readMarkdown = (text) => {
  const cells = (line) => {
    const parts = line.replace(/\\./g, (pair) => `\u0000${pair.charCodeAt(1)}\u0001`).split("|");
    return parts.slice(1, -1).map((part) => part.trim().replace(/\u0000(\d+)\u0001/g, (_, code) => String.fromCharCode(code)));
  };
  return text.trimEnd().split("\n").map(cells);
};
