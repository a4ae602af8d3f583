// A figure as a file: its picture by itself, its pixels, its numbers.

const SVG = "http://www.w3.org/2000/svg";
const INHERITED = ["fill", "fill-opacity", "stroke", "stroke-width", "stroke-opacity", "stroke-dasharray", "stroke-linecap",
  "font-family", "font-size", "font-weight", "text-anchor", "dominant-baseline", "paint-order"];
const draw = (tag, attributes, text = "") => {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.textContent = text;
  return node;
};

// The sign before a key of a legend, drawn as the page's style has it.
const sign = (style, x, y) => {
  const edge = parseFloat(style.borderTopWidth) > 0 ? { stroke: style.borderTopColor, "stroke-width": 2, "stroke-dasharray": "3 2" } : {};
  const paint = { fill: style.backgroundColor, ...edge };
  if (style.clipPath !== "none") return draw("path", { d: `M${x + 5} ${y}L${x + 10} ${y + 10}H${x}Z`, ...paint });
  const turn = style.transform === "none" ? {} : { transform: `rotate(45 ${x + 5} ${y + 5})` };
  return draw("rect", { x, y, width: 10, height: 10, rx: style.borderTopLeftRadius === "50%" ? 5 : 0, ...turn, ...paint });
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
    const text = { x: x + 14, y: y + 11, fill: style.color, "font-family": style.fontFamily, "font-size": "11px" };
    picture.append(sign(getComputedStyle(key, "::before"), x, y + 2), draw("text", text, plain(key)));
    x += wide;
  }
  return keys.length ? y + 20 - top : 0;
};

// The figure's picture by itself: styles as attributes, hidden recipes gone, values as titles; the page's colour behind it and its
// legend below.
const picture = (figure) => {
  const svg = figure.querySelector("svg");
  const copy = svg.cloneNode(true);
  const [here, there] = [svg, copy].map((root) => [root, ...all("*", root)]);
  here.forEach((node, k) => {
    const [style, above] = [node, node.parentNode].map((one) => getComputedStyle(one));
    for (const name of INHERITED) {
      const value = style.getPropertyValue(name);
      there[k].removeAttribute(name);
      if (value && (node === svg || value !== above.getPropertyValue(name))) there[k].setAttribute(name, value);
    }
    if (style.opacity !== "1") there[k].setAttribute("opacity", style.opacity);
  });
  for (const node of there) {
    if (node.dataset.said) node.prepend(draw("title", {}, node.dataset.said));
    for (const name of ["class", "style", "tabindex", "aria-describedby", "aria-labelledby", "data-said"]) node.removeAttribute(name);
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

const rowsOf = (figure) => JSON.parse(figure.querySelector("script.data")?.textContent ?? "[]");
const saveData = (figure) => {
  const rows = rowsOf(figure);
  const columns = [...new Set(rows.flatMap(Object.keys))];
  save(figure.dataset.name, "csv", "text/csv", csv([columns, ...rows.map((row) => columns.map((name) => row[name]))]));
};
