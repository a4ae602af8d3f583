// Which rows and columns of a table are shown, and the buttons of tables.

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
  const found = [...new Set(bodyRows(table).map(word))].sort(words.compare);
  const { select, chosen } = choice(`Show one ${column} of table ${table.dataset.name}`, `every ${column}`, found);
  return found.length > 1 ? [[select, (row) => chosen() === null || word(row) === chosen()]] : [];
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
    // Behind the recipes, in front of what stands after them.
    let last = heads[heads.length - 1].cellIndex;
    for (const measure of new Set(heads.map((head) => head.dataset.measure))) {
      const ends = two.map((recipe) => find(recipe, measure));
      if (ends.includes(undefined)) continue;
      const difference = make("th", { class: "difference", scope: "col" }, `${measure}, ${two[1]} \u2212 ${two[0]}`);
      ends[0].parentNode.cells[last].after(difference);
      for (const row of bodyRows(table)) {
        const [a, b] = ends.map((head) => number(row.cells[head.cellIndex]));
        const known = !Number.isNaN(b - a);
        const text = known ? `${b < a ? "\u2212" : "+"}${Math.abs(b - a).toFixed(3)}` : "\u2013";
        row.cells[last].after(make("td", { class: "difference", "data-value": known ? String(b - a) : "" }, text));
      }
      last += 1;
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
  const text = (ending, type, write) => () => save(name, ending, type, write(texts(table)));
  const markdownOf = button("Markdown", `Save table ${name} as Markdown`, text("md", "text/markdown", markdown));
  const latexOf = button("LaTeX", `Save table ${name} as LaTeX`, text("tex", "application/x-tex", latex));
  outside.after(tools(`Save table ${name}`, csvOf, markdownOf, latexOf));
}
