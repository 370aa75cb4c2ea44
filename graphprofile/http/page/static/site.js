(() => {
  "use strict";

  // --- plots: <div data-figure="{…}"> -----------------------------------------------------------------------
  const drawFigure = (element) => {
    if (typeof Plotly === "undefined") return;
    const figure = JSON.parse(element.dataset.figure);
    plots.draw(element, figure).then(() => element.dispatchEvent(new Event("drawn", { bubbles: true })));
  };
  const drawAll = (root) => {
    for (const element of root.querySelectorAll("[data-figure]")) drawFigure(element);
  };
  const drawNew = (root) => {
    for (const element of root.querySelectorAll("[data-figure]:not(.js-plotly-plot)")) drawFigure(element);
  };

  // --- light and dark ---------------------------------------------------------------------------------------
  const redraw = () => {
    drawAll(document);
    document.dispatchEvent(new Event("theme"));
  };
  document.getElementById("theme").addEventListener("click", () => {
    const root = document.documentElement;
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    try {
      localStorage.setItem("theme", root.dataset.theme);
    } catch {
      // Not kept, then.
    }
    redraw();
  });

  drawAll(document);
  if (typeof plots !== "undefined") {
    plots.dark.addEventListener("change", redraw);
    plots.phone.addEventListener("change", redraw);
  }
  document.addEventListener("htmx:after:swap", () => drawNew(document));
})();
