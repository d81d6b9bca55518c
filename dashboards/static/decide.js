// A decision about a lead: a reason, a name, one click. The name is remembered on this machine only.
const form = document.querySelector("[data-decide]");

if (form) {
  const said = form.querySelector("[data-said]");
  const { actor, reason } = form.elements;
  try { actor.value = localStorage.getItem("actor") || ""; } catch { /* a browser that keeps nothing */ }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const buttons = form.querySelectorAll("button");
    buttons.forEach((button) => { button.disabled = true; });
    try {
      const answer = await fetch(form.dataset.decide, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ outcome: event.submitter.value, reason: reason.value, actor: actor.value }),
      });
      if (!answer.ok) throw new Error((await answer.json()).error.message);
      try { localStorage.setItem("actor", actor.value); } catch { /* likewise */ }
      location.reload();
    } catch (error) {
      said.textContent = form.dataset.failed + error.message;
      buttons.forEach((button) => { button.disabled = false; });
    }
  });
}
