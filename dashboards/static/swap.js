// Parts that the server alone renders are taken from a fresh copy of the page; the focus stays on the
// link that had it.
export async function swap() {
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
