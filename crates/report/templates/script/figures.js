// Figures: legends that hide a recipe, and the buttons.

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

for (const figure of all("figure.plot[data-name]")) {
  const { name } = figure.dataset;
  const drawing = figure.querySelector("svg");
  keys(figure);
  const near = zooms(figure, drawing, values(drawing, rowsOf(figure)));
  // What is saved is the whole.
  const saves = (text, label, act) =>
    button(text, label, () => {
      near?.whole();
      act();
    });
  const svg = saves("SVG", `Save figure ${name} as SVG`, () => save(name, "svg", "image/svg+xml", picture(figure).text));
  const png = saves("PNG", `Save figure ${name} as PNG`, () => savePng(figure));
  const data = button("CSV", `Save the data of figure ${name} as CSV`, () => saveData(figure));
  const controls = [svg, png, ...(figure.querySelector("script.data") ? [data] : []), ...(near ? [near.back] : [])];
  figure.append(tools(`Save figure ${name}`, ...controls));
}
