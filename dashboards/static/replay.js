// An alert again, minute by minute. What is asked for last is shown; a minute once read is kept.
import { figures, put, setTime } from "./board_rows.js";
import { clock } from "./times.js";

const tools = document.querySelector("[data-replay]");
const slider = document.getElementById("replay-at");
const output = tools.querySelector("[data-shown-at]"), trouble = tools.querySelector("[data-trouble]");
const button = tools.querySelector("[data-play]");
const board = document.getElementById("board");
const start = Number(tools.dataset.alertFrom);
const PLAY_MS = 400, PAUSE_MS = 120, AGAIN_MS = 3000, KEPT = 300;
const kept = new Map();
let asked = 0, playing = 0, waiting = 0;

function knowledge() {
  return tools.querySelector("[name=knowledge]:checked").value;
}

function at() {
  return start + Number(slider.value);
}

function show(record) {
  setTime(record.now, { still: true });
  put(record.rows, { whole: true });
  figures(record);
  board.dataset.shown = `${knowledge()} ${record.now}`;
}

function remember() {
  const query = new URLSearchParams({ at: new Date(at() * 1000).toISOString(), knowledge: knowledge() });
  history.replaceState(null, "", `${location.pathname}?${query}`);
  return query;
}

async function load() {
  const mine = ++asked, query = remember();
  output.textContent = clock(at());
  slider.setAttribute("aria-valuetext", output.textContent);
  const key = String(query);
  if (!kept.has(key)) {
    try {
      const answer = await fetch(`/api/v1/board/${encodeURIComponent(board.dataset.alert)}?${query}`);
      if (!answer.ok) throw new Error(String(answer.status));
      kept.set(key, await answer.json());
      if (kept.size > KEPT) kept.delete(kept.keys().next().value);
    } catch {
      if (mine === asked) {
        trouble.textContent = trouble.dataset.failed;
        setTimeout(() => { if (mine === asked) load(); }, AGAIN_MS);
      }
      return;
    }
  }
  if (mine !== asked) return;
  trouble.textContent = "";
  show(kept.get(key));
}

function soon() {
  output.textContent = clock(at());
  clearTimeout(waiting);
  waiting = setTimeout(load, PAUSE_MS);
}

function play(on) {
  playing = on ? playing + 1 : 0;
  button.textContent = on ? button.dataset.pause : button.dataset.playWord;
  if (on) step(playing);
}

async function step(run) {
  if (run !== playing) return;
  if (Number(slider.value) >= Number(slider.max)) { play(false); return; }
  slider.value = String(Number(slider.value) + 60);
  const begun = performance.now();
  await load();
  setTimeout(() => step(run), Math.max(0, PLAY_MS - (performance.now() - begun)));
}

slider.addEventListener("input", () => { play(false); soon(); });
tools.addEventListener("change", (event) => { if (event.target.name === "knowledge") load(); });
button.addEventListener("click", () => play(!playing));
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|BUTTON|A)$/.test(event.target.tagName)) return;
  if (event.key === " ") { event.preventDefault(); play(!playing); }
  const by = { ArrowLeft: -60, ArrowRight: 60, PageUp: 600, PageDown: -600 }[event.key];
  if (by) { event.preventDefault(); play(false); slider.value = String(Number(slider.value) + by); soon(); }
});

document.getElementById("link-state").hidden = true;  // nothing here is live
show(JSON.parse(document.getElementById("board-state").textContent));
load();
