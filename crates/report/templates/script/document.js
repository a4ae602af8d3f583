// What the page does beyond showing: values under the pointer, legends that hide a recipe, tables that sort and filter, files to keep.
//
// Without this script the page is whole and static. Nothing is fetched. Names come from users: they reach the document as textContent or as
// the value of an attribute, never as HTML. The files of this folder are one script, in the order of `shell.rs`.
"use strict";

const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const plain = (node) => node.textContent.replace(/\s+/g, " ").trim();

const make = (tag, attributes = {}, text = "") => {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.textContent = text;
  return node;
};
const button = (text, label, act) => {
  const node = make("button", { type: "button", "aria-label": label }, text);
  node.addEventListener("click", act);
  return node;
};
const tools = (label, ...controls) => {
  const node = make("div", { class: "tools", role: "group", "aria-label": label });
  node.append(...controls);
  return node;
};
