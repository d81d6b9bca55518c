// The figures of the overview: every event is the whole state.
import { follow } from "./stream.js";
import { swap } from "./swap.js";

const locale = document.body.dataset.lang;
const SWAP_MS = 6000;
let mark = null, lastSwap = 0;

function figure(record, path) {
  if (path === "gateways.silent" && !document.querySelector('[data-figure="gateways.never"]')) {
    return record.gateways.silent + record.gateways.never;
  }
  return path.split(".").reduce((at, key) => (at === undefined ? at : at[key]), record);
}

function written(value, as) {
  if (value === null || value === undefined) return "–";
  if (as === "percent") {
    return new Intl.NumberFormat(locale, { style: "percent", minimumFractionDigits: 1, maximumFractionDigits: 1 }).format(value);
  }
  return new Intl.NumberFormat(locale).format(value);
}

function update(record) {
  for (const node of document.querySelectorAll("[data-figure]")) {
    const text = written(figure(record, node.dataset.figure), node.dataset.as);
    if (node.textContent !== text) {
      node.textContent = text;
      node.classList.remove("changed");
      void node.offsetWidth;
      node.classList.add("changed");
    }
  }
  if (mark === null) mark = record.findings_mark;
  if (mark !== record.findings_mark && Date.now() - lastSwap >= SWAP_MS) {
    mark = record.findings_mark;
    lastSwap = Date.now();
    swap();
  }
}

follow(() => "/api/v1/stream", { figures: update });
