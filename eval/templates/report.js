
"use strict";
const form = document.getElementById("filter");
const shown = document.getElementById("shown");
const items = [...document.querySelectorAll("[data-kind]")];

function filter() {
  const { kind, label } = Object.fromEntries(new FormData(form));
  let count = 0;
  for (const item of items) {
    const fits = (!kind || item.dataset.kind === kind) && (!label || item.dataset.label === label);
    item.hidden = !fits;
    count += fits;
  }
  shown.textContent = `${count} of ${items.length} examples`;
}

function unfold() {
  const target = document.getElementById(location.hash.slice(1));
  if (target instanceof HTMLDetailsElement) target.open = true;
}

if (form) {
  form.hidden = false;
  form.addEventListener("change", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  filter();
}
addEventListener("hashchange", unfold);
unfold();
