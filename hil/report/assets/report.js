/* Draws the charts over mission time and filters the table of events.
   One time axis for all: cursor and zoom are shared with each other and with the bands. */
(function () {
  "use strict";
  const root = document.documentElement;
  const errors = [];
  const fail = (message) => { errors.push(message); root.dataset.errors = errors.join(" | "); };
  window.addEventListener("error", (event) => fail(event.message || "resource not loaded"), true);
  window.addEventListener("securitypolicyviolation", (event) => fail("policy: " + event.violatedDirective));

  const data = JSON.parse(document.getElementById("report-data").textContent);
  const GUTTER = 72, RIGHT = 46, PRINT_WIDTH = 694;
  const FONT = "11px Inter, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif";
  const TICKS = [60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400];
  const plots = [];

  const two = (n) => String(n).padStart(2, "0");
  const clock = (t) => { const m = Math.round(t / 60); return Math.floor(m / 60) + ":" + two(m % 60); };
  const fullClock = (t) => { const s = Math.round(t); return Math.floor(s / 3600) + ":" + two(Math.floor(s / 60) % 60) + ":" + two(s % 60); };

  /* Behind the curves: eclipse, faults; along the foot: contacts. */
  function drawBehind(u) {
    const c = u.ctx, box = u.bbox, x = (t) => u.valToPos(t, "x", true);
    const fill = (from, to, top, height, colour) => {
      const left = Math.max(x(from), box.left), right = Math.min(x(to), box.left + box.width);
      if (right > left) { c.fillStyle = colour; c.fillRect(left, top, right - left, height); }
    };
    c.save();
    data.eclipses.forEach((e) => fill(e[0], e[1], box.top, box.height, "#e9edf2"));
    data.faults.forEach((f) => fill(f[0], f[1], box.top, box.height, "rgba(184,85,127,0.13)"));
    const strip = 4 * devicePixelRatio;
    data.contacts.forEach((k) => fill(k[0], k[1], box.top + box.height - strip, strip, k[2]));
    c.restore();
  }

  /* Over the curves: limits with their words, resets. */
  function drawOver(u, chart) {
    const c = u.ctx, box = u.bbox, px = devicePixelRatio;
    c.save();
    c.beginPath(); c.rect(box.left, box.top, box.width, box.height); c.clip();
    const line = (x1, y1, x2, y2, colour, dash) => {
      c.strokeStyle = colour; c.setLineDash(dash.map((d) => d * px)); c.lineWidth = 1.2 * px;
      c.beginPath(); c.moveTo(x1, y1); c.lineTo(x2, y2); c.stroke();
    };
    chart.limits.forEach((limit) => {
      const y = Math.round(u.valToPos(limit.value, "y", true));
      line(box.left, y, box.left + box.width, y, limit.colour, [6, 4]);
      c.font = "600 " + 11 * px + "px " + FONT.slice(5);
      c.textAlign = "right";
      const above = y - box.top > 16 * px;
      c.textBaseline = above ? "bottom" : "top";
      const at = [box.left + box.width - 5 * px, y + (above ? -2 : 3) * px];
      c.lineWidth = 3 * px; c.strokeStyle = "#fff"; c.setLineDash([]); c.strokeText(limit.label, at[0], at[1]);
      c.fillStyle = limit.colour; c.fillText(limit.label, at[0], at[1]);
    });
    data.resets.forEach((t) => {
      const x = u.valToPos(t, "x", true);
      line(x, box.top, x, box.top + box.height, "#c3262f", []);
    });
    c.restore();
  }

  function yRange(chart) {
    const held = chart.limits.map((limit) => limit.value);
    if (chart.low !== null) held.push(chart.low);
    if (chart.high !== null) held.push(chart.high);
    return (u, low, high) => {
      if (low === null || high === null) { low = 0; high = 1; }
      const min = Math.min(low, ...held), max = Math.max(high, ...held);
      const pad = (max - min || Math.abs(max) || 1) * 0.06;
      const top = chart.high !== null && max <= chart.high ? max : max + pad;
      return [chart.low !== null && min >= chart.low ? min : min - pad, top];
    };
  }

  function moveBands(min, max) {
    document.querySelectorAll(".band").forEach((band) =>
      band.setAttribute("viewBox", min + " 0 " + (max - min) + " 1"));
    const step = TICKS.find((s) => (max - min) / s <= 12) || TICKS[TICKS.length - 1];
    document.querySelectorAll(".ticks").forEach((ticks) => {
      ticks.replaceChildren();
      for (let t = Math.ceil(min / step) * step; t <= max; t += step) {
        const mark = document.createElement("span");
        mark.textContent = clock(t);
        mark.style.left = (100 * (t - min)) / (max - min) + "%";
        ticks.append(mark);
      }
    });
  }

  function shareZoom(u) {
    const { min, max } = u.scales.x;
    if (min === null) return;
    plots.forEach((p) => {
      if (p.u !== u && (p.u.scales.x.min !== min || p.u.scales.x.max !== max)) p.u.setScale("x", { min, max });
    });
    moveBands(min, max);
  }

  function readOut(u, chart, place) {
    const index = u.cursor.idx;
    place.closest("figure").querySelectorAll(".read").forEach((out) => {
      const value = index === null || index === undefined ? null : u.data[Number(out.dataset.series)][index];
      out.textContent = value === null || value === undefined ? "" : value.toFixed(chart.digits) + " " + chart.unit;
    });
    const cursor = document.querySelector(".lane-cursor");
    if (!cursor) return;
    const on = u.cursor.left >= 0 && index !== null;
    cursor.style.display = on ? "block" : "none";
    if (on) {
      const { min, max } = u.scales.x, share = (u.posToVal(u.cursor.left, "x") - min) / (max - min);
      cursor.style.left = "calc(" + GUTTER + "px + (100% - " + (GUTTER + RIGHT) + "px) * " + share + ")";
      cursor.title = fullClock(u.data[0][index]);
    }
  }

  function axes(chart) {
    const look = { stroke: "#5d6b7a", font: FONT, ticks: { stroke: "#9aa6b2", width: 1, size: 4 } };
    return [
      { ...look, size: 26, gap: 3, incrs: TICKS, space: 60, grid: { stroke: "#eef1f4", width: 1 },
        values: (u, splits) => splits.map(clock) },
      { ...look, size: GUTTER, gap: 4, space: chart.height < 160 ? 22 : 34, grid: { stroke: "#dfe5eb", width: 1 },
        incrs: chart.digits === 0 ? [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000, 100000, 1000000] : undefined,
        values: (u, splits) => splits.map((v) => (v === null ? "" : Number(v.toFixed(6)).toLocaleString("en").replace(/,/g, "\u202f"))) },
    ];
  }

  function draw(place, chart) {
    const series = chart.series.map((s) => ({
      label: s.label, stroke: s.colour, width: 1.6, dash: s.dashed ? [5, 3] : undefined, spanGaps: false,
      points: { show: false }, paths: s.stepped ? uPlot.paths.stepped({ align: 1 }) : undefined,
    }));
    const plot = new uPlot({
      width: place.clientWidth, height: chart.height, padding: [10, RIGHT, 0, 0], legend: { show: false },
      scales: { x: { time: false }, y: { range: yRange(chart) } },
      series: [{ label: "mission time" }, ...series],
      axes: axes(chart),
      cursor: { y: false, drag: { x: true, y: false }, sync: { key: "mission", scales: ["x", null] }, points: { size: 6 } },
      hooks: {
        drawClear: [drawBehind],
        draw: [(u) => drawOver(u, chart)],
        setScale: [(u, key) => { if (key === "x") shareZoom(u); }],
        setCursor: [(u) => readOut(u, chart, place)],
      },
    }, chart.columns, place);
    plots.push({ u: plot, place, chart });
    place.dataset.rendered = "true";
  }

  function fit(width) {
    plots.forEach((p) => p.u.setSize({ width: width || p.place.clientWidth, height: p.chart.height }));
  }

  function filterEvents() {
    const severity = document.getElementById("event-severity");
    if (!severity) return;
    const source = document.getElementById("event-source"), text = document.getElementById("event-text");
    const count = document.getElementById("event-count");
    const rows = Array.from(document.querySelectorAll("table.events tbody tr"));
    const apply = () => {
      const least = Number(severity.value), wanted = text.value.trim().toLowerCase();
      let shown = 0;
      rows.forEach((row) => {
        const hit = Number(row.dataset.rank) >= least && (!source.value || row.dataset.source === source.value)
          && (!wanted || row.textContent.toLowerCase().includes(wanted));
        row.hidden = !hit;
        shown += hit ? 1 : 0;
      });
      count.textContent = shown + " of " + rows.length + " events";
    };
    [severity, source].forEach((control) => control.addEventListener("change", apply));
    text.addEventListener("input", apply);
    severity.form.addEventListener("submit", (event) => event.preventDefault());
  }

  data.charts.forEach((chart) => {
    const place = document.querySelector('.chart[data-chart="' + chart.id + '"]');
    try { if (place) draw(place, chart); } catch (error) { fail(chart.id + ": " + error.message); }
  });
  filterEvents();
  window.addEventListener("resize", () => fit(0));
  window.addEventListener("beforeprint", () => fit(PRINT_WIDTH));
  window.addEventListener("afterprint", () => fit(0));
  window.addEventListener("load", () => {
    root.dataset.chartsRendered = String(plots.length);
    root.dataset.chartsInked = String(plots.filter((p) => {
      const canvas = p.place.querySelector("canvas");
      return canvas && canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.some((v) => v > 0);
    }).length);
    root.dataset.imagesBroken = String(Array.from(document.images).filter((i) => !i.naturalWidth).length);
  });
})();
