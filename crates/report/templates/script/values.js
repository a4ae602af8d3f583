// Values under the pointer, and under the arrow keys.

// One box for the page: what the mark under the pointer, or the one reached with the arrows, stands for.
const tip = make("div", { class: "tip", role: "status" });
const say = (stop) => {
  all(".lit").forEach((node) => node.classList.remove("lit"));
  tip.textContent = stop ? stop.text : "";
  tip.classList.toggle("on", Boolean(stop));
  if (!stop) return;
  stop.mark.classList.add("lit");
  const { x, top, bottom } = stop.place();
  const room = document.documentElement.clientWidth - tip.offsetWidth - 8;
  const above = top - tip.offsetHeight - 8;
  tip.style.left = `${Math.max(8, Math.min(x - tip.offsetWidth / 2, room))}px`;
  tip.style.top = `${above > 8 ? above : Math.min(bottom + 8, innerHeight - tip.offsetHeight - 8)}px`;
};

// Corners of a line, in units of the picture: there the rows of its recipe lie, in the same order.
const corners = (line) => [...line.getAttribute("d").matchAll(/[ML]\s*([-\d.]+)[ ,]([-\d.]+)/g)].map((m) => [Number(m[1]), Number(m[2])]);
const short = (value) => (typeof value === "number" ? String(Number(value.toPrecision(4))) : value);
// Where values can be read: marks with a text each, and the corners of lines with the row that each is drawn from.
const stopsOf = (svg, rows) => {
  const of = (mark) => {
    const line = mark.querySelector("path.line");
    const own = line ? rows.filter((row) => row.recipe === mark.dataset.recipe) : [];
    const points = line ? corners(line) : [];
    if (!own.length || points.length !== own.length) {
      const place = () => {
        const { left, width, top, bottom } = mark.getBoundingClientRect();
        return { x: left + width / 2, top, bottom };
      };
      return [{ mark, text: mark.dataset.said, place }];
    }
    return points.map(([x, y], k) => {
      const place = () => {
        const at = new DOMPoint(x, y).matrixTransform(svg.getScreenCTM());
        return { x: at.x, top: at.y - 4, bottom: at.y + 4 };
      };
      const said = Object.entries(own[k]).filter(([name, value]) => name !== "recipe" && value !== null);
      const lines = said.map(([name, value]) => `${name}: ${short(value)}`);
      return { mark, place, line: true, text: [mark.dataset.recipe, ...lines].join("\n") };
    });
  };
  // A band and its line say the same: the line, drawn later, is the one to stop at.
  const last = new Map(all("[data-said]", svg).map((mark) => [mark.dataset.said, mark]));
  return [...last.values()].flatMap(of);
};

const values = (svg, rows) => {
  // The browser's own tips would show a second time, late; a saved picture gets its titles back.
  for (const title of all("title", svg)) {
    if (title.parentNode === svg) svg.setAttribute("aria-label", plain(title));
    else title.parentNode.dataset.said = plain(title);
    title.remove();
  }
  svg.removeAttribute("aria-labelledby");
  const every = stopsOf(svg, rows);
  if (!every.length) return;
  const stops = () => every.filter(({ mark }) => !mark.closest(".off"));
  let at = -1;
  svg.setAttribute("tabindex", "0");
  svg.setAttribute("aria-describedby", "how-to-read-values");
  const reach = 24;
  const near = ({ clientX: x, clientY: y, target }) => {
    const away = (stop) => {
      const place = stop.place();
      return Math.hypot(place.x - x, (place.top + place.bottom) / 2 - y);
    };
    const within = target.closest("[data-said]");
    const lines = stops().filter((stop) => stop.line).map((stop) => [away(stop), stop]);
    const [distance, nearest] = lines.reduce((a, b) => (b[0] < a[0] ? b : a), [Infinity, null]);
    return stops().find((stop) => stop.mark === within && !stop.line) ?? (distance <= reach ? nearest : null);
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
};
