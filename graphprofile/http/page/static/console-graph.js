// The nodes and relationships of an answer, wherever they stand in it, drawn by Cytoscape.
const consoleGraph = (() => {
  "use strict";
  const NAMES = ["name", "title", "id"];
  const LONGEST = 28;

  const named = (node) => {
    const text = NAMES.map((name) => node.properties[name]).find((one) => one !== undefined && one !== null);
    const short = String(text ?? node.labels[0] ?? node.id);
    return short.length > LONGEST ? `${short.slice(0, LONGEST - 1)}…` : short;
  };

  // A relationship whose ends are not in the answer gets nodes that say so.
  const collect = (rows) => {
    const nodes = new Map();
    const edges = new Map();
    const visit = (value) => {
      if (Array.isArray(value)) return value.forEach(visit);
      if (!value || typeof value !== "object") return undefined;
      if (value.kind === "node" && Array.isArray(value.labels) && value.properties) nodes.set(value.id, value);
      else if (value.kind === "relationship" && value.properties && value.start && value.end) edges.set(value.id, value);
      else Object.values(value).forEach(visit);
      return undefined;
    };
    rows.forEach((row) => Object.values(row).forEach(visit));
    for (const edge of edges.values()) {
      for (const id of [edge.start, edge.end]) {
        if (!nodes.has(id)) nodes.set(id, { kind: "node", id, labels: [], properties: {} });
      }
    }
    return { nodes: [...nodes.values()], edges: [...edges.values()] };
  };

  const colours = () => {
    const probe = document.createElement("span");
    document.body.append(probe);
    const value = (name) => {
      probe.style.color = `var(${name})`;
      return getComputedStyle(probe).color;
    };
    const found = {
      ink: value("--ink"), card: value("--card"), edge: value("--edge-strong"), muted: value("--muted"),
      accent: value("--accent"), other: value("--other"), palette: [0, 1, 2, 3, 4, 5, 6, 7].map((n) => value(`--c${n}`)),
    };
    probe.remove();
    return found;
  };

  // Where all relationships are of one type, its name stands above the drawing and not on each of them.
  const styles = (labels, types) => {
    const c = colours();
    return [
      {
        selector: "node",
        style: {
          label: "data(label)", "font-size": 10, color: c.ink, "text-valign": "bottom", "text-margin-y": 3,
          "text-wrap": "wrap", "text-max-width": 84, "text-outline-color": c.card, "text-outline-width": 2,
          width: 14, height: 14, "min-zoomed-font-size": 5,
          "background-color": (node) => c.palette[labels.indexOf(node.data("kind"))] ?? c.other,
        },
      },
      {
        selector: "edge",
        style: {
          width: 1.4, "line-color": c.edge, "target-arrow-color": c.edge, "target-arrow-shape": "triangle",
          "curve-style": "bezier", "arrow-scale": 0.8, label: types > 1 ? "data(label)" : "", "font-size": 8, color: c.muted,
          "text-rotation": "autorotate", "min-zoomed-font-size": 12, "text-outline-color": c.card, "text-outline-width": 2,
        },
      },
      { selector: ":selected", style: { "border-width": 3, "border-color": c.accent, "line-color": c.accent } },
    ];
  };

  let drawn = null;
  let kinds = [];
  let types = 0;

  const draw = (container, { nodes, edges }, picked) => {
    if (drawn) drawn.destroy();
    kinds = [...new Set(nodes.map((node) => node.labels[0] ?? ""))];
    types = new Set(edges.map((edge) => edge.type)).size;
    drawn = cytoscape({
      container,
      elements: [
        ...nodes.map((node) => ({ data: { id: node.id, label: named(node), kind: node.labels[0] ?? "", value: node } })),
        ...edges.map((edge) => ({ data: { id: `e:${edge.id}`, source: edge.start, target: edge.end, label: edge.type, value: edge } })),
      ],
      style: styles(kinds, types),
      layout: {
        name: "cose", animate: false, randomize: true, nodeRepulsion: () => 40000, idealEdgeLength: () => 130,
        nodeDimensionsIncludeLabels: true, padding: 16,
      },
      userZoomingEnabled: true,
    });
    drawn.on("tap", "node, edge", (event) => picked(event.target.data("value")));
    return drawn;
  };

  document.addEventListener("theme", () => {
    if (drawn) drawn.style(styles(kinds, types));
  });

  return { collect, draw, shown: () => drawn };
})();
