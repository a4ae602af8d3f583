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
  keys(figure);
  values(figure.querySelector("svg"), rowsOf(figure));
  const svg = button("SVG", `Save figure ${name} as SVG`, () => save(name, "svg", "image/svg+xml", picture(figure).text));
  const png = button("PNG", `Save figure ${name} as PNG`, () => savePng(figure));
  const data = button("CSV", `Save the data of figure ${name} as CSV`, () => saveData(figure));
  figure.append(tools(`Save figure ${name}`, svg, png, ...(figure.querySelector("script.data") ? [data] : [])));
}
