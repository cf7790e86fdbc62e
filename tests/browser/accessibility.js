// Looks at the page as it is shown, and returns what is wrong with it, each as a sentence.
// The rules are those of WCAG 2.2, level AA, that a program can decide.
const found = [];
const say = (rule, element, more = "") =>
  found.push(`${rule}: <${element.tagName.toLowerCase()}${element.id ? ` id=${element.id}` : ""}> ${(element.textContent || "").trim().slice(0, 40)} ${more}`);
const all = (selector) => [...document.querySelectorAll(selector)];
const isShown = (element) => element.checkVisibility({visibilityProperty: true}) && element.getClientRects().length > 0;

// 3.1.1, 2.4.2, 1.3.1, 2.4.1
if (!document.documentElement.lang) found.push("3.1.1: the page has no language");
if (!document.title.trim()) found.push("2.4.2: the page has no title");
for (const [selector, most] of [["h1", 1], ["main", 1], ["body > header", 1], ["body > footer", 1]]) {
  if (all(selector).length !== most) found.push(`1.3.1: ${all(selector).length} of ${selector}`);
}
const first = document.querySelector("a[href]");
const target = first && document.querySelector(first.getAttribute("href"));
if (!target || target.tagName !== "MAIN") found.push("2.4.1: the first link does not skip to the content");
let level = 0;
for (const heading of all("h1, h2, h3, h4, h5, h6").filter(isShown)) {
  const next = Number(heading.tagName[1]);
  if (next > level + 1) say("1.3.1 a level of headings is left out", heading);
  level = next;
}
for (const nav of all("nav, section")) {
  if (!nav.hasAttribute("aria-label") && !nav.hasAttribute("aria-labelledby")) say("1.3.1 a landmark without a name", nav);
}

// 4.1.1, 1.3.1, 3.3.2, 4.1.2
const ids = all("[id]").map((element) => element.id);
for (const id of ids.filter((id, index) => ids.indexOf(id) !== index)) found.push(`4.1.1: the id ${id} is there twice`);
for (const name of ["aria-describedby", "aria-labelledby", "for", "list"]) {
  for (const element of all(`[${name}]`)) {
    for (const id of element.getAttribute(name).split(/\s+/)) {
      if (!document.getElementById(id)) say(`1.3.1 ${name} names ${id}, which is not there`, element);
    }
  }
}
for (const field of all("input:not([type=hidden]), select, textarea").filter(isShown)) {
  if (!field.labels.length && !field.hasAttribute("aria-label")) say("3.3.2 a field without a label", field);
  if (field.getAttribute("aria-invalid") === "true" && !field.hasAttribute("aria-describedby")) say("3.3.1 an error that is not tied to its field", field);
}
for (const control of all("button, a[href]")) {
  if (!(control.getAttribute("aria-label") || control.textContent).trim()) say("4.1.2 a control without a name", control);
}
for (const control of all("[aria-label]").filter((element) => element.matches("a, button"))) {
  if (!control.getAttribute("aria-label").toLowerCase().includes(control.textContent.trim().toLowerCase())) say("2.5.3 a name that does not have what is shown", control);
}
for (const table of all("table")) {
  if (!table.caption || !table.caption.textContent.trim()) say("1.3.1 a table without a caption", table);
  for (const head of table.querySelectorAll("th")) if (!head.scope) say("1.3.1 a head without a scope", head);
}
for (const group of all("input[type=radio]")) if (!group.closest("fieldset")?.querySelector("legend")) say("1.3.1 a choice without a legend", group);
for (const box of all("*").filter((element) => isShown(element) && ["auto", "scroll"].includes(getComputedStyle(element).overflowX))) {
  const scrolls = box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight;
  const reached = box.tabIndex >= 0 || box.querySelector("a, button, input, select, textarea");
  if (scrolls && !reached) say("2.1.1 a part that only a mouse can scroll", box);
}

// 1.4.3, 1.4.11
const parse = (color) => {
  const [r, g, b, a = 1] = color.match(/[\d.]+/g).map(Number);
  return [r, g, b, a];
};
const over = (front, back) => [0, 1, 2].map((i) => front[i] * front[3] + back[i] * (1 - front[3])).concat(1);
const ground = (element) => {
  const layers = [];
  for (let each = element; each; each = each.parentElement) layers.unshift(parse(getComputedStyle(each).backgroundColor));
  const canvas = matchMedia("(prefers-color-scheme: dark)").matches ? [18, 18, 18, 1] : [255, 255, 255, 1];
  return layers.reduce((back, front) => over(front, back), canvas);
};
const luminance = (color) => {
  const [r, g, b] = color.slice(0, 3).map((value) => value / 255).map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const contrast = (one, two) => {
  const [dark, light] = [luminance(one), luminance(two)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
};
const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
let measured = 0;
while (texts.nextNode()) {
  const element = texts.currentNode.parentElement;
  if (!texts.currentNode.textContent.trim() || !isShown(element) || element.closest("option, datalist")) continue;
  const style = getComputedStyle(element);
  const isLarge = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.66 && Number(style.fontWeight) >= 700);
  const back = ground(element);
  const ratio = contrast(over(parse(style.color), back), back);
  measured += 1;
  if (ratio < (isLarge ? 3 : 4.5)) say("1.4.3 too little contrast", element, ratio.toFixed(2));
}
if (measured < 5) found.push(`only ${measured} texts were looked at`);
for (const field of all("input:not([type=hidden]), select, textarea").filter(isShown)) {
  const style = getComputedStyle(field);
  const back = ground(field.parentElement);
  if (!["radio", "checkbox"].includes(field.type) && contrast(over(parse(style.borderTopColor), back), back) < 3) say("1.4.11 a border that is hard to see", field);
  if (!["radio", "checkbox"].includes(field.type) && contrast(parse(style.color), ground(field)) < 4.5) say("1.4.3 what is typed is hard to read", field);
}

// 1.4.10, 2.5.8
if (document.documentElement.scrollWidth > document.documentElement.clientWidth) found.push(`1.4.10: the page is ${document.documentElement.scrollWidth} wide`);
for (const control of all("button, input:not([type=hidden]), select, textarea, a.button").filter(isShown)) {
  const box = control.getBoundingClientRect();
  const label = control.labels?.[0]?.getBoundingClientRect();
  if (Math.max(box.height, label?.height ?? 0) < 24 || Math.max(box.width, label?.width ?? 0) < 24) say("2.5.8 too small to hit", control);
}
return found;
