// What the pages have in common. Data is only ever set as text, so nothing of it can become code.

const SESSION_KEY = "oncue-key";

export const $ = (id) => document.getElementById(id);
export let key = "";
let entered = () => {};

export class Refused extends Error {}

export function reason(error) {
  return error instanceof Refused ? error.message : "OnCue does not answer";
}

export async function send(method, path, body, given = {}) {
  const headers = { Authorization: `Bearer ${key}`, ...given };
  if (body !== undefined) headers["Content-Type"] ??= "application/json";
  const answer = await fetch(path, { method, headers, body });
  if (answer.ok) return answer;
  if (answer.status === 401) leave();
  const problem = await answer.json();
  const errors = (problem.errors ?? []).map((error) => (error.path ? `${error.path}: ` : "") + error.message);
  throw new Refused(errors.join("\n") || problem.detail);
}

export async function ask(method, path, body, headers) {
  return (await send(method, path, body, headers)).json();
}

export function make(tag, text, kind) {
  const element = document.createElement(tag);
  if (text !== undefined) element.textContent = text;
  if (kind) element.className = kind;
  return element;
}

export function button(text, act) {
  const element = make("button", text, "row");
  element.type = "button";
  element.addEventListener("click", act);
  return element;
}

export function warnings(answer) {
  return answer.warnings.map(({ path, message }) => `${path}: ${message}`);
}

export function when(instant) {
  return instant ? new Date(instant).toLocaleString() : "";
}

// What a backtest found, and what its pattern took no part of.
export function tally({ match_count, events_scanned, left_out }) {
  const left = Object.entries(left_out).map(([name, count]) => `${name} ${count}`);
  return `${match_count} matches in ${events_scanned} events${left.length ? `, left out: ${left.join(", ")}` : ""}`;
}

// `oncue up` prints a link that ends in #key=…; the key leaves the address at once.
export function knownKey() {
  const given = new URLSearchParams(location.hash.slice(1)).get("key");
  if (given) history.replaceState(null, "", location.pathname);
  return given || sessionStorage.getItem(SESSION_KEY);
}

// Asks for a key where none is known; `act` begins what the page does with one.
export function begin(act) {
  entered = act;
  document.querySelector("header").insertAdjacentHTML("afterend", `
    <form id="enter" hidden>
      <label for="key">API key</label>
      <input id="key" type="password" autocomplete="off" required>
      <button>Enter</button>
      <p class="hint"><code>oncue up</code> prints it, and a link that holds it.</p>
    </form>`);
  $("enter").addEventListener("submit", (event) => {
    event.preventDefault();
    enter($("key").value.trim());
  });
  const known = knownKey();
  if (known) enter(known);
  else leave();
}

function enter(given) {
  key = given;
  sessionStorage.setItem(SESSION_KEY, given);
  entered();
}

function leave() {
  sessionStorage.removeItem(SESSION_KEY);
  $("enter").hidden = false;
  document.querySelector("main").hidden = true;
  $("key").focus();
}

// Shows the page once `load` is done, or why it is not; returns whether it goes on with this key.
export async function show(load) {
  try {
    await load();
    $("state").textContent = "";
    document.querySelector("main").hidden = false;
    $("enter").hidden = true;
  } catch (error) {
    if (!$("enter").hidden) return false;
    $("state").textContent = reason(error);
  }
  return true;
}
