// One server-sent stream per visible tab, and the lamp that tells of it. A hidden tab lets its stream
// go (a browser grants six connections per server to all of its tabs). Whoever comes back gets the
// whole state first: nothing is lost by a break.
const state = document.getElementById("link-state");
const word = state.querySelector(".link-word");
const HIDDEN_MS = 20000, SILENT_MS = 40000, RETRY_MS = 3000;

function show(name) {
  state.className = "link-state " + name;
  word.textContent = state.dataset[name] || state.dataset.waiting;
  document.body.dataset.link = name;
}

// `address()` is asked at each opening; `handlers`: event → function of its parsed data.
export function follow(address, handlers) {
  let source = null, hiddenTimer = 0, silentTimer = 0, retryTimer = 0;

  function heard() {
    clearTimeout(silentTimer);
    silentTimer = setTimeout(() => { close(); open(); }, SILENT_MS);
  }

  function open() {
    if (source) return;
    clearTimeout(retryTimer);
    source = new EventSource(address());
    for (const [name, handle] of Object.entries(handlers)) {
      source.addEventListener(name, (event) => { show("live"); heard(); handle(JSON.parse(event.data)); });
    }
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
    if (document.hidden) hiddenTimer = setTimeout(close, HIDDEN_MS);
    else open();
  });
  addEventListener("pagehide", close);
  addEventListener("pageshow", (event) => { if (event.persisted) open(); });
  open();
}
