(() => {
  "use strict";
  const figures = JSON.parse(document.getElementById("figures").textContent);

  const draw = () => {
    for (const [id, figure] of Object.entries(figures)) plots.draw(document.getElementById(id), figure);
  };

  draw();
  plots.dark.addEventListener("change", draw);
  plots.phone.addEventListener("change", draw);
})();
