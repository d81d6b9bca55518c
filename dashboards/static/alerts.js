// Forms of alerts and plans work without this: it remembers the name, and hides fields that a measure does not have.
function remembered() {
  try { return localStorage.getItem("actor") || ""; } catch { return ""; }
}

for (const form of document.querySelectorAll("form.signed")) {
  const actor = form.elements.actor;
  actor.value ||= remembered();
  form.addEventListener("submit", () => {
    try { localStorage.setItem("actor", actor.value); } catch { /* a browser that keeps nothing */ }
    form.querySelectorAll("button").forEach((button) => { button.disabled = true; });
  });
}

const plan = document.querySelector("form[data-measure]");
if (plan) {
  const show = () => plan.querySelectorAll("[data-only]").forEach((label) => {
    const wanted = label.dataset.only === plan.elements.action.value;
    label.hidden = !wanted;
    label.querySelector("input").required = wanted;
  });
  plan.elements.action.addEventListener("change", show);
  show();
}
