// Tables: what of them is shown, and in which order.

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

// Words as people order them, numbers in them by size. Made once: a table compares thousands of times.
const words = new Intl.Collator("en", { numeric: true });
// By what a cell is sorted: its number and its text.
const keyOf = (cell) => [number(cell), cell ? plain(cell) : ""];
const compare = ([x, s], [y, t], up) => {
  const [none, other] = [Number.isNaN(x), Number.isNaN(y)];
  // Numbers before words, and what is missing last, whatever the direction.
  if (!none && !other) return up * (x - y);
  if (none !== other) return none ? 1 : -1;
  return s === "" || t === "" ? (s === "") - (t === "") : up * words.compare(s, t);
};
const sortable = (table, head) => {
  const act = () => {
    const to = { none: "ascending", ascending: "descending", descending: "none" }[head.getAttribute("aria-sort") ?? "none"];
    lastHeads(table).forEach((other) => other.removeAttribute("aria-sort"));
    if (to !== "none") head.setAttribute("aria-sort", to);
    const up = to === "descending" ? -1 : 1;
    const first = (row) => Number(row.dataset.first);
    const at = head.cellIndex;
    const keyed = [...table.tBodies[0].rows].map((row) => ({ row, key: keyOf(row.cells[at]) }));
    const order = (p, q) => (to === "none" ? 0 : compare(p.key, q.key, up)) || first(p.row) - first(q.row);
    table.tBodies[0].append(...keyed.sort(order).map(({ row }) => row));
  };
  const label = plain(head);
  // Pictures have no order.
  const said = bodyRows(table).some((row) => row.cells[head.cellIndex] && plain(row.cells[head.cellIndex]));
  if (!label || !said || head.querySelector("a,button,input")) return;
  const sort = button("", `Sort by ${label}`, act);
  sort.className = "sort";
  sort.append(...head.childNodes);
  head.append(sort);
};
