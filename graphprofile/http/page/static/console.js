// The console: sends a query, shows what it answers.
(() => {
  "use strict";
  const at = (id) => document.getElementById(id);
  const form = at("console");
  const query = at("query");
  const parameters = at("parameters");
  const LONGEST_LIST = 16;
  const VIEWS = ["table", "graph", "chart"];
  let answer = null;
  let graph = { nodes: [], edges: [] };
  let fresh = {};

  // --- what is shown ----------------------------------------------------------------------------------------
  const element = (name, text, className) => {
    const made = document.createElement(name);
    if (text !== undefined) made.textContent = text;
    if (className) made.className = className;
    return made;
  };
  const isNumber = (value) => typeof value === "number";
  // A vector is told by its length.
  const told = (value) =>
    JSON.stringify(value, (_, one) =>
      Array.isArray(one) && one.length > LONGEST_LIST && one.every(isNumber) ? `${one.length} numbers` : one);
  const described = (value) => {
    if (value && value.kind === "node" && value.labels) {
      return `(${value.labels.map((label) => `:${label}`).join("")} ${told(value.properties)})`;
    }
    if (value && value.kind === "relationship" && value.type) {
      return `[:${value.type} ${told(value.properties)}]`;
    }
    if (value && value.kind === "path" && value.nodes) {
      const short = (node) => node.properties.title ?? node.properties.name ?? node.properties.id ?? node.id;
      return value.nodes.map((node, n) => `${n ? `–${value.relationships[n - 1]?.type ?? ""}– ` : ""}${short(node)}`).join(" ");
    }
    return JSON.stringify(value);
  };
  const plain = (value) => (value !== null && typeof value === "object" ? described(value) : String(value ?? ""));

  const showTable = () => {
    const table = element("table");
    const head = table.createTHead().insertRow();
    const numeric = new Set(answer.columns.filter((name) => answer.rows.length && answer.rows.every((row) => row[name] === null || isNumber(row[name]))));
    for (const name of answer.columns) {
      const cell = element("th", name, numeric.has(name) ? "number" : "");
      cell.scope = "col";
      head.append(cell);
    }
    const body = table.createTBody();
    for (const row of answer.rows) {
      const line = body.insertRow();
      for (const name of answer.columns) {
        const value = row[name];
        const cell = line.insertCell();
        if (numeric.has(name)) cell.className = "number";
        if (value === null) cell.append(element("span", "null", "null"));
        else if (typeof value === "object") cell.append(element("code", described(value)));
        else cell.textContent = String(value);
      }
    }
    at("view-table").replaceChildren(answer.rows.length ? table : element("p", "No rows.", "quiet"));
  };

  const showGraph = () => {
    const counted = (number, word) => `${number} ${word}${number === 1 ? "" : "s"}`;
    const types = [...new Set(graph.edges.map((edge) => edge.type))];
    const only = types.length === 1 ? `: ${types[0]}` : "";
    at("graph-said").textContent = `${counted(graph.nodes.length, "node")}, ${counted(graph.edges.length, "relationship")}${only}. Drag and scroll; a click shows the properties.`;
    at("picked").textContent = "";
    consoleGraph.draw(at("graph"), graph, (value) => {
      at("picked").textContent = described(value);
    });
  };

  // Plotly takes what looks like HTML for formatting.
  const safe = (text) => String(text).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
  const axis = (title) => ({
    title: { text: safe(title), standoff: 12 }, gridcolor: "var(--grid)", linecolor: "var(--line)", zeroline: false,
    fixedrange: true, automargin: true,
  });
  const showChart = () => {
    const [kind, x, y] = ["kind", "x", "y"].map((id) => at(id).value);
    const ends = (value) => (typeof value === "string" ? safe(value) : typeof value === "object" ? safe(plain(value)) : value);
    const trace = {
      type: kind === "bar" ? "bar" : "scatter",
      mode: kind === "line" ? "lines+markers" : "markers",
      x: answer.rows.map((row) => ends(row[x])),
      y: answer.rows.map((row) => ends(row[y])),
      marker: { color: "var(--accent)", size: 7 },
      line: { color: "var(--accent)", width: 2 },
    };
    if (kind === "bar") delete trace.mode;
    const figure = {
      data: [trace],
      layout: {
        height: 440, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", dragmode: false,
        font: { family: "var(--sans)", size: 13, color: "var(--muted)" }, margin: { l: 56, r: 16, t: 8, b: 48 },
        xaxis: axis(x), yaxis: axis(y),
      },
    };
    const chart = at("chart");
    chart.setAttribute("aria-label", `${kind} of ${y} by ${x}, ${answer.rows.length} rows`);
    // Drawn again in the other colours by the page itself.
    chart.dataset.figure = JSON.stringify(figure);
    plots.draw(chart, figure);
  };
  const prepareChart = () => {
    const numeric = answer.columns.filter((name) => answer.rows.some((row) => isNumber(row[name])));
    for (const id of ["x", "y"]) at(id).replaceChildren(...answer.columns.map((name) => new Option(name, name)));
    at("y").value = numeric.find((name) => name !== answer.columns[0]) ?? numeric[0] ?? answer.columns[0];
    at("x").value = answer.columns.find((name) => name !== at("y").value) ?? answer.columns[0];
    return numeric.length > 0;
  };

  const SHOW = { table: showTable, graph: showGraph, chart: showChart };
  const show = (view) => {
    for (const one of VIEWS) {
      const chosen = one === view;
      at(`tab-${one}`).setAttribute("aria-selected", String(chosen));
      at(`tab-${one}`).tabIndex = chosen ? 0 : -1;
      at(`view-${one}`).hidden = !chosen;
    }
    if (fresh[view]) return;
    fresh[view] = true;
    SHOW[view]();
  };

  // --- asking -----------------------------------------------------------------------------------------------
  const complain = (detail, hint) => {
    const parts = [element("p")];
    parts[0].append(element("b", detail));
    if (hint) parts.push(element("p", hint));
    at("problem").replaceChildren(...parts);
    at("problem").hidden = false;
    at("result").hidden = true;
    at("status").textContent = "";
  };

  const took = (found) => {
    answer = found;
    fresh = {};
    graph = consoleGraph.collect(answer.rows);
    delete at("chart").dataset.figure;
    const words = answer.rows.length === 1 ? "1 row" : `${answer.rows.length.toLocaleString("en")} rows`;
    at("status").textContent = `${words} in ${answer.milliseconds.toLocaleString("en")} ms`;
    at("cut").hidden = !answer.truncated;
    at("cut").textContent = `There are more rows; these are the first ${answer.rows.length.toLocaleString("en")}.`;
    at("tab-graph").disabled = graph.nodes.length === 0;
    at("tab-chart").disabled = !prepareChart();
    at("result").hidden = false;
    const drawings = answer.columns.every((name) => answer.rows.every((row) => row[name] && typeof row[name] === "object"));
    show(graph.nodes.length && drawings ? "graph" : "table");
  };

  const run = async () => {
    at("problem").hidden = true;
    let values;
    try {
      values = JSON.parse(parameters.value.trim() || "{}");
    } catch (error) {
      at("more").open = true;
      parameters.focus();
      complain("The parameters are no JSON.", error.message);
      return;
    }
    at("run").disabled = true;
    at("status").textContent = "Running…";
    try {
      const response = await fetch("/console/run", {
        method: "POST",
        headers: { "Content-Type": "application/json", Accept: "application/json" },
        body: JSON.stringify({ query: query.value, parameters: values }),
      });
      const found = await response.json();
      if (response.ok) took(found);
      else complain(found.detail, found.hint);
    } catch {
      complain("The server does not answer.", "Is it still running? Try again.");
    } finally {
      at("run").disabled = false;
    }
  };

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!at("run").disabled) run();
  });
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      form.requestSubmit();
    }
  });
  for (const button of document.querySelectorAll(".example")) {
    button.addEventListener("click", () => {
      query.value = button.dataset.query;
      parameters.value = button.dataset.parameters;
      at("more").open = parameters.value !== "{}";
      query.focus();
    });
  }

  // --- tabs, axes, download ---------------------------------------------------------------------------------
  for (const view of VIEWS) {
    at(`tab-${view}`).addEventListener("click", () => show(view));
    at(`tab-${view}`).addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      const usable = VIEWS.filter((one) => !at(`tab-${one}`).disabled);
      const next = usable[(usable.indexOf(view) + step + usable.length) % usable.length];
      show(next);
      at(`tab-${next}`).focus();
    });
  }
  for (const id of ["kind", "x", "y"]) at(id).addEventListener("change", showChart);

  // A spreadsheet takes a text that begins like a formula for one.
  const field = (value) => {
    const whole = value !== null && typeof value === "object" ? JSON.stringify(value) : String(value ?? "");
    const text = typeof value === "string" && /^[=+\-@\t\r]/.test(value) ? `'${value}` : whole;
    return /[",\r\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
  };
  at("csv").addEventListener("click", () => {
    const lines = [answer.columns, ...answer.rows.map((row) => answer.columns.map((name) => row[name]))];
    const text = lines.map((line) => line.map(field).join(",")).join("\r\n");
    const link = element("a");
    link.href = URL.createObjectURL(new Blob([`\ufeff${text}\r\n`], { type: "text/csv" }));
    link.download = "answer.csv";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  });
})();
