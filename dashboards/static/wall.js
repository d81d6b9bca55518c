// A board on a wall: as many rows as fit, the next ones after a while, nothing to scroll. What is
// settled stands in the figures above and takes no row; what stands further down than a minute of
// pages is on the desk, or nobody would ever see the first page again.
import { listed } from "./board_rows.js";

const SETTLED = ["done", "exempt"];
const EVERY_MS = 10000, PAGES = 6;
const table = document.querySelector("table.board");
const told = document.querySelector("[data-wall-page]");
const bodies = [...table.tBodies];
let page = 0;

function height(node) {
  return node.getBoundingClientRect().height;
}

// Rows by page, as many pages as are shown; each carries the titles of the groups that it shows.
function paged(rows, room) {
  const pages = [];
  let left = 0, group = null;
  for (const row of rows) {
    const title = height(row.parentElement.firstElementChild), own = height(row);
    const needs = own + (row.parentElement === group ? 0 : title);
    if (!pages.length || needs > left) {
      if (pages.length === PAGES) break;
      pages.push([]);
      left = room - title - own;
    } else {
      left -= needs;
    }
    group = row.parentElement;
    pages[pages.length - 1].push(row);
  }
  return pages;
}

function turn(step) {
  for (const body of bodies) {
    body.classList.toggle("settled", SETTLED.includes(body.dataset.group));
    body.classList.remove("off-page");
  }
  const rows = listed().filter((row) => !row.parentElement.classList.contains("settled"));
  for (const row of rows) row.classList.remove("off-page");
  const pages = paged(rows, innerHeight - table.tHead.getBoundingClientRect().bottom - height(told) - 24);
  page = pages.length ? (page + step) % pages.length : 0;
  const now = new Set(pages[page]);
  for (const row of rows) row.classList.toggle("off-page", !now.has(row));
  for (const body of bodies) body.classList.toggle("off-page", !rows.some((row) => now.has(row) && row.parentElement === body));
  const shown = pages.reduce((sum, own) => sum + own.length, 0);
  told.hidden = pages.length < 2;
  told.textContent = `${page + 1} / ${pages.length}` + (shown < rows.length ? ` · ${told.dataset.first.replace("{shown}", shown).replace("{all}", rows.length)}` : "");
}

export function hang() {
  turn(0);
  setInterval(() => turn(1), EVERY_MS);
  addEventListener("resize", () => turn(0));
  const watch = new MutationObserver(() => turn(0));
  for (const body of bodies) watch.observe(body, { childList: true });
}
