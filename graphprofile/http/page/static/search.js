(() => {
  "use strict";
  const typing = (element) => element.matches("input, textarea, select, [contenteditable]");
  const field = document.getElementById("q");

  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    event.preventDefault();
    if (field) {
      field.focus();
      field.select();
    } else {
      location.href = "/";
    }
  });
  if (!field) return;
  field.focus({ preventScroll: true });

  const finds = () => [...document.querySelectorAll(".finds a")];
  document.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp" && event.key !== "Escape") return;
    const links = finds();
    const at = links.indexOf(document.activeElement);
    const inside = at >= 0 || document.activeElement === field;
    if (!inside) return;
    if (event.key === "Escape") {
      if (at >= 0) field.focus();
      return;
    }
    const next = at + (event.key === "ArrowDown" ? 1 : -1);
    event.preventDefault();
    if (next < 0) field.focus();
    else if (next < links.length) links[next].focus();
  });
})();
