(() => {
  "use strict";
  const figures = JSON.parse(document.getElementById("figures").textContent);
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const phone = window.matchMedia("(max-width: 640px)");

  // Colours and fonts stand in the figures as names of CSS variables, so that one figure serves light and dark.
  const styled = /color$|^family$|^shadow$/;
  const resolve = (value, style, key = "") => {
    if (typeof value === "string") {
      if (!styled.test(key)) return value;
      return value.replace(/var\((--[\w-]+)\)/g, (_, name) => style.getPropertyValue(name).trim());
    }
    if (Array.isArray(value)) return value.map((part) => resolve(part, style, key));
    if (value && typeof value === "object") {
      return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, resolve(part, style, name)]));
    }
    return value;
  };

  const merge = (base, more) => {
    const merged = { ...base };
    for (const [key, value] of Object.entries(more || {})) {
      const deep = value && typeof value === "object" && !Array.isArray(value) && typeof base[key] === "object";
      merged[key] = deep && base[key] !== null ? merge(base[key], value) : value;
    }
    return merged;
  };

  const draw = () => {
    const style = getComputedStyle(document.documentElement);
    for (const [id, figure] of Object.entries(figures)) {
      const narrow = (phone.matches && figure.narrow) || {};
      const data = figure.data.map((trace, number) => ({ ...trace, ...((narrow.data || {})[number] || {}) }));
      const layout = merge(figure.layout, narrow.layout);
      document.getElementById(id).style.height = `${layout.height}px`;
      Plotly.react(id, resolve(data, style), resolve(layout, style), {
        displayModeBar: false,
        responsive: true,
        scrollZoom: false,
      });
    }
  };

  draw();
  dark.addEventListener("change", draw);
  phone.addEventListener("change", draw);
})();
