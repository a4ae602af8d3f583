// A closer look at figures with lines: drag over a part, or press + at a value; - shows the whole again.

// Narrower than this, in units of the picture, is a click.
const LEAST = 8;

const zooms = (figure, svg, current) => {
  if (!svg.querySelector("path.line")) return null;
  const { x: left, y: top, width, height } = svg.viewBox.baseVal;
  const all = { left, top, width };
  const within = (v, low, high) => Math.max(low, Math.min(v, high));
  // A part of the whole's shape, inside the whole.
  const view = ({ left: x, top: y, width: wide }) => {
    const share = within(wide / all.width, 0.02, 1);
    const at = [within(x, all.left, all.left + all.width * (1 - share)), within(y, all.top, all.top + height * (1 - share))];
    svg.setAttribute("viewBox", [...at, all.width * share, height * share].join(" "));
    svg.style.setProperty("--near", String(share));
    svg.classList.toggle("near", share < 1);
    back.hidden = share === 1;
  };
  const back = button("Whole", `Show the whole of figure ${figure.dataset.name}`, () => view(all));
  back.className = "whole";
  back.hidden = true;
  const place = (event) => new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
  let [from, brush] = [null, null];
  const done = () => {
    brush?.remove();
    [from, brush] = [null, null];
  };
  svg.addEventListener("pointerdown", (event) => {
    if (event.button === 0 && event.pointerType !== "touch") from = place(event);
  });
  svg.addEventListener("pointermove", (event) => {
    if (!from) return;
    const to = place(event);
    brush ??= svg.appendChild(draw("rect", { class: "brush" }));
    const box = { x: Math.min(from.x, to.x), y: Math.min(from.y, to.y), width: Math.abs(to.x - from.x), height: Math.abs(to.y - from.y) };
    for (const [name, value] of Object.entries(box)) brush.setAttribute(name, value);
  });
  svg.addEventListener("pointerup", (event) => {
    if (!from) return;
    const to = place(event);
    const wide = Math.max(Math.abs(to.x - from.x), (Math.abs(to.y - from.y) * all.width) / height);
    const high = (wide * height) / all.width;
    if (wide >= LEAST) view({ left: (from.x + to.x - wide) / 2, top: (from.y + to.y - high) / 2, width: wide });
    done();
  });
  svg.addEventListener("pointerleave", done);
  svg.addEventListener("keydown", (event) => {
    const corner = current();
    const wide = svg.viewBox.baseVal.width / 2;
    if (event.key === "+" && corner) view({ left: corner[0] - wide / 2, top: corner[1] - (wide * height) / all.width / 2, width: wide });
    if (event.key === "-") view(all);
  });
  return { back, whole: () => view(all) };
};
