// What the page does with its events. "history" has samples of the last minutes, "status" comes every second with all there is. Samples are
// counts since the worker's start, so that every rate and share here is a quotient of two differences.
"use strict";

const kept = 120; // samples, one a second
const least = 30; // samples that a line has room for at least
const minute = 60; // samples that lengths and deciders are about
const smooth = 5; // samples that a tile's number is about
const silence = 4000; // ms without an event before the page says so
const deciders = [
  ["policy", "policy", "its wish was granted"],
  ["guard", "cost guard", "more would cost more than it gains"],
  ["hold-out", "hold-out", "the opposite, to keep measuring"],
  ["catch-up", "catch-up", "the draft reads first what it missed"],
];

let samples = [];
let heard = 0;

const byId = (id) => document.getElementById(id);
const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);
const whole = new Intl.NumberFormat("en");
const count = (number, one, many = `${one}s`) => `${whole.format(number)} ${number === 1 ? one : many}`;

function percent(part, total) {
  if (!(total > 0)) return "–";
  return `${((100 * part) / total).toFixed(part === total || part === 0 ? 0 : 1)} %`;
}

function element(name, { text, title, ...attributes } = {}, children = []) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (title) made.title = title;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function svg(name, attributes) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

function duration(seconds) {
  if (Number.isNaN(seconds)) return "–";
  if (seconds < 1) return `${Math.max(0, Math.round(seconds * 1000))} ms`;
  if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
}

/** What happened between a sample and the one so many before it, or the first there is; null if there is none before it. */
function between(index, back) {
  const now = samples[index];
  const before = samples[Math.max(0, index - back)];
  if (!now || now === before) return null;
  return {
    seconds: (Date.parse(now.at) - Date.parse(before.at)) / 1000,
    tokens: now.emitted - before.emitted,
    prompts: now.promptTokens - before.promptTokens,
    proposed: now.proposed - before.proposed,
    accepted: now.accepted - before.accepted,
    iterations: sum(now.lengths) - sum(before.lengths), // an output's; the batch's have as many as outputs took part
    lengths: now.lengths.map((times, length) => times - (before.lengths[length] ?? 0)),
    decisions: now.decisions.map((times, decider) => times - (before.decisions[decider] ?? 0)),
  };
}

const quotient = (part, total) => (total > 0 ? part / total : null);
const throughput = (change) => change && quotient(change.tokens, change.seconds);
const meanLength = (change) => change && quotient(change.proposed, change.iterations);
const acceptance = (change) => change && quotient(change.accepted, change.proposed);

/** Of every sample, over the last seconds before it. */
const series = (of) => samples.map((_, index) => of(between(index, 3)));

/** A value per sample, the last one at the right edge; gaps where there is none. */
function spark(tile, values, most) {
  const [width, height] = [Math.max(values.length, least) - 1, 40];
  const top = Math.max(most ?? 0, ...values.filter((value) => value !== null), 1e-9);
  const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", "aria-hidden": "true" });
  let stretch = [];
  const draw = () => {
    if (stretch.length > 1) {
      const line = stretch.map(([x, y]) => `${x},${y.toFixed(2)}`).join(" ");
      picture.append(
        svg("polygon", { class: "area", points: `${stretch[0][0]},${height} ${line} ${stretch.at(-1)[0]},${height}` }),
        svg("polyline", { class: "line", points: line }),
      );
    }
    stretch = [];
  };
  values.forEach((value, index) => {
    if (value === null) draw();
    else stretch.push([width - (values.length - 1 - index), height - 1 - (value / top) * (height - 3)]);
  });
  draw();
  tile.querySelector("svg")?.remove();
  tile.append(picture);
}

/** Fills a tile; returns it. */
function show(id, value, unit, about) {
  const tile = byId(id);
  tile.querySelector("b").textContent = value;
  tile.querySelector(".value span").textContent = unit;
  tile.querySelector(".about").textContent = about;
  return tile;
}

function showRates() {
  const recent = between(samples.length - 1, smooth);
  const long = between(samples.length - 1, minute);
  const rate = throughput(recent);
  const prompts = recent && quotient(recent.prompts, recent.seconds);
  spark(
    show(
      "throughput",
      rate === null ? "–" : whole.format(Math.round(rate)),
      "tokens/s",
      prompts === null ? "" : `prompts ${whole.format(Math.round(prompts))} tokens/s`,
    ),
    series(throughput),
  );
  const [length, longer] = [meanLength(recent), meanLength(long)];
  spark(
    show(
      "length",
      length === null ? "–" : length.toFixed(2),
      "tokens",
      longer === null ? "nothing decoded lately" : `${longer.toFixed(2)} in the last minute`,
    ),
    series(meanLength),
    1,
  );
  spark(
    show(
      "acceptance",
      recent ? percent(recent.accepted, recent.proposed) : "–",
      "",
      long?.proposed > 0 ? `${whole.format(long.accepted)} of ${whole.format(long.proposed)}` : "nothing proposed lately",
    ),
    series(acceptance),
    1,
  );
}

function showLoad(status) {
  const now = status.now;
  spark(
    show(
      "running",
      now ? `${now.running}` : "–",
      now ? `of ${status.limit}` : "",
      now ? (now.waiting > 0 ? `${count(now.waiting, "output waits", "outputs wait")}` : "nobody waits") : "",
    ),
    samples.map((sample) => sample.running),
    status.limit,
  );
  const ready = status.queues ? sum(status.queues.map((queue) => queue.ready)) : null;
  spark(
    show(
      "queued",
      ready === null ? "–" : whole.format(ready),
      ready === 1 ? "job" : "jobs",
      ready === null ? "the broker does not say" : status.heldElsewhere > 0 ? `${whole.format(status.heldElsewhere)} held by others` : "in the broker",
    ),
    samples.map((sample) => sample.queued ?? null),
    1,
  );
  spark(
    show(
      "blocks",
      now ? percent(now.kvBlocksUsed, status.kvBlocks) : "–",
      "used",
      now ? `${whole.format(now.kvBlocksUsed)} of ${count(status.kvBlocks, "block")}` : "",
    ),
    samples.map((sample) => sample.kvBlocksUsed),
    status.kvBlocks,
  );
}

function showLengths() {
  const change = between(samples.length - 1, minute);
  const lengths = change?.lengths ?? [];
  const most = Math.max(...lengths, 1);
  const share = (times) => (times === 0 ? "" : 100 * times < change.iterations ? "<1%" : `${Math.round((100 * times) / change.iterations)}%`);
  const bars = lengths.map((times, length) => {
    const bar = element("i");
    bar.style.height = `${(105 * times) / most}px`;
    return element("div", { class: length === 0 ? "bar none" : "bar", title: count(times, "time") }, [
      element("span", { text: share(times) }),
      bar,
      element("b", { text: `${length}` }),
    ]);
  });
  const label = lengths.map((times, length) => `${length}: ${share(times) || "never"}`).join(", ") || "nothing";
  byId("lengths").replaceChildren(element("div", { class: "bars", role: "img", "aria-label": label }, bars));
  byId("lengths-about").textContent = change?.iterations
    ? `Tokens proposed for an output in an iteration; ${count(change.iterations, "time")} in all.`
    : "Tokens proposed for an output in an iteration; nothing was decoded in the last minute.";
}

function showDeciders(status) {
  const change = between(samples.length - 1, minute);
  const total = change ? sum(change.decisions) : 0;
  const share = (index) => (total > 0 ? (100 * change.decisions[index]) / total : 0);
  const parts = deciders.map(([style], index) => {
    const part = element("i", { class: style });
    part.style.width = `${share(index)}%`;
    return part;
  });
  const legend = deciders.flatMap(([style, name, why], index) => [
    element("span", {}, [element("i", { class: style }), name]),
    element("span", { class: "dim", text: why }),
    element("b", { text: total > 0 ? `${share(index).toFixed(1)} %` : "–" }),
  ]);
  byId("deciders").replaceChildren(element("div", { class: "split", role: "presentation" }, parts), element("div", { class: "legend" }, legend));
  byId("guard").textContent = describeGuard(status);
}

function describeGuard(status) {
  if (!status.now) return "";
  if (status.isSpeculating === undefined) return "There is no cost guard here: every policy gets what it wishes.";
  return status.isSpeculating
    ? "The cost guard expects speculation to pay now."
    : "The cost guard expects plain decoding to be faster now, and tries speculation from time to time.";
}

function describeState(job, output) {
  if (job.isCancelRequested) return "cancelling";
  if (!output) return "claimed";
  if (job.outputs.every((other) => other.phase === "ended")) return "storing";
  return output.phase === "prefill" ? "prompt" : output.phase;
}

function jobRows(job, now) {
  const rows = (job.outputs.length > 0 ? job.outputs : [null]).map((output, index) =>
    element("tr", { class: index > 0 ? "again" : "first" }, [
      element("td", {}, [element("span", { class: "id", text: job.id })]),
      element("td", { text: job.outputCount > 1 ? `${index + 1} of ${job.outputCount}` : "" }),
      element("td", {}, [element("span", { class: `tag ${output?.phase ?? "waiting"}`, text: describeState(job, output) })]),
      element("td", {}, output ? [
        element("progress", { max: output.mostTokens, value: output.tokens, "aria-label": "tokens so far" }),
        `${whole.format(output.tokens)} of ${whole.format(output.mostTokens)}`,
      ] : []),
      element("td", { class: "number", text: `${output?.length ?? "–"}` }),
      element("td", { class: "number", text: output ? percent(output.accepted, output.proposed) : "–" }),
      element("td", { class: "number", text: index === 0 ? duration((now - Date.parse(job.since)) / 1000) : "" }),
    ]));
  const left = job.outputCount - job.outputs.length;
  if (left > 0) rows.push(element("tr", {}, [element("td"), element("td", { class: "dim", colspan: "6", text: `and ${count(left, "output")} more` })]));
  return rows;
}

function endRow(end, now) {
  const outcome = end.failureCode ? `${end.outcome}: ${end.failureCode}` : end.outcome;
  return element("tr", {}, [
    element("td", {}, [element("span", { class: "id", text: end.id })]),
    element("td", {}, [element("span", { class: `tag ${end.outcome}`, text: outcome })]),
    element("td", { class: "number", text: whole.format(end.tokens) }),
    element("td", { class: "number", text: percent(end.accepted, end.proposed) }),
    element("td", { class: "number", text: end.engineMs === undefined ? "–" : duration(end.engineMs / 1000) }),
    element("td", { class: "number", text: end.at === undefined ? "–" : duration(Math.max(0, now - Date.parse(end.at)) / 1000) }),
  ]);
}

const fill = (id, rows) => byId(id).tBodies[0].replaceChildren(...rows);

function showTables(status, now) {
  fill("jobs", status.jobs.flatMap((job) => jobRows(job, now)));
  byId("no-jobs").hidden = status.jobs.length > 0;
  byId("job-count").textContent = status.jobCount > status.jobs.length ? `the first ${status.jobs.length} of ${status.jobCount}`
    : status.jobCount > 0 ? `${status.jobCount}` : "";
  fill("ends", status.ends.map((end) => endRow(end, now)));
  byId("no-ends").hidden = status.ends.length > 0;
  byId("end-count").textContent =
    `${whole.format(status.completed)} completed, ${whole.format(status.failed)} failed, ${whole.format(status.cancelled)} cancelled`;
  fill("checks", status.checks.map((check) => element("tr", {}, [
    element("td", {}, [element("span", { class: `tag ${check.status}`, text: check.name })]),
    element("td", { class: "text", text: (check.text ?? "well").replaceAll("; ", "\n") }),
  ])));
  fill("queues", (status.queues ?? []).map((queue) => element("tr", {}, [
    element("td", { class: "text", text: queue.name }),
    element("td", { class: "number", text: whole.format(queue.ready) }),
  ])));
  byId("no-queues").hidden = Boolean(status.queues);
}

function state(text, style) {
  const pill = byId("state");
  if (pill.textContent !== text) pill.textContent = text; // or it would be read out every second
  pill.className = `state ${style}`;
  document.body.classList.toggle("stale", style === "gone");
}

function showState(status) {
  if (status.isStopping) state("Stopping", "waiting");
  else if (!status.now) state("Starting", "waiting");
  else if (status.isReady) state("Ready", "well");
  else state("Not ready", "ill");
}

function showHead(status, now) {
  const worker = status.worker;
  const threads = worker.device === "cpu" ? `, ${count(worker.threads, "thread")}` : "";
  const proposer = worker.proposer === "draft" ? "" : `, proposer ${worker.proposer}`;
  byId("worker").textContent = worker.id ?? "DSDE worker";
  byId("about").textContent = [
    `serves ${worker.models.join(", ")}`,
    worker.target && (worker.draft ? `${worker.target} with ${worker.draft}` : worker.target),
    worker.policy && `policy ${worker.policy}${proposer}`,
    worker.device && `${worker.dataType} on ${worker.device}${threads}`,
    `version ${worker.version.split("+")[0]}`,
    `up ${duration((now - Date.parse(worker.startedAt)) / 1000)}`,
  ].filter(Boolean).join(" · ");
  const problems = status.checks
    .filter((check) => check.status !== "Healthy")
    .map((check) => `${check.name}: ${check.text ?? check.status}`);
  if (status.outOfMemory > 0) {
    problems.push(`The device ran out of memory ${count(status.outOfMemory, "time")}; at most ${status.limit} run at once now.`);
  }
  if (status.suspensions > 0) {
    problems.push(`${count(status.suspensions, "time")} a sequence had to make room for others in the memory for keys and values.`);
  }
  byId("problems").replaceChildren(...problems.map((text) => element("li", { text })));
  byId("problems").hidden = problems.length === 0;
  document.title = status.now ? `${status.now.running} running – ${worker.id}` : "DSDE worker";
}

function showStatus(status) {
  heard = performance.now();
  if (status.now) samples = [...samples, status.now].slice(-kept);
  const now = status.now ? Date.parse(status.now.at) : Date.now(); // by the worker's clock, if it says
  showState(status);
  showHead(status, now);
  showRates();
  showLoad(status);
  showLengths();
  showDeciders(status);
  showTables(status, now);
}

function connect() {
  const events = new EventSource("status/events");
  events.addEventListener("history", (event) => { samples = JSON.parse(event.data); });
  events.addEventListener("status", (event) => showStatus(JSON.parse(event.data)));
  events.addEventListener("error", () => {
    state("No connection, trying again", "gone");
    if (events.readyState === EventSource.CLOSED) setTimeout(connect, 1000); // a browser that has given up
  });
}

setInterval(() => {
  if (heard > 0 && performance.now() - heard > silence) state("No connection, trying again", "gone");
}, 1000);
connect();
