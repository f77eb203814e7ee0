// One page without a build step. Data is only ever set as text, so nothing of it can become code.
import { $, Refused, ask, begin, button, key, make, show, tally, warnings, when } from "./shared.js";

const EXAMPLE = `name: hello
steps:
  - id: double
    type: transform
    expr: input.n * 2
  - id: big
    type: condition
    if: steps.double.output > 10
    then:
      - {id: say, type: transform, output: "{{ steps.double.output }} is big"}
`;
const CONDITION = `type: threshold
event: login.failed
by: [event.subject]
measure: count
operator: ">="
value: 3
window: 5m
`;
const REFRESH_MS = 2000;
const SHOWN_EVENTS = 20;
const SHOWN_PATTERNS = 20;
const SHOWN_MATCHES = 10;
const YAML = { "Content-Type": "application/yaml" };
const state = { chosen: "", timer: 0 };

// What stands in a table, or that nothing does.
function fill(id, lines, nothing = "none yet") {
  const empty = make("tr");
  empty.append(make("td", nothing, "hint"));
  empty.firstChild.colSpan = $(id).parentElement.querySelectorAll("th").length;
  $(id).replaceChildren(...(lines.length ? lines : [empty]));
}

function showNumbers(board) {
  const parts = Object.entries(board.executions.by_status).map(([name, n]) => `${n} ${name}`);
  const lag = board.events.lag ? `, ${board.events.lag} not yet matched` : "";
  $("numbers").textContent =
    `last day: ${board.events.total} events${lag}, ${board.patterns.matches} matches · ${board.workflows.enabled} of ${board.workflows.total} workflows on` +
    (parts.length ? ` · executions: ${parts.join(", ")}` : "") +
    (board.archive.files ? ` · archive: ${board.archive.events} events, ${(board.archive.bytes / 2 ** 20).toFixed(1)} MiB` : "");
  $("alerts").hidden = board.alerts.by !== null;
  $("archive").hidden = board.archive.failing_since === null;
  $("archive").textContent =
    `The archive takes nothing since ${when(board.archive.failing_since)}: events stay in the log, and none is lost. oncue doctor says why.`;
  $("alerts").textContent = `Nobody is told of failures: ${board.alerts.lack}`;
}

function showExecutions(rows) {
  $("nothing").hidden = rows.length > 0;
  $("executions").replaceChildren(...rows.map((row) => {
    const line = make("tr", undefined, row.id === state.chosen ? "chosen" : "");
    const open = make("button", row.workflow, "row");
    open.title = row.id;
    const first = make("td");
    first.append(open);
    const by = row.trigger.type === "match" ? `event ${row.trigger.event_id}` : row.trigger.type;
    line.append(first, make("td", row.status, `status ${row.status}`), make("td", by), make("td", when(row.created_at)));
    line.addEventListener("click", () => choose(row.id));
    return line;
  }));
}

function showExecution(execution) {
  const head = make("p");
  head.append(make("strong", execution.workflow), ` version ${execution.version} · `, make("span", execution.status, `status ${execution.status}`));
  const parts = [head];
  if (execution.finished_at) head.append(" · ", acting("replay", () => replay(execution, "start")));
  if (execution.error) parts.push(make("pre", execution.error, "failed"));
  const list = make("ol", undefined, "steps");
  list.append(...execution.steps.map((step) => showStep(step, execution)));
  parts.push(list);
  $("execution").replaceChildren(...parts);
}

function showStep(step, execution) {
  const item = make("li");
  const head = make("div");
  const attempts = step.attempts.length > 1 ? ` · ${step.attempts.length} attempts` : "";
  head.append(make("strong", step.path), ` ${step.type} · `, make("span", step.status, `status ${step.status}`), attempts);
  if (step.reused) head.append(" · reused");
  if (execution.finished_at) head.append(" · ", acting("replay from here", () => replay(execution, step.path)));
  item.append(head);
  if (step.waits_for) item.append(make("div", step.waits_for, "hint"));
  if (step.waits_until) item.append(make("div", `until ${when(step.waits_until)}`, "hint"));
  for (const [name, value] of [["input", step.input], ["output", step.output], ["error", step.error]]) {
    if (value === null) continue;
    const more = make("details");
    more.append(make("summary", name), make("pre", typeof value === "string" ? value : JSON.stringify(value, null, 2)));
    more.open = name === "error";
    item.append(more);
  }
  return item;
}

function acting(text, act) {
  return button(text, () => tell("redriving", act));
}

async function replay(execution, from) {
  const begun = await ask("POST", `executions/${execution.id}/replay`, JSON.stringify({ from }));
  await choose(begun.execution_id);
  return "";
}

function showLetters(groups) {
  fill("letters", groups.map((group) => {
    const body = JSON.stringify({ filter: { fingerprint: group.fingerprint } });
    const acts = make("td");
    acts.append(
      acting("redrive", async () => {
        const begun = await ask("POST", "dead-letters/redrive", body);
        return `redriving ${begun.total} at ${begun.rate}`;
      }), " ",
      acting("discard", async () => `discarded ${(await ask("POST", "dead-letters/discard", body)).discarded}`));
    const cause = make("td", group.error, "data");
    cause.title = group.error;
    const line = make("tr");
    line.append(cause, make("td", group.origins.join(", ")), make("td", group.count), make("td", when(group.last_at)), acts);
    return line;
  }), "none open");
}

function showVendors(vendors) {
  $("slow").hidden = vendors.length === 0;
  const states = { limited: "limits us", open: "does not answer" };
  fill("vendors", vendors.map((row) => {
    const line = make("tr");
    const state = make("td", states[row.state] ?? row.state, "waiting");
    line.append(make("td", row.name), state, make("td", row.parked), make("td", when(row.since)));
    return line;
  }));
}

function showMatches(matches) {
  fill("matches", matches.map((match) => {
    const line = make("tr");
    const started = make("td");
    const execution = match.outcome?.execution_id;
    if (execution) {
      const open = button("execution", () => choose(execution));
      open.title = execution;
      started.append(open);
    } else {
      started.textContent = match.outcome?.skipped ?? "nothing";
    }
    const key = make("td", keyOf(match), "data");
    const count = make("td", match.event_count);
    count.title = match.events.map((event) => event.id).join("\n");
    line.append(make("td", match.pattern), make("td", match.kind), key, count, started, make("td", when(match.time)));
    return line;
  }));
}

function keyOf(match) {
  return Object.values(match.key).map((part) => (typeof part === "string" ? part : JSON.stringify(part))).join(", ");
}

function showPatterns(patterns) {
  fill("patterns", patterns.map((row) => {
    const line = make("tr", undefined, row.enabled ? "" : "hint");
    const { matches, keys, late, missing_keys, where_errors } = row.stats;
    const left = [[late, "late"], [missing_keys, "without key"], [where_errors, "errors of where"]];
    if (row.paused) left.push([1, `paused since ${when(row.paused.since)}: ${row.paused.reason}`]);
    const { poll, next_poll_at: next } = row.stats;
    if (poll?.error) left.push([1, `the query failed ${when(poll.at)} (${poll.failed_in_row} in a row): ${poll.error}`]);
    if (poll?.truncated) left.push([1, `only ${poll.rows} rows were read of the answer`]);
    const out = left.filter(([count]) => count).map(([count, why]) => `${count} ${why}`).join(", ");
    const kind = make("td", row.pattern.every ? `${row.pattern.type}, every ${row.pattern.every}` : row.pattern.type);
    if (next) kind.title = `asked next ${when(next)}`;
    line.append(make("td", row.name), kind, make("td", matches), make("td", keys), make("td", out));
    return line;
  }));
}

function showSchedules(schedules) {
  fill("schedules", schedules.map((row) => {
    const line = make("tr", undefined, row.enabled ? "" : "hint");
    const next = make("td", row.next_at ? when(row.next_at) : "off");
    next.title = row.upcoming.map(when).join("\n");
    const cells = [row.name, row.cron ?? `every ${row.every}`, row.effective_time_zone].map((text) => make("td", text));
    line.append(...cells, next, make("td", when(row.last_at)), make("td", row.missed || ""));
    return line;
  }));
}

function showHooks(hooks) {
  fill("hooks", hooks.map((row) => {
    const line = make("tr", undefined, row.enabled ? "" : "hint");
    const state = row.enabled ? (row.trouble ?? "ready") : "off";
    const { received, refused, last_refusal: why } = row.stats;
    const came = make("td", `${received}${refused ? `, ${refused} refused` : ""}`);
    came.title = why ?? "";
    line.append(make("td", row.name), make("td", row.scheme), make("td", state), came, make("td", row.url, "data"));
    return line;
  }));
}

function showConnections(connections) {
  fill("connections", (connections ?? []).map((row) => {
    const line = make("tr");
    const failed = row.last_test && !row.last_test.ok ? "its last test failed" : null;
    const state = row.trouble ?? failed ?? (row.default ? "ready, the default" : "ready");
    line.append(make("td", row.name), make("td", row.integration), make("td", state), make("td", when(row.last_used_at)));
    return line;
  }), connections ? "none yet" : "your key may not see them: it lacks the scope admin");
}

function showValues(secrets, variables) {
  const shown = variables.map((row) => [`vars.${row.name}`, JSON.stringify(row.value), row]);
  const kept = (secrets ?? []).map((row) => [`secrets.${row.name}`, row.ready ? "••••" : row.trouble, row]);
  const lines = [...kept, ...shown].map(([name, value, row]) => {
    const line = make("tr");
    line.title = row.description;
    line.append(make("td", name), make("td", value, "data"), make("td", when(row.updated_at)));
    return line;
  });
  fill("values", lines, secrets ? "none yet" : "no variables yet; to see the names of secrets, a key needs the scope admin");
}

// What only some keys may see: null for the others.
async function askIfAllowed(path) {
  try {
    return (await ask("GET", path)).data;
  } catch (error) {
    if (error instanceof Refused) return null;
    throw error;
  }
}

async function latestMatches(patterns) {
  const busy = patterns.filter((pattern) => pattern.stats.matches).slice(0, SHOWN_PATTERNS);
  const pages = await Promise.all(
    busy.map((pattern) => ask("GET", `patterns/${pattern.id}/matches?limit=${SHOWN_MATCHES}`)));
  const matches = pages.flatMap((page) => page.data);
  return matches.sort((a, b) => b.detected_at.localeCompare(a.detected_at)).slice(0, SHOWN_MATCHES);
}

function showEvent(event) {
  const line = make("tr");
  line.title = `${event.id} from ${event.source}, offset ${event.offset}`;
  line.append(make("td", event.type), make("td", event.subject ?? ""), make("td", JSON.stringify(event.data), "data"), make("td", when(event.received_at)));
  $("events").prepend(line);
  while ($("events").children.length > SHOWN_EVENTS) $("events").lastChild.remove();
}

// EventSource cannot carry a key, so the stream is read by hand.
async function follow() {
  const followed = key;
  const latest = await ask("GET", `events?limit=${SHOWN_EVENTS}`);
  $("events").replaceChildren();
  latest.data.reverse().forEach(showEvent);
  let last = latest.data.at(-1)?.offset ?? 0;
  while (key === followed) {
    try {
      const answer = await fetch(`events/stream?after=${last}`, { headers: { Authorization: `Bearer ${followed}` } });
      if (!answer.ok) return;
      for await (const message of messages(answer.body)) {
        if (key !== followed) return;
        last = message.offset;
        if (message.event === "event") showEvent(message.data);
      }
    } catch {
      // The server went away; it is asked again.
    }
    await new Promise((done) => setTimeout(done, REFRESH_MS));
  }
}

async function* messages(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    text += part.value;
    const blocks = text.split("\n\n");
    text = blocks.pop();
    for (const block of blocks) {
      const fields = Object.fromEntries(block.split("\n").map((line) => line.split(/: (.*)/s)));
      if (fields.data) yield { event: fields.event, offset: Number(fields.id), data: JSON.parse(fields.data) };
    }
  }
}

async function choose(id) {
  state.chosen = id;
  showExecution(await ask("GET", `executions/${encodeURIComponent(id)}`));
  await refresh();
}

async function load() {
  const [board, executions, workflows, patterns, schedules, hooks, letters, variables, connections, secrets] = await Promise.all([
    ask("GET", "monitoring/dashboard"),
    ask("GET", "executions?limit=30"),
    ask("GET", "workflows?limit=100"),
    ask("GET", "patterns?limit=100"),
    ask("GET", "schedules?limit=100"),
    ask("GET", "hooks?limit=100"),
    ask("GET", "dead-letters?state=open&group=error"),
    ask("GET", "variables?limit=100"),
    askIfAllowed("connections?limit=100"),
    askIfAllowed("secrets?limit=100"),
  ]);
  showMatches(await latestMatches(patterns.data));
  showPatterns(patterns.data);
  showSchedules(schedules.data);
  showHooks(hooks.data);
  showLetters(letters.data);
  showVendors(board.vendors);
  showConnections(connections);
  showValues(secrets, variables.data);
  showNumbers(board);
  showExecutions(executions.data);
  $("workflows").replaceChildren(...workflows.data.map((row) => make("li", `${row.name} (version ${row.version})${row.enabled ? "" : ", off"}`, row.enabled ? "" : "hint")));
}

async function refresh() {
  clearTimeout(state.timer);
  if (await show(load)) state.timer = setTimeout(refresh, REFRESH_MS);
}

async function save() {
  const text = $("document").value;
  await ask("POST", "workflows/validate", text, YAML);
  const known = await ask("GET", "workflows?limit=500");
  const saved = await ask("POST", "workflows", text, YAML).catch((error) => {
    if (!/does not exist yet/.test(error.message)) throw error;
    throw new Refused(`${error.message}\nChoose another name: ${known.data.map((row) => row.name).join(", ")} are taken.`);
  });
  return saved;
}

async function tell(place, act) {
  $(place).textContent = "…";
  try {
    $(place).textContent = await act();
  } catch (error) {
    $(place).textContent = error.message;
  }
  await refresh();
}

// A document around the condition, whichever of the two languages it is written in.
function around(name) {
  const inner = $("condition").value.trimEnd().split("\n").map((line) => `  ${line}`).join("\n");
  return `${name}pattern:\n${inner}\n`;
}

function found(result) {
  const lines = result.matches.slice(0, SHOWN_MATCHES).map((match) =>
    `${when(match.time)}  ${match.kind}  ${keyOf(match)}  ${match.event_count} events`);
  return [tally(result), ...lines, ...warnings(result)].join("\n");
}

$("validate").addEventListener("click", () => tell("answer", async () => {
  await ask("POST", "workflows/validate", $("document").value, YAML);
  return "valid";
}));
$("save").addEventListener("click", () => tell("answer", async () => `saved ${(await save()).name}`));
$("run").addEventListener("click", () => tell("answer", async () => {
  const input = JSON.parse($("input").value || "null");
  const name = (await save()).name;
  const run = await ask("POST", `workflows/${name}/execute?wait=10s`, JSON.stringify({ input }));
  await choose(run.id || run.execution_id);
  return JSON.stringify(run.output ?? run, null, 2);
}));
$("backtest").addEventListener("click", () => tell("found", async () =>
  found(await ask("POST", "patterns/test", around(""), YAML))));
$("keep").addEventListener("click", () => tell("found", async () => {
  const saved = await ask("POST", "patterns", around(`name: ${JSON.stringify($("name").value)}\n`), YAML);
  return [`saved ${saved.name}`, ...warnings(saved)].join("\n");
}));

$("document").value = EXAMPLE;
$("condition").value = CONDITION;
begin(() => {
  refresh();
  follow().catch(() => {});
});
