(() => {
  "use strict";

  // --- <input data-filters=".question">: hides what does not hold all words ------------------------------------
  for (const box of document.querySelectorAll("[data-filters]")) {
    const all = [...document.querySelectorAll(box.dataset.filters)];
    const texts = all.map((one) => `${one.dataset.name || ""} ${one.textContent}`.toLowerCase());
    const says = document.getElementById(box.getAttribute("aria-describedby"));
    box.addEventListener("input", () => {
      const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
      all.forEach((one, number) => {
        one.hidden = !words.every((word) => texts[number].includes(word));
      });
      for (const group of document.querySelectorAll(".questions")) {
        group.hidden = !group.querySelector(`${box.dataset.filters}:not([hidden])`);
      }
      const left = all.filter((one) => !one.hidden).length;
      says.textContent = left === all.length ? `All ${left} questions.` : `${left} of ${all.length} questions.`;
    });
  }

  // --- <table class="sortable">: a click on a column's name ----------------------------------------------------
  const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });
  const keyOf = (row, column) => {
    const cell = row.cells[column];
    return cell.dataset.sort === undefined ? cell.textContent.trim() : Number(cell.dataset.sort);
  };
  const compare = (a, b) => {
    if (typeof a !== typeof b) return typeof a === "number" ? -1 : 1;
    return typeof a === "number" ? a - b : collator.compare(a, b);
  };
  document.addEventListener("click", (event) => {
    const button = event.target.closest("table.sortable button.sort");
    if (!button) return;
    const head = button.closest("th");
    const column = head.cellIndex;
    const numeric = head.classList.contains("number");
    const next = head.getAttribute("aria-sort") === (numeric ? "descending" : "ascending");
    const order = next === numeric ? "ascending" : "descending";
    for (const other of head.parentElement.cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", order);
    const body = head.closest("table").tBodies[0];
    const sign = order === "ascending" ? 1 : -1;
    body.append(...[...body.rows].sort((a, b) => sign * compare(keyOf(a, column), keyOf(b, column))));
  });

  // --- steps: one more to choose as long as there is room ------------------------------------------------------
  document.addEventListener("change", (event) => {
    const steps = event.target.closest(".steps");
    if (!steps) return;
    const last = steps.lastElementChild;
    if (last.value && steps.children.length < Number(steps.dataset.most)) {
      const more = last.cloneNode(true);
      more.value = "";
      more.removeAttribute("id");
      more.setAttribute("aria-label", `Step ${steps.children.length + 1}`);
      steps.append(more);
    }
  });
})();
