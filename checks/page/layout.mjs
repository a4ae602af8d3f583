// What is cut off, laid over something else or too small to read. Runs in the page.

/// Parts that stick out of the window, unless they lie in a part that scrolls by itself.
export const overflow = () => {
  const room = document.documentElement.clientWidth;
  const out = document.documentElement.scrollWidth > room ? [`the page is ${document.documentElement.scrollWidth} wide in ${room}`] : [];
  const clips = (node) => ["auto", "scroll", "hidden", "clip"].includes(getComputedStyle(node).overflowX);
  const scrolls = (node) => {
    let up = node.parentElement;
    while (up && !clips(up)) up = up.parentElement;
    return Boolean(up);
  };
  for (const node of document.querySelectorAll("main *, nav *, body > *")) {
    if (node.closest("svg") && node.tagName !== "svg") continue;
    const { left, right, width } = node.getBoundingClientRect();
    const away = node.matches(".unseen, .skip, .tip") || !width;
    const cut = !away && (right > room + 1 || left < -1) && !scrolls(node);
    if (cut) out.push(`${left.toFixed(0)} to ${right.toFixed(0)}: ${node.outerHTML.slice(0, 120)}`);
  }
  return out.slice(0, 5);
};

/// Texts of a picture that lie over each other, stick out of it, or would be smaller than 7 pt where it is printed 85 mm wide.
export const labels = () => {
  const out = [];
  for (const svg of document.querySelectorAll("svg")) {
    const frame = svg.getBoundingClientRect();
    if (!frame.width || !svg.checkVisibility()) continue;
    const name = svg.closest("figure")?.dataset.name ?? svg.getAttribute("aria-label");
    const texts = [...svg.querySelectorAll("text")].filter((text) => text.textContent.trim() && text.checkVisibility());
    const boxes = texts.map((text) => text.getBoundingClientRect());
    // Letters leave some of their line's height free above and below.
    const scale = frame.width / svg.viewBox.baseVal.width;
    const slack = 2 * scale;
    const tell = (k) => JSON.stringify(texts[k].textContent.slice(0, 40));
    boxes.forEach((a, i) => {
      const across = a.left < frame.left - 1 || a.right > frame.right + 1;
      if (across || a.top < frame.top - slack || a.bottom > frame.bottom + slack) out.push(`${name}: ${tell(i)} is cut off`);
      boxes.slice(i + 1).forEach((b, j) => {
        const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
        const high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
        if (wide > 1 && high > slack + 1) out.push(`${name}: ${tell(i)} and ${tell(i + 1 + j)} overlap`);
      });
    });
    const points = (85 / 25.4) * 72;
    const small = texts.filter((text) => (parseFloat(getComputedStyle(text).fontSize) * points) / svg.viewBox.baseVal.width < 7);
    if (small.length) out.push(`${name}: ${small.length} texts below 7 pt at 85 mm, such as ${JSON.stringify(small[0].textContent)}`);
  }
  return out.slice(0, 20);
};
