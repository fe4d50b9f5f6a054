"use strict";
(async () => {
  const $ = id => document.getElementById(id);
  const root = document.documentElement;

  // --- Unpacking -------------------------------------------------------------------------------

  async function unpack(id) {
    const bytes = Uint8Array.from(atob($(id).textContent.trim()), c => c.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Response(stream).text();
  }

  function setTheme(theme) {
    root.dataset.theme = theme;
    $("theme").textContent = theme === "dark" ? "Light" : "Dark";
    $("theme").setAttribute("aria-label", `Switch to ${theme === "dark" ? "light" : "dark"} colours`);
  }
  const prefersDark = matchMedia("(prefers-color-scheme: dark)");
  setTheme(prefersDark.matches ? "dark" : "light");

  if (typeof DecompressionStream === "undefined") {
    $("wait").textContent = "This page needs a browser of 2023 or later: Chrome 80, Firefox 113, Safari 16.4 or newer.";
    return;
  }
  const data = JSON.parse(await unpack("data-packed"));
  const library = document.createElement("script");
  library.textContent = await unpack("vega-packed");
  document.head.append(library);

  // --- Words and numbers -----------------------------------------------------------------------

  const share = x => `${(100 * x).toFixed(1)}%`;
  const small = x => x < 0.1 ? x.toFixed(4) : x.toFixed(3);
  const two = x => x.toFixed(2);
  const one = x => x.toFixed(1);
  const HEADLINE = [
    ["pass_at_1_plus", "pass@1 plus", share, "unit"],
    ["pass_at_1_base", "pass@1 base", share, "unit"],
    ["pass_at_10_plus", "pass@10 plus", share, "unit"],
    ["pass_at_10_base", "pass@10 base", share, "unit"],
    ["pass_at_100_plus", "pass@100 plus", share, "unit"],
    ["pass_at_100_base", "pass@100 base", share, "unit"],
    ["tokens_per_pass", "tokens per pass", two],
    ["fill_rate", "fill rate", small],
    ["tokens_per_second", "tokens per second", one],
    ["empty_answer_rate", "empty answers", share, "unit"],
    ["forced_commit_rate", "forced tokens", share, "unit"],
  ];
  const configs = data.configs;
  configs.forEach((c, i) => {
    c.name = (c.other ? `${data.other.run}: ` : "") + c.label;
    c.number = i;
    c.taskAt = new Map(c.tasks.at.map((task, row) => [task, row]));
    c.bySample = new Map();
  });
  const byId = new Map(configs.filter(c => !c.other).map(c => [c.id, c]));
  for (const s of data.samples) {
    const c = byId.get(s.config);
    if (!c) continue;
    if (!c.bySample.has(s.task)) c.bySample.set(s.task, []);
    c.bySample.get(s.task).push(s);
  }
  const own = configs.filter(c => !c.other);
  const judges = data.job !== "generate"; // which leaves judging to another job
  let config = own[0];
  let baseline = null;

  function element(tag, attributes = {}, ...children) {
    const e = document.createElement(tag);
    for (const [key, value] of Object.entries(attributes)) {
      if (key === "class") e.className = value;
      else if (key.startsWith("on")) e.addEventListener(key.slice(2), value);
      else if (value !== undefined) e.setAttribute(key, value);
    }
    e.append(...children.filter(c => c !== null && c !== undefined));
    return e;
  }
  const options = (select, entries) =>
    select.replaceChildren(...entries.map(([value, text]) => element("option", {value}, text)));
  function table(headings, rows) {
    return element("table", {},
      element("thead", {}, element("tr", {}, ...headings.map(h => element("th", {scope: "col"}, h)))),
      element("tbody", {}, ...rows.map(row => element("tr", {}, ...row.map((cell, i) =>
        i === 0 ? element("th", {scope: "row"}, cell) : element("td", {}, cell))))));
  }

  // --- Verdict of a task -----------------------------------------------------------------------

  const tests = c => c.tasks.plus_judged ? "plus" : "base";
  function rate(c, task) {
    if (!c) return null;
    const row = c.taskAt.get(task);
    return row === undefined || !c.tasks.judged[row] ? null : c.tasks[tests(c)][row] / c.tasks.judged[row];
  }
  function change(task) {
    const now = rate(config, task), before = rate(baseline, task);
    return now === null || before === null ? 0 : Math.sign(now - before);
  }
  function verdict(task) {
    const t = config.tasks, row = config.taskAt.get(task);
    if (row === undefined) return "not decoded";
    const n = t.judged[row];
    if (!n) return t.failed[row] ? "could not be decoded" : judges ? "not judged yet" : "decoded";
    if (n > 1) return `${t[tests(config)][row]} of ${n} samples pass`;
    if (t.plus_judged && t.plus[row]) return "base and plus pass";
    if (t.base[row]) return t.plus_judged ? "base passes, plus fails" : "base passes";
    return `fails${t.failure[row] ? ": " + t.failure[row].replace(/_/g, " ") : ""}`;
  }

  // Over the tasks that both have judged; whether those are all tasks of both.
  function shared(kind) {
    const both = config.tasks.at.filter(t => rate(config, t) !== null && rate(baseline, t) !== null);
    const judged = c => c.tasks.judged.filter(n => n).length;
    const mean = c => both.reduce((sum, t) => {
      const row = c.taskAt.get(t);
      return sum + c.tasks[kind][row] / c.tasks.judged[row];
    }, 0) / both.length;
    return {n: both.length, all: both.length === judged(config) && both.length === judged(baseline),
      now: both.length ? mean(config) : null, before: both.length ? mean(baseline) : null};
  }
  // What a figure is compared with: [now, before], or null where different tasks forbid it.
  function compared(key) {
    if (!baseline || baseline.metrics[key] === undefined) return null;
    if (shared("base").all) return [config.metrics[key], baseline.metrics[key]];
    const kind = {pass_at_1_plus: "plus", pass_at_1_base: "base"}[key];
    const s = kind && shared(kind);
    return s && s.n ? [s.now, s.before] : null;
  }

  // --- Headline --------------------------------------------------------------------------------

  function drawHeadline() {
    const m = config.metrics;
    const interval = key => config.intervals[key];
    const key = m.pass_at_1_plus !== undefined ? "pass_at_1_plus" : "pass_at_1_base";
    const parts = [];
    if (m[key] !== undefined) {
      const solved = config.tasks.at.reduce((sum, task) => sum + (rate(config, task) === 1 ? 1 : 0), 0);
      const single = config.tasks.judged.every(n => n <= 1);
      parts.push(single
        ? `${solved} of ${m.tasks} tasks pass ${key.endsWith("plus") ? "all" : "the base"} tests (${share(m[key])}; 95% interval ${share(interval(key)[0])} to ${share(interval(key)[1])}).`
        : `A sample passes ${key.endsWith("plus") ? "all" : "the base"} tests with ${share(m[key])} probability (95% interval ${share(interval(key)[0])} to ${share(interval(key)[1])}; ${m.samples} samples of ${m.tasks} tasks).`);
    } else {
      const n = config.tasks.at.length;
      parts.push(judges ? `${n} tasks are decoded and none is judged yet.` : `${n} ${n === 1 ? "prompt is" : "prompts are"} decoded.`);
    }
    if (m.tokens_per_pass !== undefined) {
      parts.push(` Each forward pass commits ${two(m.tokens_per_pass)} tokens; a sample takes ${one(m.passes_per_row)} passes.`);
    }
    $("sentence").textContent = parts.join("");
    const common = baseline && shared("base");
    $("compared").hidden = !common || common.all;
    if (common && !common.all) {
      $("compared").textContent = common.n
        ? `The two configurations have ${common.n} judged tasks in common: pass@1 is compared over those, the other figures are not compared.`
        : "The two configurations have no judged task in common: nothing is compared.";
    }
    $("headline").replaceChildren(...HEADLINE.filter(([k]) => m[k] !== undefined).map(([k, name, format, unit]) => {
      const range = interval(k);
      const bar = unit ? element("div", {class: "bar", "aria-hidden": "true"}) : null;
      if (bar && range) {
        const i = element("i"); i.style.left = share(range[0]); i.style.width = share(range[1] - range[0]);
        bar.append(i);
      }
      if (bar) { const b = element("b"); b.style.left = `min(${share(m[k])}, 100% - 2px)`; bar.append(b); }
      const pair = compared(k);
      const d = pair && pair[0] - pair[1];
      const sign = d === null ? "" : d > 0 ? "+" : d < 0 ? "−" : "±";
      return element("div", {},
        element("dt", {}, name),
        element("dd", {},
          element("div", {class: "value"}, format(m[k])),
          bar,
          element("div", {class: "range"}, range ? `${format(range[0])} to ${format(range[1])}` : ""),
          d === null ? null : element("div", {class: "change"},
            `${sign}${unit ? (100 * Math.abs(d)).toFixed(1) + " points" : format(Math.abs(d))} against ${format(pair[1])}`)));
    }));
  }

  // --- Charts ----------------------------------------------------------------------------------

  const colour = name => getComputedStyle(root).getPropertyValue(`--${name}`).trim();
  const views = {};
  async function chart(id, spec, values) {
    if (!values.length) {
      $(id).replaceChildren(element("p", {class: "quiet"}, "Nothing to draw yet."));
      return null;
    }
    const ink = colour("ink"), quiet = colour("quiet"), rule = colour("rule");
    const full = {
      $schema: "https://vega.github.io/schema/vega-lite/v5.json",
      width: "container", height: 260, background: null, data: {values},
      autosize: {type: "fit", contains: "padding"},
      config: {
        font: "system-ui, sans-serif", view: {stroke: null},
        axis: {labelColor: quiet, titleColor: quiet, domainColor: rule, tickColor: rule, gridColor: rule, gridOpacity: .6, labelFontSize: 12, titleFontSize: 12, titleFontWeight: 400, titlePadding: 8},
        legend: {labelColor: quiet, titleColor: quiet, labelFontSize: 12, titleFontSize: 12, titleFontWeight: 400, orient: "top"},
        text: {color: ink, fontSize: 12}, point: {color: ink}, rule: {color: quiet}, line: {color: quiet},
      },
      ...spec,
    };
    if (views[id]) views[id].finalize();
    views[id] = await vegaEmbed($(id), full, {actions: false, renderer: "svg", ast: false});
    return views[id].view;
  }

  async function drawFrontier() {
    const x = $("frontier-x").value, y = `pass_at_1_${$("frontier-y").value}`;
    const point = c => ({
      number: c.number, name: c.name, label: c.name.replace(/(^|\s)(?:[\w-]+\.)+([\w-]+=)/g, "$1$2"),
      x: c.metrics[x], y: c.metrics[y], low: c.intervals[y]?.[0], high: c.intervals[y]?.[1],
      run: c.other ? "other run" : "this run", chosen: c === config,
    });
    const values = configs.map(point).filter(p => p.x !== undefined && p.y !== undefined);
    const frontier = p => !values.some(q => q.run === p.run && q.x >= p.x && q.y >= p.y && (q.x > p.x || q.y > p.y));
    values.forEach(p => { p.frontier = frontier(p); });
    const encodeX = {field: "x", type: "quantitative", title: x === "fill_rate" ? "fill rate" : "tokens per pass", scale: {zero: false, padding: 30}};
    const encodeY = {field: "y", type: "quantitative", title: y === "pass_at_1_plus" ? "pass@1 plus" : "pass@1 base", axis: {format: "%"}, scale: {zero: false}};
    $("frontier-axes").hidden = $("frontier").hidden = values.length === 1;
    if (values.length === 1) {
      $("frontier-text").replaceChildren("One configuration is one point. A sweep draws the frontier: ", element("code", {}, "submit/lockstep evaluate -m decode.tau_a=0.5,0.7,0.9"));
      return;
    }
    const few = values.length <= 12;
    const middle = (Math.min(...values.map(p => p.x)) + Math.max(...values.map(p => p.x))) / 2;
    const named = values.filter(p => p.chosen).map(p => ({
      mark: {type: "text", aria: false, align: p.x > middle ? "right" : "left", dx: p.x > middle ? -9 : 9, dy: -9, limit: $("frontier").clientWidth / 2},
      transform: [{filter: "datum.chosen"}], encoding: {x: encodeX, y: encodeY, text: {field: "label"}},
    }));
    const view = await chart("frontier", {
      description: "Each configuration by speed and pass@1, with 95% intervals; the line joins those that no other beats in both.",
      layer: [
        {mark: {type: "line", aria: false, strokeDash: [4, 3]}, transform: [{filter: "datum.frontier"}],
         encoding: {x: encodeX, y: encodeY, detail: {field: "run"}, order: {field: "x"}}},
        {mark: {type: "rule", aria: false, strokeWidth: 1.5, opacity: .55}, encoding: {x: encodeX, y: {field: "low", type: "quantitative", title: encodeY.title}, y2: {field: "high"}}},
        {mark: {type: "point", filled: true, size: 110, cursor: "pointer", opacity: 1},
         encoding: {x: encodeX, y: encodeY,
           shape: {field: "run", type: "nominal", scale: {domain: ["this run", "other run"], range: ["circle", "diamond"]}, legend: data.other ? {title: null} : null},
           fill: {condition: {test: "datum.chosen", value: colour("link")}, value: colour("base")},
           tooltip: [{field: "name", title: "configuration"}, {field: "x", title: encodeX.title, format: ".4f"}, {field: "y", title: encodeY.title, format: ".1%"}, {field: "low", title: "from", format: ".1%"}, {field: "high", title: "to", format: ".1%"}]}},
        ...(few ? named : []),
      ],
    }, values);
    view?.addEventListener("click", (event, item) => {
      const c = item?.datum && configs[item.datum.number];
      if (c && !c.other) choose(c);
    });
    const aup = data.aup.filter(a => a.aup !== null).map(a => `${a.decoder} ${one(a.aup)} (${a.counted === a.configurations ? "" : `${a.counted} of `}${a.configurations} ${a.configurations === 1 ? "configuration" : "configurations"}${a.counted === a.configurations ? "" : " count; the others lose over 5 points"})`);
    $("frontier-text").textContent = (values.length
      ? "A point is a configuration; up and to the right is better. The dashed line joins those that none beats in both. The rest of this page shows the one in blue; click another to choose it. "
      : "No configuration is both decoded and judged yet. ") +
      (aup.length ? `AUP: ${aup.join(", ")}.` : "");
  }

  function drawConfigs() {
    const columns = HEADLINE.filter(([k]) => configs.some(c => c.metrics[k] !== undefined));
    $("configs").replaceChildren(table(["configuration", "tasks", "samples", ...columns.map(c => c[1])],
      configs.map(c => [c.name, String(c.metrics.tasks), String(c.metrics.samples), ...columns.map(([k, , format]) => {
        const v = c.metrics[k], i = c.intervals[k];
        return v === undefined ? "–" : format(v) + (i ? ` (${format(i[0])}–${format(i[1])})` : "");
      })])));
  }

  async function drawPasses() {
    const samples = config.tasks.decoded.reduce((a, b) => a + b, 0) - config.tasks.failed.reduce((a, b) => a + b, 0);
    const values = config.passes.filter(p => p[3] > 0).map(([nfe, blocks, passes, committed, forced]) =>
      ({from: nfe + .5, to: nfe + 1.5, nfe: nfe + 1, blocks, passes, tokens: committed / samples, committed, forced}));
    let top = 0;
    values.forEach((v, i) => { // bars of one pass stand on each other
      top = i && values[i - 1].nfe === v.nfe ? top : 0;
      v.low = top; v.high = top += v.tokens;
    });
    const domain = [...new Set(config.passes.map(p => p[1]))].sort().reverse();
    const range = domain.map(b => colour(b === "R" ? "r" : b === "A" ? "a" : "both"));
    await chart("passes", {
      description: "Tokens that the n-th pass of a sample commits on average, stacked by the blocks it targets.",
      mark: {type: "rect", stroke: colour("paper"), strokeWidth: values.length > 120 ? 0 : 1},
      encoding: {
        x: {field: "from", type: "quantitative", title: "pass of a sample", axis: {tickMinStep: 1}, scale: {nice: false, zero: false}}, x2: {field: "to"},
        y: {field: "low", type: "quantitative", title: "tokens committed, mean per sample"}, y2: {field: "high"},
        color: {field: "blocks", type: "nominal", scale: {domain, range}, title: "blocks the pass targets"},
        tooltip: [{field: "nfe", title: "pass"}, {field: "blocks"}, {field: "tokens", title: "tokens per sample", format: ".3f"}, {field: "passes", title: "samples that made it"}, {field: "forced", title: "forced tokens"}],
      },
    }, values);
    const total = values.reduce((sum, v) => sum + v.committed, 0);
    let half = 0, sum = 0;
    for (const v of values) { if (sum < total / 2) { sum += v.committed; half = v.nfe; } }
    const forced = values.reduce((sum, v) => sum + v.forced, 0);
    $("passes-text").textContent = total
      ? `Half of all tokens are committed by pass ${half}; the longest sample takes ${Math.max(...config.passes.map(p => p[0])) + 1}. The bars add up to ${one(total / samples)} tokens a sample. ${share(forced / total)} of the tokens were forced.`
      : "Nothing was decoded in this run.";
    $("passes-table").replaceChildren(table(["pass", "blocks", "samples", "tokens", "tokens per sample", "forced"],
      values.map(v => [String(v.nfe), v.blocks, String(v.passes), String(v.committed), v.tokens.toFixed(3), String(v.forced)])));
  }

  // Few values have a bar each; many, as a reward of length makes them, share bars of equal width.
  const BARS = 24;
  function rewardBars(values) {
    const rising = [...values].reverse().map(([reward, n]) => ({reward, n}));
    if (rising.length <= BARS) return rising.map(({reward, n}) => ({name: reward.toFixed(3), n}));
    const low = rising[0].reward, width = (rising[rising.length - 1].reward - low) / BARS;
    const bars = Array.from({length: BARS}, (_, i) => ({name: `${(low + i * width).toFixed(3)} to ${(low + (i + 1) * width).toFixed(3)}`, n: 0}));
    for (const {reward, n} of rising) bars[Math.min(BARS - 1, Math.floor((reward - low) / width))].n += n;
    return bars;
  }
  async function drawRewards() {
    const r = data.rewards;
    if (!r) return;
    const number = x => x.toFixed(3);
    const bars = rewardBars(r.values).map(b => ({...b, share: b.n / r.samples}));
    const count = (n, one, many) => `${n} ${n === 1 ? one : many}`;
    $("rewards-text").textContent = `${count(r.samples, "sample", "samples")} in ${count(r.groups, "group", "groups")}${own.length > 1 ? ", of all configurations" : ""}: rewards from ${number(r.reward_min)} to ${number(r.reward_max)}. ${share(r.zero_spread_share)} of the groups have zero spread: all rewards equal, nothing to learn.`;
    $("reward-sums").replaceChildren(...[
      ["mean reward", number(r.reward_mean), `std ${number(r.reward_std)}`],
      ...["plus", "base", "tests", "format", "length"].map(part => [`part: ${part}`, number(r[part]), "mean"]),
      ["part: tamper", share(r.tamper_rate), "of samples"],
      ["zero spread", share(r.zero_spread_share), "of groups"],
      ["duplicates", String(r.duplicates), "same tokens as an earlier one"],
    ].map(([name, value, what]) => element("div", {}, element("dt", {}, name),
      element("dd", {}, element("div", {class: "value"}, value), element("div", {class: "range"}, what)))));
    await chart("rewards", {
      description: "Samples by their reward.",
      mark: {type: "bar", color: colour("both")},
      encoding: {
        x: {field: "name", type: "ordinal", sort: null, title: "reward", axis: {labelAngle: bars.length > 8 ? -35 : 0}, scale: {paddingInner: .2, paddingOuter: Math.max(.2, (8 - bars.length) / 2)}},
        y: {field: "n", type: "quantitative", title: "samples", axis: {tickMinStep: 1, format: "d"}},
        tooltip: [{field: "name", title: "reward"}, {field: "n", title: "samples"}, {field: "share", format: ".1%"}],
      },
    }, bars);
    $("rewards-table").replaceChildren(table(["reward", "samples", "share"], bars.map(b => [b.name, String(b.n), share(b.share)])));
    const {drift, replay, estimates, failed_gates: failed = []} = r.checks || {};
    $("gates").hidden = !failed.length;
    $("gates").textContent = `Before training, look at this: ${failed.join("; ")}.`;
    $("drift").hidden = !drift;
    if (drift) {
      $("drift").textContent = `Against ${drift.against}, with its parts weighted as here: the mean reward of a task moved by ${drift.shift < 0 ? "−" : "+"}${number(Math.abs(drift.shift))} (p ${Number(drift.p.toPrecision(3))}, ${count(drift.common_tasks, "task", "tasks")} in common); the largest distance between the two distributions is ${number(drift.distance)}.`;
    }
    $("replay").hidden = !replay;
    $("replay").textContent = [`Replay: ${replay}`, r.not_replayable && `${r.not_replayable} not replayable`, estimates && `estimates of log-probabilities: ${estimates}`].filter(Boolean).join("; ") + ".";
  }

  const BINS = ["0–0.3", "0.3–0.5", "0.5–0.7", "0.7–0.8", "0.8–0.9", "0.9–0.95", "0.95–0.99", "0.99–0.999", "0.999–1"];
  async function drawConfidence() {
    const measure = $("measure").value;
    const bins = config.confidence[measure].map(([n, passed, low, high], i) =>
      ({bin: BINS[i], n, passed, rate: n ? passed / n : null, low, high})).filter(b => b.n > 0);
    const things = measure === "token" ? "tokens" : "samples";
    const n = bins.reduce((sum, b) => sum + b.n, 0), passed = bins.reduce((sum, b) => sum + b.passed, 0);
    $("confidence-text").textContent = n ? (measure === "answer"
      ? `A sample is as sure as its least likely token: the smallest probability, when it was committed, of the tokens the model chose for the answer. Height is the share of such samples that pass ${tests(config) === "plus" ? "all tests" : "the base tests"}, with 95% intervals; the dashed line is the share of all (${share(passed / n)} of ${n}).`
      : `Every token that the model chose for the answer, by its probability when it was committed. Height is the share of those tokens that stand in a sample which passes ${tests(config) === "plus" ? "all tests" : "the base tests"}: not whether the token itself is right, which nobody knows. The dashed line is the share of all ${n} tokens (${share(passed / n)}).`)
      : "Nothing is both decoded and judged yet.";
    const x = {field: "bin", type: "ordinal", scale: {domain: BINS}, title: `probability when committed (bins are narrow near 1)`, axis: {labelAngle: -35}};
    const y = {field: "rate", type: "quantitative", title: `share in passing samples`, axis: {format: "%"}, scale: {domain: [0, 1]}};
    const most = Math.max(0, ...bins.map(b => b.n));
    const sizes = [...new Set([1, Math.round(most / 4), most])].filter(v => v > 0);
    await chart("confidence", {
      description: `Share of passing ${things} by probability bin.`,
      layer: [
        {mark: {type: "rule", aria: false, strokeDash: [4, 3]}, encoding: {y: {datum: n ? passed / n : 0}}},
        {mark: {type: "line", aria: false}, encoding: {x, y}},
        {mark: {type: "rule", aria: false, strokeWidth: 1.5, opacity: .6}, transform: [{filter: "isValid(datum.low)"}], encoding: {x, y: {field: "low", type: "quantitative", title: y.title}, y2: {field: "high"}}},
        {mark: {type: "point", filled: true, opacity: 1, color: colour("a")}, encoding: {x, y, size: {field: "n", type: "quantitative", title: things, scale: {domain: [1, Math.max(2, ...bins.map(b => b.n))], range: [40, 420]}, legend: {values: sizes}},
          tooltip: [{field: "bin", title: "probability"}, {field: "n", title: things}, {field: "passed", title: "in passing samples"}, {field: "rate", title: "share", format: ".1%"}]}},
      ],
    }, bins);
    $("confidence-table").replaceChildren(table(["probability", things, "in passing samples", "share", "95% interval"],
      bins.map(b => [b.bin, String(b.n), String(b.passed), share(b.rate), b.low === undefined ? "–" : `${share(b.low)} to ${share(b.high)}`])));
  }

  // --- Grid ------------------------------------------------------------------------------------

  const FILTERS = {
    all: ["all", () => true],
    failed: ["some sample fails", t => rate(config, t) !== null && rate(config, t) < 1],
    base: ["base passes, plus does not", t => { const r = config.taskAt.get(t); return r !== undefined && config.tasks.plus_judged && config.tasks.base[r] > config.tasks.plus[r]; }],
    passed: ["all samples pass", t => rate(config, t) === 1],
    waiting: ["not judged", t => rate(config, t) === null],
    better: ["better than compared", t => change(t) > 0],
    worse: ["worse than compared", t => change(t) < 0],
  };
  const MANY = 300; // tasks; more get smaller cells
  const cells = new Map();
  let current = null;

  function shown() {
    const [, keep] = FILTERS[$("filter").value] || FILTERS.all;
    const words = $("find").value.trim().toLowerCase();
    const list = data.tasks.map((_, t) => t).filter(t => config.taskAt.has(t) || rate(baseline, t) !== null)
      .filter(keep).filter(t => data.tasks[t].toLowerCase().includes(words));
    const t = config.tasks, row = task => config.taskAt.get(task);
    const by = {
      file: null,
      worst: task => rate(config, task) ?? 2,
      passes: task => -(t.passes[row(task)] / Math.max(1, t.decoded[row(task)]) || 0),
      fill: task => -(t.fill_rate[row(task)] || 0),
    }[$("order").value];
    return by ? list.map((v, i) => [by(v), i, v]).sort((a, b) => a[0] - b[0] || a[1] - b[1]).map(e => e[2]) : list;
  }

  function drawGrid() {
    const list = shown();
    cells.clear();
    const fragment = document.createDocumentFragment();
    for (const task of list) {
      const row = config.taskAt.get(task), n = row === undefined ? 0 : config.tasks.judged[row];
      const c = change(task);
      const cell = element("div", {
        class: "cell" + (n || !judges ? "" : " none") + (c > 0 ? " better" : c < 0 ? " worse" : ""), role: "option", tabindex: "-1",
        "aria-selected": String(task === current), "data-task": task,
        "aria-label": `${data.tasks[task]}: ${verdict(task)}${c > 0 ? ", better than compared" : c < 0 ? ", worse than compared" : ""}`,
        title: `${data.tasks[task]}: ${verdict(task)}`,
      });
      if (!judges && row !== undefined && config.tasks.decoded[row] > config.tasks.failed[row]) {
        const b = element("b"); b.style.height = "100%"; cell.append(b);
      }
      if (n) {
        const base = config.tasks.base[row] / n, plus = config.tasks[tests(config)][row] / n;
        if (base > plus) { const b = element("b"); b.style.height = share(base); cell.append(b); }
        if (plus > 0) { const i = element("i"); i.style.height = share(plus); cell.append(i); }
      }
      cells.set(task, cell);
      fragment.append(cell);
    }
    $("grid").replaceChildren(fragment);
    $("grid").classList.toggle("dense", data.tasks.length > MANY);
    const first = cells.get(current) || cells.values().next().value;
    first?.setAttribute("tabindex", "0");
    $("grid").tabIndex = first ? -1 : 0;
    $("count").textContent = `${list.length} ${judges ? "task" : "prompt"}${list.length === 1 ? "" : "s"}`;
  }

  function focusCell(cell) {
    $("grid").querySelectorAll('[tabindex="0"]').forEach(c => c.setAttribute("tabindex", "-1"));
    cell.setAttribute("tabindex", "0");
    cell.focus();
  }
  $("grid").addEventListener("keydown", event => {
    const all = [...cells.values()], at = all.indexOf(document.activeElement);
    if (at < 0) return;
    const top = all[0].offsetTop, columns = Math.max(1, all.findIndex(c => c.offsetTop !== top)) || 1;
    const perRow = all[all.length - 1].offsetTop === top ? all.length : columns;
    const to = {ArrowRight: at + 1, ArrowLeft: at - 1, ArrowDown: at + perRow, ArrowUp: at - perRow, Home: 0, End: all.length - 1}[event.key];
    if (to !== undefined) {
      event.preventDefault();
      if (all[to]) focusCell(all[to]);
    } else if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      open(Number(document.activeElement.dataset.task), true);
    }
  });
  $("grid").addEventListener("click", event => {
    const cell = event.target.closest("[data-task]");
    if (cell) open(Number(cell.dataset.task), true);
  });

  // --- One sample ------------------------------------------------------------------------------

  // Cividis (Nuñez, Anderton, Renslow 2018) at five points: even in lightness, for all eyes.
  const RAMP = [[0, 32, 81], [60, 77, 110], [127, 124, 117], [187, 175, 113], [253, 234, 69]];
  function ramp(share) {
    const at = share * (RAMP.length - 1), i = Math.min(RAMP.length - 2, Math.floor(at)), f = at - i;
    return RAMP[i].map((v, k) => Math.round(v + f * (RAMP[i + 1][k] - v)));
  }
  const inkOn = ([r, g, b]) => .2126 * (r / 255) ** 2.2 + .7152 * (g / 255) ** 2.2 + .0722 * (b / 255) ** 2.2 > .18 ? "#111" : "#fff";
  const display = text => /^<\|.*\|>$/.test(text) ? "·" : text.replace(/\n/g, "↵").replace(/\t/g, "→").replace(/[\u0000-\u001f\u007f]/g, "·");

  function fillOrder(s) {
    const last = s.passes.length - 1;
    const spans = [];
    const blockViews = s.blocks.map(([name, start, length]) => {
      const box = element("div", {class: "fill", tabindex: "0", role: "group", "aria-label": `Tokens of block ${name}, coloured by pass`});
      for (let i = start; i < start + length; i++) {
        const text = data.tokens[s.ids[i]] ?? `[${s.ids[i]}]`, pass = s.pass[i];
        const rgb = ramp(last > 0 && pass >= 0 ? pass / last : 0);
        const p = s.p[i] >= 0 ? `, probability ${(s.p[i] / 1000).toFixed(3)}` : "";
        const kind = ["", ", forced", "", ", behind the end", ", by a hook"][s.kind[i]] || "";
        const span = element("span", {title: `pass ${pass + 1}${p}${kind}`}, display(text) || " ");
        span.style.background = `rgb(${rgb})`; span.style.color = inkOn(rgb);
        if (s.kind[i] === 1) span.classList.add("forced");
        if (display(text) === "·") span.classList.add("end");
        spans.push({span, pass, block: name});
        box.append(span);
        if (text.endsWith("\n")) box.append(element("br"));
      }
      const gauge = element("i");
      const figure = element("span");
      return {name, length, start, gauge, figure, node: element("div", {class: `block ${/^[RA]$/.test(name) ? name : ""}`},
        element("div", {class: "name"}, `block ${name}`, element("span", {class: "gauge", "aria-hidden": "true"}, gauge), figure), box)};
    });
    const output = element("output");
    const slider = element("input", {type: "range", min: "0", max: String(last), value: String(last), "aria-label": "Pass"});
    const play = element("button", {type: "button"}, "Play");
    let timer = null;
    function show(pass, marked) {
      spans.forEach(({span, pass: p}) => {
        span.classList.toggle("mask", p > pass);
        span.classList.toggle("now", marked && p === pass);
      });
      blockViews.forEach(b => {
        const filled = s.pass.slice(b.start, b.start + b.length).filter(p => p <= pass).length;
        b.gauge.style.width = share(filled / b.length);
        b.figure.textContent = `${filled} of ${b.length}`;
      });
      const [blocks, committed, forced] = s.passes[pass] || ["", 0, 0];
      output.textContent = `Pass ${pass + 1} of ${last + 1} fills ${blocks}: ${committed} ${committed === 1 ? "token" : "tokens"}${forced ? `, ${forced} forced` : ""}`;
      slider.setAttribute("aria-valuetext", output.textContent);
    }
    function stop() { clearInterval(timer); timer = null; play.textContent = "Play"; }
    slider.addEventListener("input", () => { stop(); show(Number(slider.value), true); });
    play.addEventListener("click", () => {
      if (timer) return stop();
      play.textContent = "Stop";
      let pass = 0;
      const tick = () => {
        if (!play.isConnected) return stop();
        slider.value = String(pass); show(pass, true);
        if (++pass > last) stop();
      };
      timer = setInterval(tick, Math.max(60, Math.min(350, 8000 / (last + 1))));
      tick();
    });
    if (last >= 0) show(last, false);
    const gradient = [0, .25, .5, .75, 1].map(v => `rgb(${ramp(v)})`).join(", ");
    const bar = element("span", {class: "ramp", "aria-hidden": "true"}); bar.style.background = `linear-gradient(90deg, ${gradient})`;
    return [
      element("h3", {}, "Fill order"),
      element("p", {class: "quiet"}, "first pass ", bar, " last pass. Forced tokens are underlined; · is an end token; point at a token for its pass and probability."),
      element("div", {class: "play"}, play, slider, output),
      element("div", {class: "blocks"}, ...blockViews.map(b => b.node)),
    ];
  }

  function open(task, byHand) {
    current = task;
    cells.forEach((cell, t) => cell.setAttribute("aria-selected", String(t === task)));
    const samples = config.bySample.get(task) || [];
    const detail = $("detail");
    const at = Math.max(0, samples.findIndex(s => s.passed === false));
    drawSample(task, samples, at);
    history.replaceState(null, "", "#" + new URLSearchParams({config: config.id, task: data.tasks[task]}));
    if (byHand) {
      detail.focus({preventScroll: true});
      if (innerWidth < 768) detail.scrollIntoView();
    }
  }

  function drawSample(task, samples, at) {
    const s = samples[at];
    const bad = rate(config, task) !== null && rate(config, task) < 1;
    const parts = [
      element("h3", {id: "d-title"}, data.tasks[task]),
      element("p", {class: "verdict" + (bad ? " bad" : "")}, verdict(task)),
    ];
    const before = rate(baseline, task);
    if (baseline && before !== null) {
      parts.push(element("p", {class: "quiet"}, `Compared: ${share(before)} of its samples pass.`));
    }
    if (samples.length > 1) {
      const select = element("select", {}, ...samples.map((one, i) => element("option", {value: String(i)}, `${one.sample}${one.passed === false ? " (fails)" : one.passed ? " (passes)" : ""}`)));
      select.value = String(at);
      select.addEventListener("change", () => drawSample(task, samples, Number(select.value)));
      parts.push(element("div", {class: "filters"}, element("label", {}, "Sample ", select)));
    }
    const text = (title, body) => { if (body) parts.push(element("h3", {}, title), element("pre", {tabindex: "0", role: "group", "aria-label": title}, body)); };
    if (!s) {
      parts.push(element("p", {class: "quiet"}, "This task is not among those whose samples lie in this page; see the rule at the end. The tables have all of them."));
    } else {
      if (s.error) text("Why it could not be decoded", s.error);
      if (s.passed === false && (s.message || s.failed_input)) {
        text(`First failing ${s.failed_in_base ? "base" : "plus"} test`, [s.outcome?.replace(/_/g, " "), s.message, s.failed_input && `arguments: ${s.failed_input}`].filter(Boolean).join("\n"));
      }
      if (s.ids && s.blocks.length) parts.push(...fillOrder(s));
      text("Reasoning (R)", s.reasoning);
      text(s.reasoning === undefined ? "Answer" : "Answer (A)", s.answer === "" ? "(empty)" : s.answer);
      text("Program that was judged", s.program);
      text("Prompt", s.prompt);
    }
    $("detail").replaceChildren(...parts);
  }

  // --- Choosing --------------------------------------------------------------------------------

  function fillFilters() {
    const before = $("filter").value || "all";
    const possible = Object.entries(FILTERS).filter(([k]) => baseline || (k !== "better" && k !== "worse"))
      .filter(([k]) => k === "all" || data.tasks.some((_, t) => config.taskAt.has(t) && FILTERS[k][1](t)));
    options($("filter"), possible.map(([k, [name]]) => [k, name]));
    $("filter").value = possible.some(([k]) => k === before) ? before : "all";
  }
  async function drawCharts() {
    await drawFrontier();
    await drawRewards();
    await drawPasses();
    await drawConfidence();
  }
  async function draw() {
    drawHeadline();
    fillFilters();
    drawGrid();
    drawConfigs();
    if (current !== null) open(current, false);
    await drawCharts();
  }
  function choose(c) {
    config = c;
    $("config").value = String(c.number);
    return draw();
  }

  options($("config"), own.map(c => [String(c.number), c.label]));
  options($("baseline"), [["", "nothing"], ...configs.map(c => [String(c.number), c.name])]);
  $("config").addEventListener("change", () => choose(configs[Number($("config").value)]));
  $("baseline").addEventListener("change", () => {
    baseline = $("baseline").value === "" ? null : configs[Number($("baseline").value)];
    draw();
  });
  for (const id of ["filter", "order"]) $(id).addEventListener("change", drawGrid);
  $("find").addEventListener("input", drawGrid);
  for (const id of ["frontier-x", "frontier-y"]) $(id).addEventListener("change", drawFrontier);
  $("measure").addEventListener("change", drawConfidence);
  $("theme").addEventListener("click", () => { setTheme(root.dataset.theme === "dark" ? "light" : "dark"); drawCharts(); });
  prefersDark.addEventListener("change", () => { setTheme(prefersDark.matches ? "dark" : "light"); drawCharts(); });

  // What a job never does leaves no empty charts.
  const hide = (heading, never) => { $(heading).closest("section").hidden = never; };
  const decodes = data.job !== "score" || configs.some(c => c.tasks.decoded.some(n => n));
  hide("h-frontier", !judges || !decodes);
  hide("h-rewards", !data.rewards);
  document.querySelectorAll(".of-rewards").forEach(e => { e.hidden = !data.rewards; });
  hide("h-passes", !decodes);
  hide("h-confidence", !judges || !decodes);
  document.querySelector(".legend").hidden = !judges;
  if (!judges) $("tasks").textContent = "Prompts";
  $("choose").hidden = configs.length < 2;
  $("config-label").hidden = own.length < 2;
  $("title").textContent = `${data.dataset}${data.model ? " · " + data.model : ""}`;
  $("origin").textContent = [`run ${data.run}`, data.job, data.finished_at && `finished ${data.finished_at} UTC`, data.code_commit && `lockstep ${data.lockstep_version} at ${data.code_commit.slice(0, 10)}`].filter(Boolean).join(" · ");
  $("made").textContent = [data.interpreter && `Judged by ${data.interpreter}, sandbox ${data.isolation}`, data.spark_version && `Spark ${data.spark_version}, Java ${data.java_version}`, `tables in ${data.location}`].filter(Boolean).join(" · ");
  $("rule").textContent = `Of every task the first sample and the first that fails; where a configuration has more than ${data.details} tasks, the first ${data.details} by the hash of their ids. ${data.samples.length} samples lie in this page. Texts over 20,000 characters are cut.` + (data.other ? " Of the compared run only numbers are here." : "");
  if (data.missing.length) {
    $("missing").hidden = false;
    $("missing").append(...data.missing.map(sentence => element("p", {}, sentence)));
  }
  $("legend-many").hidden = own.every(c => c.tasks.judged.every(n => n <= 1));
  $("wait").hidden = true;
  $("report").hidden = false;

  const hash = new URLSearchParams(location.hash.slice(1));
  if (byId.has(hash.get("config"))) { config = byId.get(hash.get("config")); $("config").value = String(config.number); }
  if (data.other) {
    const same = configs.find(c => c.other && c.id === config.id) || configs.find(c => c.other && c.label === config.label) || configs.find(c => c.other);
    if (same) { baseline = same; $("baseline").value = String(same.number); }
  }
  const wanted = data.tasks.indexOf(hash.get("task"));
  const firstFailed = config.tasks.at.find(t => rate(config, t) !== null && rate(config, t) < 1);
  current = wanted >= 0 ? wanted : firstFailed ?? config.tasks.at[0] ?? null;
  await draw();
  root.dataset.ready = "true";
})().catch(error => {
  document.getElementById("wait").hidden = false;
  document.getElementById("wait").textContent = `This page could not be drawn: ${error.message}`;
  throw error;
});
