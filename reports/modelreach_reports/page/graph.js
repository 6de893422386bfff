"use strict";
// The access graph in columns, each with a budget of boxes: what is alike shares a box until it is
// clicked, which leaves the paths through it. The page is complete without this.
performance.mark("modelreach-graph-begin");
(() => {
  const BUDGET = 12;
  const LISTED = 6;
  const SIGN = { new: "+", gone: "−", changed: "~", unknown: "?", same: "" };
  const WEIGHT = ["same", "gone", "changed", "unknown", "new"];
  const block = document.getElementById("explore-data");
  if (!block) return;
  const { columns, boxes, paths } = JSON.parse(block.textContent);
  const [COLUMN, LABEL, KIND, PLACE, FATE, SENSITIVE, FULL] = [0, 1, 2, 3, 4, 5, 6];
  const [STOPS, BECAME, COUNT, FINDINGS, PROVISOS] = [0, 1, 2, 3, 4];
  const byId = (id) => document.getElementById(id);
  const holder = byId("explore");
  const field = byId("explore-columns");
  const find = byId("explore-find");
  const fate = byId("explore-fate");
  const all = paths.map((_, number) => number);
  let trail = [{ label: "All", among: all }];
  let texts = null;
  let shown = { rows: [], links: new Map(), lines: field };

  const plural = (count, noun) => `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
  const heavier = (a, b) => (WEIGHT.indexOf(a) > WEIGHT.indexOf(b) ? a : b);
  const made = (name, className, text) => {
    const element = document.createElement(name);
    if (className) element.className = className;
    if (text !== undefined) element.textContent = text;
    return element;
  };
  // A line may break between the words of a name, and else only where it must.
  const parted = (element, text) => {
    text.split(/(?<=[:./_@])(?=\S)|(?<=[a-z0-9])(?=[A-Z])/).forEach((part, number) =>
      element.append(...(number ? [made("wbr"), part] : [part])));
    return element;
  };

  function textOf(number) {
    texts ??= paths.map((path) =>
      [...path[STOPS].map((stop) => boxes[stop].join(" ")), ...path[FINDINGS], ...path[PROVISOS]]
        .join(" ").toLowerCase());
    return texts[number];
  }

  function wanted() {
    const words = find.value.trim().toLowerCase();
    const kind = fate.value;
    return trail.at(-1).among.filter((number) =>
      (!kind || paths[number][BECAME] === kind) && (!words || textOf(number).includes(words)));
  }

  // What each box of a column stands for on these paths: how often, and how early it comes.
  function weighed(among) {
    const found = columns.map(() => new Map());
    among.forEach((number, order) => {
      const path = paths[number];
      for (const stop of path[STOPS]) {
        const column = found[boxes[stop][COLUMN]];
        const entry = column.get(stop);
        if (entry) entry.count += path[COUNT];
        else column.set(stop, { stop, count: path[COUNT], order });
      }
    });
    return found;
  }

  function groupsOf(entries) {
    const groups = new Map();
    for (const entry of entries) {
      const box = boxes[entry.stop];
      const key = [box[KIND], box[PLACE], box[FATE], box[SENSITIVE]].join("\u0000");
      const group = groups.get(key) ?? { stops: [], count: 0, order: entry.order };
      group.stops.push(entry.stop);
      group.count += entry.count;
      groups.set(key, group);
    }
    return [...groups.values()];
  }

  // At most BUDGET rows for a column: single boxes, groups of boxes that are alike, and the rest.
  function rowsOf(column) {
    const entries = [...column.values()];
    const single = ({ stop, count, order }) => ({ stops: [stop], count, order });
    if (entries.length <= BUDGET) return entries.map(single);
    const groups = groupsOf(entries);
    const rows = groups.length > 1 ? groups : entries.map(single);
    if (rows.length <= BUDGET) return rows;
    const rest = rows.slice(BUDGET - 1);
    const more = {
      stops: rest.flatMap((row) => row.stops),
      count: rest.reduce((sum, row) => sum + row.count, 0),
      order: Infinity,
      more: true,
    };
    return [...rows.slice(0, BUDGET - 1), more];
  }

  function linked(among, rows) {
    const rowOf = new Map();
    rows.forEach((column) => column.forEach((row) => row.stops.forEach((stop) => rowOf.set(stop, row))));
    const links = new Map();
    for (const number of among) {
      const path = paths[number];
      for (let step = 1; step < path[STOPS].length; step += 1) {
        const from = rowOf.get(path[STOPS][step - 1]);
        const to = rowOf.get(path[STOPS][step]);
        let ends = links.get(from);
        if (!ends) links.set(from, (ends = new Map()));
        const acting = step < path[STOPS].length - 2;
        const became = acting ? boxes[path[STOPS][step]][FATE] : path[BECAME];
        const link = ends.get(to);
        if (link) {
          link.count += path[COUNT];
          link.fate = heavier(link.fate, became);
        } else ends.set(to, { count: path[COUNT], fate: became });
      }
    }
    return links;
  }

  // Rows near what leads to them, so that few lines cross.
  function sorted(rows, links) {
    const at = new Map();
    for (const column of rows) {
      const pull = new Map(column.map((row) => [row, []]));
      for (const [from, ends] of links) {
        if (!at.has(from)) continue;
        for (const to of ends.keys()) pull.get(to)?.push(at.get(from));
      }
      const mean = (row) => {
        const places = pull.get(row);
        return places.length ? places.reduce((sum, place) => sum + place, 0) / places.length : 0;
      };
      column.sort((a, b) => Boolean(a.more) - Boolean(b.more) || mean(a) - mean(b) || a.order - b.order);
      column.forEach((row, place) => at.set(row, (place + 0.5) / column.length));
    }
  }

  function described(row) {
    const first = boxes[row.stops[0]];
    const fates = new Set(row.stops.map((stop) => boxes[stop][FATE]));
    const became = fates.size === 1 ? first[FATE] : "mixed";
    const sensitive = row.stops.some((stop) => boxes[stop][SENSITIVE]);
    const many = row.stops.length;
    const label = row.more ? `… ${many.toLocaleString("en")} more` : many > 1
      ? `${many.toLocaleString("en")} × ${first[KIND] || "ways"}` : first[LABEL];
    const under = row.more ? "click to go on" : many > 1 ? first[PLACE]
      : [first[KIND] === "grant" ? "" : first[KIND], first[PLACE]].filter(Boolean).join(" · ");
    return { label, under, became, sensitive, full: many > 1 ? "" : first[FULL] };
  }

  function boxFor(row, column) {
    const { label, under, became, sensitive, full } = described(row);
    const button = made("button", `node ${became}${sensitive ? " sensitive-node" : ""}`);
    button.type = "button";
    button.dataset.column = column;
    const signs = [SIGN[became] ?? "", sensitive ? "!" : ""].filter(Boolean).join(" ");
    const name = parted(made("b"), signs ? `${signs} ${label}` : label);
    button.append(name, made("span", "", under));
    if (full) button.title = full;
    const state = became === "same" || became === "mixed" ? "" : `${became}, `;
    button.setAttribute("aria-label",
      `${columns[column]}: ${label}${under ? `, ${under}` : ""}, ${state}${sensitive ? "sensitive, " : ""}${plural(row.count, "path")}`);
    button.addEventListener("click", () => follow(row, label));
    row.button = button;
    return button;
  }

  function drawn(rows) {
    field.replaceChildren();
    const lines = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    lines.setAttribute("aria-hidden", "true");
    field.append(lines);
    rows.forEach((column, number) => {
      const list = made("div", "column");
      list.append(made("span", "column-name", columns[number]));
      const stack = made("div", "stack");
      stack.append(...column.map((row) => boxFor(row, number)));
      list.append(stack);
      field.append(list);
    });
    return lines;
  }

  function joined() {
    const { lines, links } = shown;
    if (!lines.isConnected) return;
    const ground = field.getBoundingClientRect();
    const places = new Map();
    for (const row of shown.rows.flat()) {
      const edge = row.button.getBoundingClientRect();
      const x = edge.left - ground.left + field.scrollLeft;
      places.set(row, { x, y: edge.top - ground.top + edge.height / 2, end: x + edge.width });
    }
    lines.setAttribute("width", String(field.scrollWidth));
    lines.setAttribute("height", String(field.clientHeight));
    const curves = [];
    for (const [from, ends] of links) {
      for (const [to, link] of ends) {
        const a = places.get(from);
        const b = places.get(to);
        const bend = Math.max((b.x - a.end) / 2, 12);
        const curve = document.createElementNS("http://www.w3.org/2000/svg", "path");
        curve.setAttribute("d", `M${a.end} ${a.y}C${a.end + bend} ${a.y} ${b.x - bend} ${b.y} ${b.x} ${b.y}`);
        curve.setAttribute("class", link.fate);
        curve.setAttribute("stroke-width", String(Math.min(1.2 + Math.log2(link.count) / 2, 6)));
        curves.push(curve);
      }
    }
    lines.replaceChildren(...curves);
  }

  function crumbs() {
    const nav = byId("explore-crumbs");
    nav.replaceChildren(...trail.map((step, number) => {
      const last = number === trail.length - 1;
      const part = made(last ? "span" : "button", "crumb", step.label);
      if (last) part.setAttribute("aria-current", "true");
      else {
        part.type = "button";
        part.addEventListener("click", () => back(number));
      }
      return part;
    }));
  }

  function told(number) {
    const path = paths[number];
    const line = made("li", "");
    if (path[BECAME] !== "same") {
      line.append(made("span", `tag ${path[BECAME]}`, `${SIGN[path[BECAME]]} ${path[BECAME]}`), " ");
    }
    line.append(path[STOPS].map((stop) => boxes[stop][LABEL]).join(" → "));
    path[PROVISOS].forEach((text) => line.append(made("span", "proviso", text)));
    for (const id of path[FINDINGS]) {
      const anchor = `f-${id.replace(/[^A-Za-z0-9]/gu, "_")}`;
      if (!byId(anchor)) continue;
      const link = made("a", "", id);
      link.href = `#${anchor}`;
      line.append(" ", link);
    }
    return line;
  }

  function report(among) {
    const sum = among.reduce((total, number) => total + paths[number][COUNT], 0);
    const drawnBoxes = shown.rows.reduce((total, column) => total + column.length, 0);
    byId("explore-count").textContent = `${plural(sum, "path")}, ${drawnBoxes} boxes drawn`;
    const list = made("ol", "");
    list.append(...among.slice(0, LISTED).map(told));
    const rest = among.length - LISTED;
    byId("explore-paths").replaceChildren(
      ...(among.length ? [list] : [made("p", "", "No path is like that.")]),
      ...(rest > 0 && among.length ? [made("p", "", `… and ${plural(rest, "more line")}; click a box to follow its paths.`)] : []));
  }

  function draw() {
    const among = wanted();
    const rows = weighed(among).map(rowsOf);
    const links = linked(among, rows);
    sorted(rows, links);
    shown = { rows, links, lines: drawn(rows) };
    crumbs();
    report(among);
    // With the next frame, when the browser has laid the page out anyway.
    requestAnimationFrame(joined);
  }

  function follow(row, label) {
    const stops = new Set(row.stops);
    const among = wanted().filter((number) => paths[number][STOPS].some((stop) => stops.has(stop)));
    const column = Number(row.button.dataset.column);
    if (among.length === trail.at(-1).among.length && trail.length > 1) return;
    trail.push({ label, among });
    draw();
    shown.rows[column]?.[0]?.button.focus();
  }

  function back(number) {
    trail = trail.slice(0, number + 1);
    draw();
    byId("explore-crumbs").lastElementChild.previousElementSibling?.focus();
  }

  // #path=F01 shows the paths of a finding and nothing else, each box by itself.
  function pinned() {
    const asked = /^#path=(.+)$/u.exec(decodeURIComponent(location.hash));
    if (!asked) return false;
    const among = all.filter((number) => paths[number][FINDINGS].includes(asked[1]));
    if (!among.length) return false;
    find.value = fate.value = "";
    trail = [{ label: "All", among: all }, { label: asked[1], among }];
    draw();
    byId("graph").scrollIntoView();
    return true;
  }

  function moved(event) {
    const column = Number(event.target.dataset?.column);
    if (event.key === "Escape" && trail.length > 1) {
      event.preventDefault();
      back(trail.length - 2);
      shown.rows.flat()[0]?.button.focus();
      return;
    }
    if (!Number.isInteger(column)) return;
    const rows = shown.rows[column];
    const place = rows.findIndex((row) => row.button === event.target);
    const aside = (step) => {
      for (let next = column + step; shown.rows[next]; next += step) {
        const to = shown.rows[next];
        if (to.length) return to[Math.min(place, to.length - 1)];
      }
      return undefined;
    };
    const target = { ArrowUp: () => rows[place - 1], ArrowDown: () => rows[place + 1],
      ArrowLeft: () => aside(-1), ArrowRight: () => aside(1),
      Home: () => rows[0], End: () => rows.at(-1) }[event.key]?.();
    if (!target) return;
    event.preventDefault();
    target.button.focus();
  }

  function mapped() {
    const button = byId("explore-map");
    const on = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(on));
    holder.classList.toggle("as-map", on);
    if (!on) joined();
  }

  function offered() {
    for (const article of document.querySelectorAll("#finding-list > article")) {
      const id = article.dataset.finding;
      if (!known.has(id)) continue;
      const link = made("a", "on-graph", "on the graph");
      link.href = `#path=${encodeURIComponent(id)}`;
      article.querySelector("header").append(link);
    }
  }

  const known = new Set(paths.flatMap((path) => path[FINDINGS]));
  holder.hidden = false;
  document.body.classList.add("explored");
  field.style.gridTemplateColumns = columns.map((_, place) =>
    `minmax(${place === 0 ? 96 : 128}px, ${[0.7, ...columns.slice(3).map(() => 1), 1.4, 1.6][place]}fr)`).join(" ");
  field.addEventListener("keydown", moved);
  find.addEventListener("input", draw);
  fate.addEventListener("change", draw);
  byId("explore-map").addEventListener("click", mapped);
  addEventListener("resize", joined);
  addEventListener("hashchange", pinned);
  offered();
  if (!pinned()) draw();
})();
performance.measure("modelreach-graph", "modelreach-graph-begin");
