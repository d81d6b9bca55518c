// J and K move through the rows of a list, Enter opens (it is a link); on a lead they go to the next.
function typing(node) {
  return node && (node.isContentEditable || /^(INPUT|SELECT|TEXTAREA)$/.test(node.tagName));
}

function move(step) {
  const links = [...document.querySelectorAll("[data-rows] .row-link")];
  if (!links.length) {
    const to = document.querySelector(`link[rel="${step > 0 ? "next" : "prev"}"]`);
    if (to) location.href = to.getAttribute("href");
    return;
  }
  const at = links.indexOf(document.activeElement);
  const next = at < 0 ? (step > 0 ? 0 : links.length - 1) : Math.min(links.length - 1, Math.max(0, at + step));
  links[next].focus();
  links[next].closest("tr").scrollIntoView({ block: "nearest" });
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
  if (event.key === "j" || event.key === "J") { event.preventDefault(); move(1); }
  if (event.key === "k" || event.key === "K") { event.preventDefault(); move(-1); }
});
