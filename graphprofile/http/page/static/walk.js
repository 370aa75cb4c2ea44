// The graph around a node, walked from neighbour to neighbour: a drawing, and the same as a list for keys and readers.
(() => {
  "use strict";
  const FILL = { user: "--c4", item: "--c0", content: "--c5", tag: "--c2" };
  const SHAPE = { user: "ellipse", item: "ellipse", content: "ellipse", tag: "round-rectangle" };
  const LONGEST = 26;
  const still = matchMedia("(prefers-reduced-motion: reduce)");

  const keyOf = (node) => JSON.stringify([node.kind, node.of || null, node.id]);
  const called = (node) => node.name || node.title || node.id;
  const short = (text) => (text.length > LONGEST ? `${text.slice(0, LONGEST - 1).trimEnd()}…` : text);
  const many = (count, one, more) => `${count.toLocaleString("en")} ${count === 1 ? one : more}`;

  const colours = () => {
    const probe = document.createElement("span");
    document.body.append(probe);
    const found = {};
    for (const name of ["--c0", "--c2", "--c4", "--c5", "--ink", "--muted", "--card", "--paper", "--edge", "--accent"]) {
      probe.style.color = `var(${name})`;
      found[name] = getComputedStyle(probe).color;
    }
    probe.remove();
    return found;
  };

  const styles = (narrow) => {
    const colour = colours();
    const size = narrow ? 17 : 11;
    const font = getComputedStyle(document.body).fontFamily;
    const kinds = Object.entries(FILL).map(([kind, name]) => ({
      selector: `node[kind = "${kind}"]`,
      style: { "background-color": colour[name], shape: SHAPE[kind] },
    }));
    return [
      {
        selector: "node",
        style: {
          width: 15, height: 15, label: "data(label)", color: colour["--muted"], "font-family": font, "font-size": size,
          "text-valign": "bottom", "text-margin-y": 4, "text-wrap": "wrap", "text-max-width": narrow ? 130 : 96,
          "text-background-color": colour["--paper"], "text-background-opacity": 0.8, "text-background-padding": 1,
          "border-width": 1.5, "border-color": colour["--card"], "min-zoomed-font-size": 6,
        },
      },
      ...kinds,
      { selector: "node[?open]", style: { width: 24, height: 24, color: colour["--ink"], "font-weight": 600, "font-size": size + 2 } },
      { selector: "node[?start]", style: { "border-width": 3, "border-color": colour["--accent"] } },
      { selector: "node.near", style: { color: colour["--ink"], "border-color": colour["--accent"] } },
      ...(narrow ? [{ selector: "node[kind != 'tag'][!open]", style: { label: "" } }] : []),
      { selector: "node.near", style: { label: "data(label)" } },
      { selector: "edge", style: { width: 1.2, "line-color": colour["--edge"], "curve-style": "haystack" } },
      { selector: "edge.near", style: { "line-color": colour["--accent"], width: 2 } },
    ];
  };

  const begin = (walk) => {
    const canvas = walk.querySelector(".walk-canvas");
    const said = walk.querySelector(".walk-said");
    const list = walk.querySelector(".walk-nodes");
    const nodes = new Map();
    const asked = new Set();
    const narrow = () => canvas.clientWidth < 560;
    const cy = cytoscape({ container: canvas, style: styles(narrow()), minZoom: 0.3, maxZoom: 2.5, userZoomingEnabled: false });

    const add = (node, extra) => {
      const key = keyOf(node);
      if (!nodes.has(key)) {
        nodes.set(key, { ...node, open: false, leftOut: 0 });
        cy.add({ group: "nodes", data: { id: key, kind: node.kind, label: short(called(node)), ...extra.data }, position: extra.position });
        row(key);
      }
      return key;
    };

    const row = (key) => {
      const node = nodes.get(key);
      const item = document.createElement("li");
      const link = document.createElement("a");
      link.href = node.path;
      link.textContent = called(node);
      const kind = document.createElement("span");
      kind.className = "quiet small";
      kind.textContent = node.of || node.kind;
      const button = document.createElement("button");
      button.type = "button";
      button.className = "second";
      button.textContent = "Expand";
      button.setAttribute("aria-label", `Expand ${called(node)}`);
      button.addEventListener("click", () => expand(key));
      item.append(link, kind, button);
      node.button = button;
      list.append(item);
    };

    const settle = (fresh) => {
      cy.layout({
        name: "cose", randomize: false, animate: !still.matches && "end", animationDuration: 300, fit: true, padding: 34,
        nodeRepulsion: () => 90000, idealEdgeLength: () => 84, nodeOverlap: 24, gravity: 0.35, numIter: fresh ? 1200 : 700,
        componentSpacing: 60,
      }).run();
    };

    const expand = async (key) => {
      if (asked.has(key)) return;
      asked.add(key);
      const node = nodes.get(key);
      said.textContent = `Looking around ${called(node)} …`;
      try {
        const query = new URLSearchParams({ kind: node.kind, id: node.id });
        if (node.of) query.set("of", node.of);
        const answer = await fetch(`/neighbours?${query}`, { headers: { Accept: "application/json" } });
        const found = await answer.json();
        if (!answer.ok) throw new Error(found.detail || "That cannot be shown.");
        draw(key, found);
      } catch (error) {
        asked.delete(key);
        said.textContent = `That did not work: ${error.message}`;
      }
    };

    const draw = (key, found) => {
      const around = cy.getElementById(key);
      const middle = { ...around.position() };
      const before = nodes.size;
      const first = before === 1;
      found.neighbours.forEach((other, number) => {
        // A spiral: a start that is the same every time, from which the springs find their places.
        const angle = 2.4 * number;
        const far = 60 + 9 * number;
        const position = { x: middle.x + far * Math.cos(angle), y: middle.y + far * Math.sin(angle) };
        const to = add(other, { data: {}, position });
        const [from, end] = [key, to].sort();
        const id = `${from} ${end}`;
        if (from !== end && cy.getElementById(id).empty()) cy.add({ group: "edges", data: { id, source: key, target: to } });
      });
      around.data("open", true);
      const node = nodes.get(key);
      node.button.disabled = true;
      node.button.textContent = "Open";
      settle(first);
      const fresh = nodes.size - before;
      const left = found.left_out ? ` ${many(found.left_out, "more was", "more were")} left out.` : "";
      said.textContent = `${called(node)}: ${many(fresh, "new neighbour", "new neighbours")}.${left}`;
      walk.dispatchEvent(new CustomEvent("walked", { bubbles: true, detail: { key, nodes: nodes.size } }));
    };

    for (const button of walk.querySelectorAll("[data-zoom]")) {
      button.addEventListener("click", () => {
        const by = Number(button.dataset.zoom);
        if (!by) cy.fit(undefined, 34);
        else cy.zoom({ level: cy.zoom() * by, renderedPosition: { x: canvas.clientWidth / 2, y: canvas.clientHeight / 2 } });
      });
    }

    let last = { key: null, at: 0 };
    cy.on("tap", "node", (event) => {
      const key = event.target.id();
      if (last.key === key && event.timeStamp - last.at < 400) {
        location.href = nodes.get(key).path;
        return;
      }
      last = { key, at: event.timeStamp };
      expand(key);
    });
    cy.on("mouseover", "node", (event) => {
      event.target.closedNeighborhood().addClass("near");
      canvas.style.cursor = "pointer";
    });
    cy.on("mouseout", "node", () => {
      cy.elements().removeClass("near");
      canvas.style.cursor = "";
    });
    document.addEventListener("theme", () => cy.style(styles(narrow())));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => cy.style(styles(narrow())));
    addEventListener("resize", () => {
      cy.resize();
      cy.style(styles(narrow()));
      cy.fit(undefined, 34);
    });

    const start = JSON.parse(walk.dataset.start);
    const key = add({ ...start, path: location.pathname }, { data: { start: true }, position: { x: 0, y: 0 } });
    nodes.get(key).name = document.querySelector("h1").textContent;
    cy.getElementById(key).data("label", short(nodes.get(key).name));
    list.querySelector("a").textContent = nodes.get(key).name;
    walk.cytoscape = cy;
    expand(key);
  };

  for (const walk of document.querySelectorAll(".walk")) {
    // Only what is looked at is read: the query costs something, and the visit is put down.
    const seen = new IntersectionObserver((entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      seen.disconnect();
      begin(walk);
    });
    seen.observe(walk);
  }
})();
