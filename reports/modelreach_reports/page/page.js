"use strict";
// The page is complete without this: it only narrows the tables by a text.
for (const box of document.querySelectorAll("[data-search]")) {
  const rows = [...document.querySelectorAll(box.dataset.search)];
  const count = box.parentElement.querySelector("output");
  box.parentElement.hidden = rows.length < 6;
  box.addEventListener("input", () => {
    const wanted = box.value.trim().toLowerCase();
    let shown = 0;
    for (const row of rows) {
      row.hidden = !row.textContent.toLowerCase().includes(wanted);
      shown += row.hidden ? 0 : 1;
    }
    count.textContent = wanted ? `${shown} of ${rows.length}` : "";
  });
}
