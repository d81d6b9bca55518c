// The live board: one stream, rows that turn in place, notes of calls.
import { arrange, figures, put, rowOf, setTime } from "./board_rows.js";
import { swap } from "./swap.js";
import { follow } from "./stream.js";
import { instantAt } from "./times.js";
import { hang } from "./wall.js";

const board = document.getElementById("board");
const query = new URLSearchParams(location.search);
for (const name of ["lang", "wall"]) query.delete(name);
let mark = null;

function take(record, options) {
  setTime(record.now);
  put(record.rows, options(record));
  figures(record);
  if (mark !== null && record.mark !== mark) swap();  // level or lift
  mark = record.mark;
  document.body.dataset.taken = String(Number(document.body.dataset.taken || 0) + 1);
}

const shown = JSON.parse(document.getElementById("board-state").textContent);
take(shown, () => ({ whole: true, silent: true }));

follow(() => `/api/v1/board/${encodeURIComponent(board.dataset.alert)}/stream?${query}`, {
  state: (record) => take(record, () => ({ whole: true })),
  rows: (record) => take(record, ({ gone }) => ({ gone })),
  tick: (record) => setTime(record.now),
});
if (document.body.classList.contains("wall")) hang();

const filters = document.querySelector("[data-filters]");
if (filters) {
  filters.addEventListener("change", () => filters.requestSubmit());
  filters.addEventListener("formdata", (event) => {  // no empty names in the address
    for (const [name, value] of [...event.formData]) if (!value) event.formData.delete(name);
  });
}

function remembered() {
  try { return localStorage.getItem("actor") || ""; } catch { return ""; }
}

function stopCalling() {
  const open = board.querySelector("tr.calling");
  if (!open) return;
  const row = open.previousElementSibling;
  open.remove();
  arrange();
  row.querySelector("[data-call]").focus({ preventScroll: true });
}

function startCalling(row) {
  stopCalling();
  const line = document.getElementById("call-form").content.firstElementChild.cloneNode(true);
  row.after(line);
  const form = line.querySelector("form");
  form.elements.actor.value = remembered();
  form.elements.text.focus();
  form.querySelector("[data-cancel]").addEventListener("click", stopCalling);
  form.addEventListener("keydown", (event) => { if (event.key === "Escape") stopCalling(); });
  form.addEventListener("submit", (event) => { event.preventDefault(); note(form, rowOf(row).record.enterprise_id); });
}

async function note(form, enterprise) {
  const { text, promised, actor } = form.elements, button = form.querySelector("[type=submit]");
  const said = form.querySelector(".said");
  button.disabled = true;
  try {
    const answer = await fetch(board.dataset.calls, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ enterprise_id: enterprise, text: text.value, actor: actor.value, promised_at: promised.value ? instantAt(promised.value) : null }),
    });
    if (!answer.ok) {
      const { error } = await answer.json();
      throw new Error((error.detail && error.detail.told) || error.message);
    }
    try { localStorage.setItem("actor", actor.value); } catch { /* a browser that keeps nothing */ }
    stopCalling();
  } catch (error) {
    said.textContent = said.dataset.failed + error.message;
    button.disabled = false;
  }
}

board.addEventListener("click", (event) => {
  const button = event.target.closest("[data-call]");
  if (!button) return;
  const row = button.closest("tr");
  if (row.nextElementSibling && row.nextElementSibling.classList.contains("calling")) stopCalling();
  else startCalling(row);
});
