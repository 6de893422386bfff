// Narrows a list by its fields and by a text; what is left out of sight is left out of print, too.
for (const bar of document.querySelectorAll("[data-rows]")) {
  const rows = [...document.querySelectorAll(bar.dataset.rows)];
  const [count, box] = [bar.querySelector("output"), bar.querySelector("input")];
  const fields = [...bar.querySelectorAll("select")];
  let texts = null;
  bar.hidden = rows.length < 6;
  const narrow = () => {
    const wanted = box.value.trim().toLowerCase();
    if (wanted) texts ??= rows.map((row) => row.textContent.toLowerCase());
    let shown = 0;
    rows.forEach((row, place) => {
      const fits = fields.every((field) => !field.value || row.dataset[field.dataset.field] === field.value);
      row.hidden = !fits || Boolean(wanted && !texts[place].includes(wanted));
      shown += row.hidden ? 0 : 1;
    });
    count.textContent = shown < rows.length ? `${shown} of ${rows.length}` : "";
  };
  for (const input of [box, ...fields]) input.addEventListener("input", narrow);
}
// A link to a row that a filter hides shows it.
addEventListener("hashchange", () => {
  const target = document.getElementById(location.hash.slice(1));
  if (target?.hidden) {
    target.hidden = false;
    target.scrollIntoView();
  }
});
