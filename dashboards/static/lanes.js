// Lanes: stacked charts with one cursor and one window. The server makes the buckets; a null bucket
// is a gap in the database, and is hatched. Times are seconds since 1970.
import { name, paint, stroke } from "./paint.js";
import { usualAt, usualColumns, usualOf, usualSeries } from "./usual.js";
import { clock, ruler, span, width, zoned } from "./times.js";

const chart = JSON.parse(document.getElementById("chart").textContent);
const words = JSON.parse(document.getElementById("chart-words").textContent);
const whole = { from: chart.from, to: chart.to };
const LEAST_S = 600;
let view = { ...whole };
let asked = 0;
let usual = {};  // circuit → what it uses on like days

const lanes = chart.lanes.map((lane) => {
  const root = document.querySelector(`[data-lane="${CSS.escape(lane.circuit)}"]`);
  return { ...lane, root, plot: root.querySelector("[data-plot]"), series: null, u: null };
});

function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (_, key) => values[key]);
}

function number(value) {
  return value === null || value === undefined ? "–" : value.toLocaleString(document.body.dataset.lang, { maximumFractionDigits: Math.abs(value) < 10 ? 2 : 1 });
}

function columns(lane) {
  const series = lane.series;
  const xs = series.mean.map((_, i) => series.start + i * series.bucket_s);
  // one more point, so that the last bucket is as wide as the others
  xs.push(series.start + xs.length * series.bucket_s);
  return [xs, [...series.max, null], [...series.min, null], [...series.mean, null], ...usualColumns(usual, lane, xs)];
}

// a bucket that was not over yet when the page was made is no gap
function over(series, i) {
  return series.start + (i + 1) * series.bucket_s <= chart.limits[1];
}

function gaps(series) {
  const found = [];
  series.count.forEach((n, i) => {
    if (n || !over(series, i)) return;
    const from = series.start + i * series.bucket_s;
    const last = found[found.length - 1];
    if (last && last.to === from) last.to = from + series.bucket_s;
    else found.push({ from, to: from + series.bucket_s });
  });
  return found;
}

function readout(lane, at) {
  const out = lane.root.querySelector("[data-readout]");
  const series = lane.series;
  const i = at === null || !series ? -1 : Math.floor((at - series.start) / series.bucket_s);
  if (i < 0 || i >= series.mean.length) { out.textContent = ""; return; }
  const time = clock(series.start + i * series.bucket_s);
  out.textContent = series.mean[i] === null
    ? `${time} · ${words.missing}`
    : `${time} · ${number(series.mean[i])} kW (${number(series.min[i])}–${number(series.max[i])})`;
}

function options(lane) {
  const [line, band] = stroke(lane.role);
  const stepped = uPlot.paths.stepped({ align: 1 });
  return {
    width: lane.plot.clientWidth,
    height: lane.plot.clientHeight,
    tzDate: zoned,
    legend: { show: false },
    padding: [10, 8, 0, 0],
    scales: {
      x: { time: true, range: () => [view.from, view.to] },
      y: { range: (u, low, high) => [Math.min(0, low || 0), Math.max(1, high || 0) * 1.08] },
    },
    axes: [
      { values: ruler, space: 70, stroke: "#526077", grid: { stroke: "#e8ecf2", width: 1 }, ticks: { stroke: "#cbd5e1", width: 1 }, font: "11px system-ui, sans-serif", size: 28 },
      { size: 52, space: 34, stroke: "#526077", grid: { stroke: "#e8ecf2", width: 1 }, ticks: { show: false }, font: "11px system-ui, sans-serif" },
    ],
    series: [
      {},
      { stroke: band, width: 0.5, points: { show: false }, paths: stepped },
      { stroke: band, width: 0.5, points: { show: false }, paths: stepped },
      { stroke: line, width: 1.4, points: { show: false }, paths: stepped },
      ...usualSeries(usual, lane, stepped),
    ],
    bands: [{ series: [1, 2], fill: band }, ...(usual[lane.circuit] ? [{ series: [4, 5], fill: "rgba(71, 85, 105, .2)" }] : [])],
    cursor: {
      y: false,
      points: { show: false },
      sync: { key: "lanes", setSeries: false },
      drag: { x: true, y: false, setScale: false },
      bind: { dblclick: () => () => { load(whole); return null; } },
    },
    hooks: {
      drawClear: [(u) => paint(u, { ...lane, grace: chart.graces && chart.graces[lane.circuit] }, chart.marks, lane.series ? gaps(lane.series) : [])],
      draw: [(u) => name(u, lane, words.kinds)],
      setCursor: [(u) => readout(lane, u.cursor.left >= 0 ? u.posToVal(u.cursor.left, "x") : null)],
      setSelect: [(u) => {
        if (u.select.width < 6) return;
        const from = u.posToVal(u.select.left, "x"), to = u.posToVal(u.select.left + u.select.width, "x");
        u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
        load({ from, to });
      }],
    },
  };
}

function say(lane) {
  const s = lane.series;
  const inside = s.mean.map((v, i) => i).filter((i) => s.start + i * s.bucket_s < view.to && s.start + (i + 1) * s.bucket_s > view.from);
  const known = inside.filter((i) => s.count[i]);
  const total = known.reduce((sum, i) => sum + s.count[i], 0);
  const facts = { from: clock(view.from), to: clock(view.to), bucket: width(s.bucket_s, words) };
  const missing = inside.filter((i) => !s.count[i] && over(s, i)).length * s.bucket_s;
  const text = fill(known.length ? words.shown + (missing ? " · " + words.gap : "") : words.nothing, {
    ...facts,
    mean: number(known.reduce((sum, i) => sum + s.mean[i] * s.count[i], 0) / (total || 1)),
    min: number(Math.min(...known.map((i) => s.min[i]))),
    max: number(Math.max(...known.map((i) => s.max[i]))),
    missing: span(missing, words),
  });
  lane.root.querySelector("[data-shown]").textContent = text;
}

function tabulate(lane) {
  const details = lane.root.querySelector("details");
  if (!details.open || !lane.series) return;
  const s = lane.series;
  const table = document.createElement("table");
  const head = table.createTHead().insertRow();
  const beside = usual[lane.circuit];
  for (const title of [words.time, words.mean, words.min, words.max, ...(beside ? [words.usual] : [])]) {
    const cell = document.createElement("th");
    cell.scope = "col";
    cell.textContent = title;
    head.append(cell);
  }
  const body = table.createTBody();
  s.mean.forEach((mean, i) => {
    const row = body.insertRow();
    row.insertCell().textContent = clock(s.start + i * s.bucket_s);
    for (const value of [mean, s.min[i], s.max[i]]) row.insertCell().textContent = value === null ? words.missing : number(value);
    if (beside) row.insertCell().textContent = usualAt(beside, s.start + i * s.bucket_s).map(number).join(" – ");
  });
  details.querySelector("[data-table]").replaceChildren(table);
}

function draw(lane) {
  const data = columns(lane);
  if (lane.u) {
    lane.u.setData(data);
  } else {
    lane.u = new uPlot(options(lane), data, lane.plot);
  }
  lane.plot.classList.remove("waiting");
  say(lane);
  tabulate(lane);
}

function bounded({ from, to }) {
  const length = Math.max(LEAST_S, Math.min(to - from, chart.limits[1] - chart.limits[0]));
  const middle = (from + to) / 2;
  const start = Math.max(chart.limits[0], Math.min(middle - length / 2, Math.max(chart.limits[1], whole.to) - length));
  const minute = (at) => Math.round(at / 60) * 60;
  return { from: minute(start), to: minute(start + length) };
}

async function load(wish, tries = 0) {
  const next = bounded(wish);
  const mine = ++asked;
  for (const lane of lanes) lane.plot.classList.add("waiting");
  const query = new URLSearchParams({
    from: new Date(next.from * 1000).toISOString(),
    to: new Date(next.to * 1000).toISOString(),
    points: String(Math.max(200, Math.min(1500, lanes[0].plot.clientWidth))),
  });
  for (const lane of lanes) query.append("circuit", lane.circuit);
  let answer;
  try {
    const response = await fetch(`/api/v1/series?${query}`);
    if (!response.ok) throw new Error(String(response.status));
    answer = await response.json();
  } catch {
    if (mine !== asked) return;
    for (const lane of lanes) lane.root.querySelector("[data-shown]").textContent = words.failed;
    setTimeout(() => { if (mine === asked) load(wish, tries + 1); }, Math.min(30000, 2000 * 2 ** tries));
    return;
  }
  if (mine !== asked) return;
  view = next;
  answer.series.forEach((series, i) => { lanes[i].series = series; draw(lanes[i]); });
  document.getElementById("lanes").dataset.drawn = String(mine);
}

const zooms = {
  in: (v) => ({ from: v.from + (v.to - v.from) / 4, to: v.to - (v.to - v.from) / 4 }),
  out: (v) => ({ from: v.from - (v.to - v.from) / 2, to: v.to + (v.to - v.from) / 2 }),
  earlier: (v) => ({ from: v.from - (v.to - v.from) / 2, to: v.to - (v.to - v.from) / 2 }),
  later: (v) => ({ from: v.from + (v.to - v.from) / 2, to: v.to + (v.to - v.from) / 2 }),
  reset: () => whole,
};

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-zoom], [data-show-from]");
  if (!button || !lanes.length) return;
  if (button.dataset.zoom) { load(zooms[button.dataset.zoom](view)); return; }
  const from = Number(button.dataset.showFrom), to = Number(button.dataset.showTo);
  const pad = Math.max(900, (to - from) * 0.4);
  load({ from: from - pad, to: to + pad });
  document.getElementById("lanes").scrollIntoView({ block: "start", behavior: "smooth" });
});

for (const lane of lanes) {
  lane.root.querySelector("details").addEventListener("toggle", () => tabulate(lane));
}

let resizing = 0;
addEventListener("resize", () => {
  clearTimeout(resizing);
  resizing = setTimeout(() => {
    for (const lane of lanes) if (lane.u) lane.u.setSize({ width: lane.plot.clientWidth, height: lane.plot.clientHeight });
  }, 150);
});

if (lanes.length) { usual = await usualOf(chart.usual); load(whole); }
