// The way through the page: its contents, what is folded, paper.

// A link into something folded opens it.
const target = (hash) => (hash.length > 1 ? document.getElementById(decodeURIComponent(hash.slice(1))) : null);

// A link into something folded opens it, when it is followed again too.
const unfold = (hash) => {
  const place = target(hash);
  for (let node = place; node; node = node.parentElement) if (node.tagName === "DETAILS") node.open = true;
  if (place) place.scrollIntoView();
};
addEventListener("click", (event) => {
  const link = event.target.closest?.("a[href^='#']");
  if (link) unfold(link.hash);
});

// The entry of the contents whose section is in view.
const entries = all("nav a[href^='#']").map((link) => [link, target(link.hash)]);
const mark = () => {
  const passed = entries.filter(([, place]) => place && place.getBoundingClientRect().top <= innerHeight / 4);
  const [current] = passed[passed.length - 1] ?? entries[0];
  entries.forEach(([link]) => link.removeAttribute("aria-current"));
  current.setAttribute("aria-current", "true");
};

// Paper unfolds nothing: print shows what is folded, and the screen is as before afterwards.
let folded = [];
addEventListener("beforeprint", () => (folded = all("details:not([open])")).forEach((node) => (node.open = true)));
addEventListener("afterprint", () => folded.forEach((node) => (node.open = false)));

const how = make("p", { id: "how-to-read-values", class: "unseen" }, "Arrow keys move over the values.");
(document.querySelector("main") ?? document.body).append(tip, how);
document.documentElement.classList.add("scripted");
if (entries.length) {
  addEventListener("scroll", () => requestAnimationFrame(mark), { passive: true });
  mark();
}
unfold(location.hash);
