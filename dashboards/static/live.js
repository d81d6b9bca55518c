// One server-sent stream per visible tab. Every event is the whole state: nothing is lost by a break.
// A hidden tab lets its stream go (a browser grants six connections per server to all of its tabs).
const state = document.getElementById("link-state");
const word = state.querySelector(".link-word");
const locale = document.body.dataset.lang;
const HIDDEN_MS = 20000, SILENT_MS = 40000, SWAP_MS = 6000, RETRY_MS = 3000;
let source = null, hiddenTimer = 0, silentTimer = 0, retryTimer = 0, mark = null, lastSwap = 0;

function show(name) {
  state.className = "link-state " + name;
  word.textContent = state.dataset[name] || state.dataset.waiting;
}

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

// The lists are rendered by the server only; when findings changed, their part of the page is taken
// from a fresh copy of the page; the focus stays on the row that had it.
async function swap() {
  const parts = document.querySelectorAll("[data-swap]");
  if (!parts.length) return;
  let fresh;
  try {
    const answer = await fetch(location.href, { headers: { accept: "text/html" } });
    if (!answer.ok) return;
    fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  } catch {
    return;
  }
  for (const part of parts) {
    const next = fresh.querySelector(`[data-swap="${part.dataset.swap}"]`);
    if (!next || part.innerHTML === next.innerHTML) continue;
    const focused = part.contains(document.activeElement) && document.activeElement.getAttribute("href");
    part.innerHTML = next.innerHTML;
    if (focused) {
      const again = part.querySelector(`a[href="${CSS.escape(focused)}"]`);
      if (again) again.focus();
    }
  }
}

function heard() {
  clearTimeout(silentTimer);
  silentTimer = setTimeout(() => { close(); open(); }, SILENT_MS);
}

function open() {
  if (source) return;
  clearTimeout(retryTimer);
  source = new EventSource("/api/v1/stream");
  source.addEventListener("figures", (event) => { show("live"); heard(); update(JSON.parse(event.data)); });
  source.addEventListener("trouble", () => { show("broken"); heard(); });
  source.onopen = () => { heard(); };
  source.onerror = () => {
    show("broken");
    // after a refusal (503) the browser gives up for good; we do not
    if (source && source.readyState === EventSource.CLOSED) {
      close();
      retryTimer = setTimeout(open, RETRY_MS + Math.random() * RETRY_MS);
    }
  };
}

function close() {
  clearTimeout(silentTimer);
  if (source) source.close();
  source = null;
}

document.addEventListener("visibilitychange", () => {
  clearTimeout(hiddenTimer);
  if (document.hidden) {
    hiddenTimer = setTimeout(close, HIDDEN_MS);
  } else {
    open();
  }
});
addEventListener("pagehide", close);
addEventListener("pageshow", (event) => { if (event.persisted) open(); });
open();
