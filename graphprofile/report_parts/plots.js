// Draws Plotly figures whose colours and fonts are names of CSS variables, so that one figure serves light and dark.
const plots = (() => {
  "use strict";
  const phone = window.matchMedia("(max-width: 640px)");
  const styled = /color(s|scale)?$|^family$|^shadow$/;

  // What a colour means on this page now: the browser resolves it, light-dark() and all.
  const resolver = () => {
    const probe = document.createElement("span");
    document.body.append(probe);
    const style = getComputedStyle(probe);
    const known = new Map();
    const value = (name) => {
      const text = style.getPropertyValue(name).trim();
      if (!text.startsWith("light-dark(")) return text;
      probe.style.color = `var(${name})`;
      return style.color;
    };
    const cached = (name) => {
      if (!known.has(name)) known.set(name, value(name));
      return known.get(name);
    };
    return { cached, done: () => probe.remove() };
  };

  const resolve = (value, named, key = "") => {
    if (typeof value === "string") {
      return styled.test(key) ? value.replace(/var\((--[\w-]+)\)/g, (_, name) => named(name)) : value;
    }
    if (Array.isArray(value)) return value.map((part) => resolve(part, named, key));
    if (value && typeof value === "object") {
      return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, resolve(part, named, name)]));
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

  // figure: {data, layout, narrow?: {data by number of the trace, layout}}; narrow is what differs on a phone.
  const draw = (element, figure) => {
    const { cached, done } = resolver();
    const narrow = (phone.matches && figure.narrow) || {};
    const data = figure.data.map((trace, number) => ({ ...trace, ...((narrow.data || {})[number] || {}) }));
    const layout = merge(figure.layout, narrow.layout);
    element.style.height = `${layout.height}px`;
    const drawn = Plotly.react(element, resolve(data, cached), resolve(layout, cached), {
      displayModeBar: false,
      responsive: true,
      scrollZoom: false,
    });
    done();
    return drawn;
  };

  return { draw, phone, dark: window.matchMedia("(prefers-color-scheme: dark)") };
})();
