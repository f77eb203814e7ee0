// The console of SQL. Data is only ever set as text, so nothing of it can become code.
import { $, ask, begin, button, make, reason, send, show, tally, warnings, when } from "./shared.js";

const EXAMPLE = `SELECT window_start, type, COUNT(*) AS n
FROM TABLE(TUMBLE(TABLE events, DESCRIPTOR(time), INTERVAL '1' HOUR))
GROUP BY window_start, window_end, type
`;
const SHOWN_ROWS = 1000;
const SHOWN_MATCHES = 20;
const OFFERED = 8;
const WORD = /[A-Za-z_][\w.]*$/;
const state = { offers: [], asked: 0 };

function spelled(value) {
  if (value === null) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}

function pattern() {
  return { type: "sql", query: query(), every: $("every").value.trim() || undefined };
}

// The text that is marked, or else all of it.
function query() {
  const { value, selectionStart, selectionEnd } = $("sql");
  return (selectionStart < selectionEnd ? value.slice(selectionStart, selectionEnd) : value).trim();
}

async function tell(act) {
  const number = ++state.asked;
  const say = (text) => { if (number === state.asked) $("told").textContent = text; };
  say("…");
  try {
    say(await act() ?? "");
  } catch (error) {
    say(reason(error));
    mark(error.message);
  }
}

// Where a problem names its place, the cursor goes there.
function mark(message) {
  const place = /line (\d+), column (\d+)/.exec(message);
  if (!place || query() !== $("sql").value.trim()) return;
  const lines = $("sql").value.split("\n").slice(0, Number(place[1]) - 1);
  const at = lines.reduce((sum, line) => sum + line.length + 1, 0) + Number(place[2]) - 1;
  $("sql").focus();
  $("sql").setSelectionRange(at, at);
}

function showAnswer({ columns, rows, row_count, truncated, elapsed_ms }) {
  const head = make("tr");
  head.append(...columns.map(({ name, type }) => {
    const cell = make("th", name);
    cell.title = type;
    return cell;
  }));
  $("columns").replaceChildren(head);
  $("rows").replaceChildren(...rows.map((row) => {
    const line = make("tr");
    line.append(...row.map((value) => make("td", spelled(value), value === null ? "data null" : "data")));
    return line;
  }));
  $("summary").textContent = `${row_count} rows in ${elapsed_ms} ms${truncated ? ": there are more" : ""}`;
}

function showMatches(result) {
  const { match_count, matches } = result;
  const names = [...new Set(matches.flatMap((match) => Object.keys(match.values ?? {})))];
  const rows = matches.slice(0, SHOWN_MATCHES).map((match) => [match.time, ...names.map((name) => match.values?.[name] ?? null)]);
  showAnswer({ columns: ["match", ...names].map((name) => ({ name, type: "" })), rows, row_count: rows.length, truncated: match_count > rows.length, elapsed_ms: 0 });
  $("summary").textContent = `${tally(result)}; ${rows.length} of them:`;
}

function showTypes({ types }) {
  const shown = types.map(({ type, count, last_at, fields, sample }) => {
    const more = make("details");
    const list = make("ul");
    list.append(...fields.map(({ path, kind }) => {
      const item = make("li");
      item.append(button(path, () => insert(path)), ` ${kind}`);
      return item;
    }));
    const head = make("summary");
    head.append(make("strong", type), ` ${count}, the last ${when(last_at)}`);
    more.append(head, list, make("pre", JSON.stringify(sample, null, 2)));
    return more;
  });
  $("types").replaceChildren(...(shown.length ? shown : [make("p", "No events yet. Send one: oncue send TYPE JSON", "hint")]));
}

function insert(text, over = 0) {
  const field = $("sql");
  const { selectionStart: start, selectionEnd: end } = field;
  field.setRangeText(text, start - over, end, "end");
  field.focus();
  offer();
}

// What may stand at the cursor: names that begin as the word before it does.
function offer() {
  const field = $("sql");
  const word = WORD.exec(field.value.slice(0, field.selectionStart))?.[0] ?? "";
  const begin = word.toLowerCase();
  const found = begin.length < 2 ? [] : state.offers.filter(({ text }) => text.toLowerCase().startsWith(begin) && text !== word);
  $("offers").replaceChildren(...found.slice(0, OFFERED).flatMap(({ text, hint }) => {
    const choice = button(text, () => insert(text, word.length));
    choice.title = hint;
    return [choice, " "];
  }));
}

async function load() {
  const [schema, known] = await Promise.all([ask("GET", "events/schema"), ask("GET", "events/completion")]);
  const fields = schema.types.flatMap(({ type, fields }) => fields.map(({ path, kind }) => ({ text: path, hint: `${kind} of ${type}` })));
  state.offers = [
    ...known.columns.map(({ name, type }) => ({ text: name, hint: type })),
    ...new Map(fields.map((field) => [field.text, field])).values(),
    ...known.functions.map(({ name, parameters, description, streams }) => ({
      text: `${name}(`, hint: `${name}(${parameters.join(", ")})\n${description}${streams ? "" : "\nNot in patterns."}` })),
    ...known.keywords.map((word) => ({ text: word.toUpperCase(), hint: "keyword" })),
  ];
  showTypes(schema);
}

function asked(limit) {
  return JSON.stringify({ sql: query(), limit });
}

function run() {
  return tell(async () => showAnswer(await ask("POST", "events/query", asked(SHOWN_ROWS))));
}

$("ask").addEventListener("click", run);
$("csv").addEventListener("click", () => tell(async () => {
  const answer = await send("POST", "events/query", asked(10000), { Accept: "text/csv" });
  const link = make("a");
  link.href = URL.createObjectURL(await answer.blob());
  link.download = "events.csv";
  link.click();
  URL.revokeObjectURL(link.href);
}));
$("backtest").addEventListener("click", () => tell(async () => {
  const result = await ask("POST", "patterns/test", JSON.stringify({ pattern: pattern() }));
  showMatches(result);
  return warnings(result).join("\n");
}));
$("keep").addEventListener("submit", (event) => {
  event.preventDefault();
  tell(async () => {
    const saved = await ask("POST", "patterns", JSON.stringify({ name: $("name").value, pattern: pattern() }));
    return [`saved ${saved.name}: each row that comes is a match`, ...warnings(saved)].join("\n");
  });
});
$("sql").addEventListener("input", offer);
$("sql").addEventListener("keydown", (event) => {
  if (!event.ctrlKey && !event.metaKey) return;
  if (event.key === "Enter") run();
  else if (event.key === " ") $("offers").querySelector("button")?.click();
  else return;
  event.preventDefault();
});
$("sql").value = sessionStorage.getItem("oncue-sql") ?? EXAMPLE;
addEventListener("pagehide", () => sessionStorage.setItem("oncue-sql", $("sql").value));
begin(() => show(load));
