// The page: sends an article to the service, shows its spans over the text and its statements as a table.
// Every piece of a document becomes a text node or an attribute; none is ever read as markup.
"use strict";

const $ = (id) => document.getElementById(id);
const MAX_DEPTH = 3; // deeper underlines would run into the next line

let labels = []; // of the model: name, attributes, roles
let found = null; // the answer on show
let elements = new Map(); // span id to its element

function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

/** Where each code point of a text begins in UTF-16: the service counts code points, strings here code units. */
function unitOffsets(text) {
  const units = [0];
  let at = 0;
  for (const character of text) units.push((at += character.length));
  return units;
}

const labelOf = (name) => labels.find((label) => label.name === name);

/** The classes that give a label its colour and its line, so that colour alone never tells labels apart. */
function look(name) {
  const index = labels.findIndex((label) => label.name === name);
  return `c${index % 8} l${index % 4}${labelOf(name).roles.length ? " statement" : ""}`;
}

const tag = (row) => [row.label, ...Object.values(row.attributes)].join(" · ");
const score = (value) => (value === null ? "" : value.toFixed(2));

/** What there is to say of a span: [name, value] rows. */
function facts(span) {
  const text = new Map(found.spans.map((one) => [one.id, one.text]));
  const label = new Map(found.spans.map((one) => [one.id, one.label]));
  return [
    ...Object.entries(span.attributes),
    ["score", score(span.score)],
    ...found.links.filter((link) => link.head === span.id).map((link) => [link.role, text.get(link.tail)]),
    ...found.links
      .filter((link) => link.tail === span.id)
      .map((link) => [`${link.role} of`, `${label.get(link.head)}: ${text.get(link.head)}`]),
  ];
}

/** How many spans lie inside each other within a span, by id; spans come outer first. */
function depths(spans) {
  const depth = new Map();
  const open = [];
  for (const span of spans) {
    while (open.length && open.at(-1).end <= span.start) open.pop();
    open.push(span);
    depth.set(span.id, 0);
    open.forEach((outer, index) => depth.set(outer.id, Math.max(depth.get(outer.id), open.length - 1 - index)));
  }
  return depth;
}

function spanElement(span, depth) {
  const description = make("span", { id: `about-${elements.size}` }, facts(span).map((row) => row.join(": ")).join("; "));
  $("descriptions").append(description);
  const element = make("span", { className: `span ${look(span.label)} d${Math.min(depth, MAX_DEPTH)}`, tabIndex: 0 });
  element.setAttribute("role", "group");
  element.setAttribute("aria-label", span.label);
  element.setAttribute("aria-describedby", description.id);
  element.dataset.id = span.id;
  element.dataset.tag = tag(span);
  elements.set(span.id, element);
  return element;
}

/** The text with an element for each span, the inner inside the outer. */
function showArticle() {
  const units = unitOffsets(found.text);
  const depth = depths(found.spans);
  const open = [{ element: $("article"), end: Infinity }];
  let at = 0;
  const write = (to) => {
    open.at(-1).element.append(found.text.slice(units[at], units[to]));
    at = to;
  };
  const advance = (to) => {
    while (open.at(-1).end <= to) {
      write(open.at(-1).end);
      open.pop();
    }
    write(to);
  };
  for (const span of found.spans) {
    advance(span.start);
    const element = spanElement(span, depth.get(span.id));
    open.at(-1).element.append(element);
    open.push({ element, end: span.end });
  }
  advance(units.length - 1);
}

function showStatements() {
  for (const row of found.statements) {
    const parties = make("dl");
    for (const [role, texts] of Object.entries(row.parties)) {
      if (texts.length) parties.append(make("dt", {}, role), make("dd", {}, texts.join("; ")));
    }
    const kind = make("th", { scope: "row", className: look(row.label).split(" ")[0] }, tag(row));
    const go = make("button", { type: "button", onclick: () => elements.get(row.id).focus() }, row.text);
    const cells = [go, parties, score(row.score)].map((content) => make("td", {}, content));
    $("statements").tBodies[0].append(make("tr", {}, kind, ...cells));
  }
  $("statements").hidden = !found.statements.length;
  $("no-statements").hidden = found.statements.length > 0;
}

/** Show what there is to say of a span beside the text, and mark the spans that it is tied to. */
function choose(id) {
  for (const element of elements.values()) element.classList.remove("chosen", "tied");
  const span = found.spans.find((one) => one.id === id);
  if (!span) {
    $("details").replaceChildren(make("p", { className: "note" }, "Point at a marked stretch, tap it, or reach it with Tab."));
    return;
  }
  elements.get(id).classList.add("chosen");
  for (const link of found.links) {
    if (link.head === id) elements.get(link.tail).classList.add("tied");
    if (link.tail === id) elements.get(link.head).classList.add("tied");
  }
  const list = make("dl");
  for (const [name, value] of facts(span)) list.append(make("dt", {}, name), make("dd", {}, value));
  $("details").replaceChildren(make("h3", { className: look(span.label).split(" ")[0] }, span.label), list);
}

function clear() {
  found = null;
  elements = new Map();
  for (const id of ["article", "descriptions", "details"]) $(id).replaceChildren();
  $("statements").tBodies[0].replaceChildren();
  $("result").hidden = $("by-hand").hidden = true;
  for (const id of ["status", "problem", "copied"]) $(id).textContent = "";
}

function show(answer) {
  found = answer;
  showArticle();
  showStatements();
  choose(null);
  $("result").hidden = false;
  const counts = labels.map(({ name }) => [name, found.spans.filter((span) => span.label === name).length]);
  const some = counts.filter(([, count]) => count).map(([name, count]) => `${name} ${count}`);
  $("status").textContent = some.length ? `Spans found: ${some.join(", ")}.` : "Nothing found in this text.";
  $("article-heading").focus();
}

/** A path of the service, as JSON; its own word where it refuses. */
async function ask(path, options) {
  const response = await fetch(path, options);
  const data = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(data.error ?? `the service answered ${response.status}`);
  return data;
}

/** The model's labels, asked for once. */
async function learnLabels() {
  if (labels.length) return;
  labels = (await ask("schema")).labels;
  $("legend").replaceChildren(
    ...labels.map(({ name }) => make("li", {}, make("span", { className: `span ${look(name).replace("statement", "")}` }, name))),
  );
}

async function mark() {
  if ($("submit").disabled) return; // one at a time
  clear();
  $("submit").disabled = true;
  $("status").textContent = "Reading…";
  try {
    await learnLabels();
    const body = JSON.stringify({ text: $("text").value });
    const answer = await ask("predict", { method: "POST", headers: { "Content-Type": "application/json" }, body });
    show(answer);
  } catch (error) {
    $("status").textContent = "";
    $("problem").textContent = `Not marked: ${error.message}.`;
  } finally {
    $("submit").disabled = false;
  }
}

async function openFile(file) {
  if ($("submit").disabled) return;
  clear();
  try {
    $("text").value = new TextDecoder("utf-8", { fatal: true }).decode(await file.arrayBuffer());
    await mark();
  } catch {
    $("problem").textContent = `${file.name} is not a text file in UTF-8; convert it, or paste its text.`;
  }
}

/** Rows as CSV (RFC 4180). */
function csv(rows) {
  const cell = (value) => `"${String(value ?? "").replaceAll('"', '""')}"`;
  return rows.map((row) => `${row.map(cell).join(",")}\r\n`).join("");
}

const names = (key, among = labels) => [...new Set(among.flatMap((label) => label[key].map((one) => one.name)))];

function spansAsCsv() {
  const attributes = names("attributes");
  const rows = found.spans.map((span) => [
    ...[span.id, span.label, span.start, span.end, span.text, span.score],
    ...attributes.map((name) => span.attributes[name]),
  ]);
  return csv([["id", "label", "start", "end", "text", "score", ...attributes], ...rows]);
}

function statementsAsCsv() {
  const statements = labels.filter((label) => label.roles.length);
  const [attributes, roles] = [names("attributes", statements), names("roles", statements)];
  const rows = found.statements.map((row) => [
    ...[row.id, row.label, row.text, row.score],
    ...attributes.map((name) => row.attributes[name]),
    ...roles.map((name) => (row.parties[name] ?? []).join("; ")),
  ]);
  return csv([["id", "label", "text", "score", ...attributes, ...roles], ...rows]);
}

async function copy(content, what) {
  $("by-hand").hidden = true;
  try {
    await navigator.clipboard.writeText(content); // there is no clipboard on plain http but on localhost
    $("copied").textContent = `Copied ${what}.`;
  } catch {
    const field = $("by-hand").querySelector("textarea");
    field.value = content;
    $("copied").textContent = "";
    $("by-hand").hidden = false;
    field.select();
  }
}

$("form").addEventListener("submit", (event) => {
  event.preventDefault();
  mark();
});
$("text").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) mark();
});
for (const kind of ["dragover", "dragleave", "drop"]) {
  $("text").addEventListener(kind, (event) => {
    if (!event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    $("text").classList.toggle("over", kind === "dragover");
    if (kind === "drop") openFile(event.dataTransfer.files[0]);
  });
}
$("file").addEventListener("change", (event) => {
  if (event.target.files.length) openFile(event.target.files[0]);
  event.target.value = ""; // so that the same file can be opened again
});
for (const kind of ["pointerover", "focusin"]) {
  $("article").addEventListener(kind, (event) => {
    const span = event.target.closest("[data-id]");
    if (span) choose(span.dataset.id);
  });
}
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && found) choose(null);
});
$("skip").addEventListener("click", (event) => {
  event.preventDefault(); // the address stays as it is
  $("statements-heading").focus();
});
$("copy-json").addEventListener("click", () => copy(JSON.stringify(found, null, 2), "the answer as JSON"));
$("copy-spans").addEventListener("click", () => copy(spansAsCsv(), "the spans as CSV"));
$("copy-statements").addEventListener("click", () => copy(statementsAsCsv(), "the statements as CSV"));
