// The rows of a board: made from a template once, filled in place, put in order. A row keeps its node,
// and with it focus and scroll, however its numbers turn.
import { clock, span } from "./times.js";

const words = JSON.parse(document.getElementById("board-words").textContent);
const locale = document.body.dataset.lang;
const table = document.querySelector("table.board");
const blank = document.getElementById("board-row");
const bodies = new Map([...table.querySelectorAll("tbody[data-group]")].map((body) => [body.dataset.group, body]));
const groups = [...bodies.keys()];
const rows = new Map();  // enterprise id → { record, node, slots }
const SAID = ["violated", "partial", "complied", "exempt"];  // of the others no confidence is told
// making a formatter costs more than all the rest of a row
const shares = new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 0 });
const small = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 }), large = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 });
const marks = new Map([...document.querySelectorAll("template[data-mark]")].map((mark) => [mark.dataset.mark, mark.content]));
const TURNED_MS = 8000, OLD_S = 900;
let skewMs = 0, fixed = null;

export function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (_, key) => values[key]);
}

function seconds(instant) {
  return Date.parse(instant) / 1000;
}

// The server's time; a replay stands still at its minute.
export function setTime(instant, { still = false } = {}) {
  fixed = still ? Date.parse(instant) : null;
  skewMs = Date.parse(instant) - Date.now();
}

function now() {
  return (fixed === null ? Date.now() + skewMs : fixed) / 1000;
}

function set(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

function percent(share) {
  return share === null ? "–" : shares.format(share);
}

function number(value) {
  return value === null ? "–" : (Math.abs(value) < 10 ? small : large).format(value);
}

function optional(node, text) {
  node.hidden = !text;
  set(node, text || "");
}

function told(codes, dictionary) {
  return codes.map((code) => dictionary[code] || code.replaceAll("_", " "));
}

function bar({ cut, fill: made, goal }, record) {
  cut.toggleAttribute("hidden", record.achieved_cut === null);
  made.setAttribute("width", (record.achieved_cut === null ? 0 : record.achieved_cut * 100).toFixed(1));
  goal.toggleAttribute("hidden", record.required_cut === null);
  goal.setAttribute("transform", `translate(${Math.min(98.5, (record.required_cut || 0) * 100)} 0)`);
}

function called(record) {
  const call = record.call;
  if (!call) return "";
  const said = fill(words.called, { actor: call.actor, when: clock(seconds(call.at)).slice(6), text: call.text });
  if (call.due) return `${said} · ${words.due}`;
  return call.promised_at ? `${said} · ${fill(words.promised, { when: clock(seconds(call.promised_at)).slice(6) })}` : said;
}

function turned(change) {
  if (!change) return "";
  return fill(words.turned, {
    before: words.standing[change.before] || change.before, after: words.standing[change.after] || change.after,
    cause: words.cause[change.cause] || change.cause, when: clock(seconds(change.changed_at)).slice(6),
  });
}

// The places of a new row that are filled in: looked up once, filled every minute.
function slotsOf(node) {
  const found = { cut: node.querySelector(".cut"), fill: node.querySelector(".cut-fill"), goal: node.querySelector(".cut-goal") };
  for (const place of node.querySelectorAll("[data-slot]")) found[place.dataset.slot] = place;
  return found;
}

function paint({ node, slots, record }) {
  const slot = (name) => slots[name];
  node.id = `row-${record.enterprise_id}`;
  const classes = [`standing-${record.standing}`, `in-${record.group}`];
  for (const name of [...node.classList]) {  // others tell of flashes and pages of the wall
    if (/^(standing|in)-/.test(name) && !classes.includes(name)) node.classList.remove(name);
  }
  node.classList.add(...classes);
  if (slot("verdict").dataset.says !== record.standing) {
    slot("verdict").dataset.says = record.standing;
    slot("verdict").replaceChildren(marks.get(record.standing).cloneNode(true));
  }
  const name = slot("name");
  set(name, record.name);
  name.setAttribute("href", `/enterprises/${encodeURIComponent(record.enterprise_id)}?alert=${encodeURIComponent(table.closest("[data-alert]").dataset.alert)}`);
  const plain = ["complied", "in_grace"].includes(record.standing);
  const reasons = plain ? [] : told(record.why, words.why);
  set(slot("notes"), [...told(record.notes, words.notes), ...reasons].join(" · "));
  optional(slot("trace"), turned(record.change));
  set(slot("district"), record.district || "–");
  set(slot("industry"), record.industry || "–");
  set(slot("grade"), words.grades[record.grade] || record.grade);
  set(slot("required"), percent(record.required_cut));
  set(slot("achieved"), percent(record.achieved_cut));
  bar(slots, record);
  const saves = record.group === "call" || record.group === "resting";
  optional(slot("saves"), saves ? fill(words.saves, { kw: number(record.avoidable_kw) }) : "");
  set(slot("kw"), record.now_kw === null && record.baseline_kw === null ? "–" : `${number(record.baseline_kw)} → ${number(record.now_kw)} kW`);
  set(slot("sure"), SAID.includes(record.standing) ? percent(record.confidence) : "–");
  slot("age").dataset.at = record.heard_at || "";
  slot("grace").dataset.until = record.ends_at || "";
  const call = slot("call");
  if (call) {
    optional(call, called(record));
    call.classList.toggle("due", Boolean(record.call && record.call.due));
  }
  tick(slots);
}

function tick({ age, grace }) {
  const old = age.dataset.at ? Math.max(0, now() - seconds(age.dataset.at)) : null;
  if (fixed !== null) set(age, old === null ? words.never : clock(seconds(age.dataset.at)));
  else set(age, old === null ? words.never : span(old, words));
  age.classList.toggle("old", fixed === null && old !== null && old > OLD_S);
  const left = grace.dataset.until ? seconds(grace.dataset.until) - now() : 0;
  optional(grace, left > 0 ? fill(words.grace, { length: span(left, words) }) : "");
}

function before(a, b) {
  const x = a.record.place, y = b.record.place;
  for (let i = 0; i < x.length; i += 1) if (x[i] !== y[i]) return x[i] < y[i] ? -1 : 1;
  return 0;
}

// Nothing moves under somebody who is writing a note.
function writing() {
  return table.querySelector("tr.calling") !== null;
}

export function arrange() {
  if (writing()) return;
  const focused = table.contains(document.activeElement) ? document.activeElement : null;
  const anchor = [...table.querySelectorAll("tbody tr:not(.group)")].find((row) => row.getBoundingClientRect().bottom > 0);
  const top = anchor && scrollY > 0 ? anchor.getBoundingClientRect().top : null;
  const sorted = [...rows.values()].sort(before), moved = new Set();
  for (const group of groups) {
    const body = bodies.get(group), own = sorted.filter((row) => row.record.group === group);
    let at = body.firstElementChild;
    for (const { node } of own) {
      const next = at.nextElementSibling;
      if (next !== node) {
        // one that goes down is taken out; not all that it passes are lifted over it
        if (next && next.nextElementSibling === node) { next.remove(); moved.add(next); }
        else { if (node.isConnected) moved.add(node); at.after(node); }
      }
      at = node;
    }
    body.hidden = own.length === 0;
    set(body.querySelector("[data-size]"), number(own.length));
  }
  tellWorth();
  for (const node of moved) flash(node, "moved", 1500);
  document.querySelector("[data-none]").hidden = rows.size > 0;
  if (focused && focused !== document.activeElement) focused.focus({ preventScroll: true });
  if (top !== null && anchor.isConnected) scrollBy(0, anchor.getBoundingClientRect().top - top);
}

function tellWorth() {
  let kw = 0;
  for (const { record } of rows.values()) if (record.group === "call") kw += record.avoidable_kw;
  set(bodies.get("call").querySelector("[data-worth]"), fill(words.worth, { kw: number(kw) }));
}

function flash(node, name, ms) {
  node.classList.add(name);
  setTimeout(() => node.classList.remove(name), ms);
}

// Puts rows in; `whole`: those that are not among them go.
export function put(records, { gone = [], whole = false, silent = false } = {}) {
  const kept = new Set(records.map((record) => record.enterprise_id));
  const leaving = whole ? [...rows.keys()].filter((id) => !kept.has(id)) : gone.filter((id) => rows.has(id));
  let stirred = rows.size === 0 || leaving.length > 0;
  for (const id of leaving) {
    rows.get(id).node.remove();
    rows.delete(id);
  }
  for (const record of records) {
    const held = rows.get(record.enterprise_id);
    if (!held) {
      const node = blank.content.firstElementChild.cloneNode(true);
      const row = { record, node, slots: slotsOf(node) };
      rows.set(record.enterprise_id, row);
      paint(row);
      stirred = true;
      continue;
    }
    stirred = stirred || held.record.place.some((part, n) => part !== record.place[n]);
    const differs = held.record.standing !== record.standing;
    held.record = record;
    paint(held);
    if (differs && !silent) flash(held.node, "turned", TURNED_MS);
  }
  if (stirred) arrange();  // most news only move numbers on
  else tellWorth();
}

export function figures(record) {
  for (const node of document.querySelectorAll("[data-count]")) set(node, number(record.counts[node.dataset.count]));
  set(document.querySelector("[data-to-call]"), number(record.to_call.rows));
  document.querySelector(".to-call").classList.toggle("nobody", !record.to_call.rows);
  optional(document.querySelector("[data-to-save]"), record.to_call.rows ? fill(words.worth, { kw: number(record.to_call.kw) }) : "");
}

export function rowOf(node) {
  return [...rows.values()].find((row) => row.node === node);
}

export function listed() {
  return [...table.querySelectorAll("tbody:not([hidden]) tr:not(.group)")];
}

setInterval(() => { if (fixed === null) for (const row of rows.values()) tick(row.slots); }, 1000);
