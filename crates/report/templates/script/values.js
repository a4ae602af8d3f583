// Values under the pointer, and under the arrow keys.

// One box for the page: what the mark under the pointer, or the one reached with the arrows, stands for.
const tip = make("div", { class: "tip", role: "status" });
let lit = null;
const say = (stop) => {
  lit?.classList.remove("lit");
  lit = stop?.mark ?? null;
  lit?.classList.add("lit");
  tip.textContent = stop ? stop.text : "";
  tip.classList.toggle("on", Boolean(stop));
  if (!stop) return;
  const { x, top, bottom } = stop.place();
  const room = document.documentElement.clientWidth - tip.offsetWidth - 8;
  const above = top - tip.offsetHeight - 8;
  tip.style.left = `${Math.max(8, Math.min(x - tip.offsetWidth / 2, room))}px`;
  tip.style.top = `${above > 8 ? above : Math.min(bottom + 8, innerHeight - tip.offsetHeight - 8)}px`;
};

// Corners of a line, in units of the picture.
const corners = (line) => [...line.getAttribute("d").matchAll(/[ML]\s*([-\d.]+)[ ,]([-\d.]+)/g)].map((m) => [Number(m[1]), Number(m[2])]);
// The rows that a line is drawn from, one a corner, in the same order; none where that is not so. The first rows may lie off an axis: a
// logarithmic one has no place for a rate of 0.
const rowsOfLine = (rows, mark, count) => {
  const own = rows.filter((row) => row.recipe === mark.dataset.recipe);
  const off = own.length - count;
  return off >= 0 && own.slice(0, off).every((row) => Object.values(row)[1] === 0) ? own.slice(off) : [];
};
const short = (value) => (typeof value === "number" ? String(Number(value.toPrecision(4))) : value);
// Where values can be read: marks with a text each, and the corners of lines with the row that each is drawn from.
const stopsOf = (svg, rows) => {
  const of = (mark) => {
    const line = mark.querySelector("path.line");
    const points = line ? corners(line) : [];
    const own = rowsOfLine(rows, mark, points.length);
    if (!points.length || !own.length) {
      const place = () => {
        const { left, width, top, bottom } = mark.getBoundingClientRect();
        return { x: left + width / 2, top, bottom };
      };
      return [{ mark, text: mark.dataset.said, place }];
    }
    return points.map((corner, k) => {
      const place = () => {
        const at = new DOMPoint(...corner).matrixTransform(svg.getScreenCTM());
        return { x: at.x, top: at.y - 4, bottom: at.y + 4 };
      };
      const said = Object.entries(own[k]).filter(([name, value]) => name !== "recipe" && value !== null);
      const lines = said.map(([name, value]) => `${name}: ${short(value)}`);
      return { mark, place, corner, text: [mark.dataset.recipe, ...lines].join("\n") };
    });
  };
  // A band and its line say the same: the line, drawn later, is the one to stop at.
  const last = new Map(all("[data-said]", svg).map((mark) => [mark.dataset.said, mark]));
  return [...last.values()].flatMap(of);
};

// Makes a picture say its values; gives where the arrows are.
const values = (svg, rows) => {
  // The browser's own tips would show a second time, late; a saved picture gets its titles back.
  for (const title of all("title", svg)) {
    if (title.parentNode === svg) svg.setAttribute("aria-label", plain(title));
    else title.parentNode.dataset.said = plain(title);
    title.remove();
  }
  svg.removeAttribute("aria-labelledby");
  const every = stopsOf(svg, rows);
  if (!every.length) return () => null;
  const stops = () => every.filter(({ mark }) => !mark.closest(".off"));
  let at = -1;
  svg.setAttribute("tabindex", "0");
  svg.setAttribute("aria-describedby", "how-to-read-values");
  // In pixels: lines are thin.
  const reach = 24;
  const near = ({ clientX: x, clientY: y, target }) => {
    const within = target.closest("[data-said]");
    const matrix = svg.getScreenCTM();
    const at = new DOMPoint(x, y).matrixTransform(matrix.inverse());
    const away = ({ corner }) => matrix.a * Math.hypot(corner[0] - at.x, corner[1] - at.y);
    const found = stops();
    const lines = found.filter(({ corner }) => corner).map((stop) => [away(stop), stop]);
    const [distance, nearest] = lines.reduce((a, b) => (b[0] < a[0] ? b : a), [Infinity, null]);
    return found.find(({ mark, corner }) => mark === within && !corner) ?? (distance <= reach ? nearest : null);
  };
  svg.addEventListener("pointermove", (event) => say(near(event)));
  svg.addEventListener("pointerleave", () => say(null));
  svg.addEventListener("blur", () => say(null));
  svg.addEventListener("focus", () => svg.matches(":focus-visible") && stops().length && say(stops()[(at = 0)]));
  svg.addEventListener("keydown", (event) => {
    const found = stops();
    const to = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: found.length - 1 }[event.key];
    if (event.key === "Escape") say(null);
    if (to === undefined || !found.length) return;
    event.preventDefault();
    at = (to + found.length) % found.length;
    say(found[at]);
  });
  // The middle of what the arrows have reached, in units of the picture.
  return () => {
    const reached = stops()[at];
    if (!reached) return null;
    const { x, top, bottom } = reached.place();
    const middle = new DOMPoint(x, (top + bottom) / 2).matrixTransform(svg.getScreenCTM().inverse());
    return [middle.x, middle.y];
  };
};
