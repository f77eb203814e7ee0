// Shows openapi.json, and lets a person try each operation.
import { $, knownKey } from "./shared.js";

// Text becomes text: nothing of the document is ever read as HTML.
function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children.filter((child) => child !== null));
  return made;
}

function resolved(schema, components) {
  const name = schema?.$ref?.split("/").pop();
  return name ? components[name] : schema;
}

function parameters(operation) {
  const rows = operation.parameters.map((one) =>
    element("tr", {},
      element("td", {}, element("code", { textContent: one.name })),
      element("td", { textContent: one.in }),
      element("td", { textContent: one.required ? "needed" : "" }),
      element("td", { textContent: one.description ?? "" })));
  return rows.length ? element("table", {}, element("tbody", {}, ...rows)) : null;
}

function answers(operation, components) {
  const rows = Object.entries(operation.responses).map(([status, answer]) => {
    const [type, content] = Object.entries(answer.content ?? {})[0] ?? ["", {}];
    const schema = JSON.stringify(resolved(content.schema, components) ?? null, null, 2);
    const details = type && !type.includes("problem")
      ? element("details", {},
          element("summary", { textContent: type }), element("pre", { textContent: schema }))
      : null;
    return element("tr", {},
      element("td", {}, element("code", { textContent: status })),
      element("td", {}, element("span", { textContent: answer.description }), details));
  });
  return element("table", {}, element("tbody", {}, ...rows));
}

function field(label, value, name = "input") {
  const input = element(name, { value, autocomplete: "off", spellcheck: false });
  return { input, shown: element("label", { textContent: label }, input) };
}

function trial(path, method, operation) {
  const fields = operation.parameters.map((one) => ({ one, ...field(one.name, "") }));
  const media = Object.entries(operation.requestBody?.content ?? {})[0];
  const example = media?.[1].example ?? {};
  const body = media ? field(media[0], JSON.stringify(example, null, 2), "textarea") : null;
  const result = element("pre", { hidden: true });
  const form = element("form", { className: "trial" },
    ...fields.map((one) => one.shown), body?.shown ?? null,
    element("button", { textContent: `${method.toUpperCase()} ${path}` }), result);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    result.hidden = false;
    result.textContent = "…";
    result.textContent = await send(path, method, fields, media, body);
  });
  return form;
}

async function send(path, method, fields, media, body) {
  const query = new URLSearchParams();
  const headers = {};
  for (const { one, input } of fields) {
    if (one.in === "path") path = path.replace(`{${one.name}}`, encodeURIComponent(input.value));
    else if (input.value && one.in === "query") query.set(one.name, input.value);
    else if (input.value) headers[one.name] = input.value;
  }
  if ($("key").value) headers.Authorization = `Bearer ${$("key").value}`;
  if (media) headers["Content-Type"] = media[0];
  const asked = query.size ? `${path}?${query}` : path;
  try {
    const answer = await fetch(`.${asked}`, { method, headers, body: body?.input.value });
    const type = answer.headers.get("content-type") ?? "";
    // A stream has no end: what comes in the first second is shown.
    const text = type.includes("event-stream") ? await beginning(answer) : await answer.text();
    const shown = type.includes("json") ? JSON.stringify(JSON.parse(text), null, 2) : text;
    return `${answer.status} ${answer.statusText}\n\n${shown}`;
  } catch (error) {
    return String(error);
  }
}

async function beginning(answer) {
  const reader = answer.body.getReader();
  const decoder = new TextDecoder();
  let text = "";
  const end = Date.now() + 1000;
  while (Date.now() < end) {
    const late = new Promise((done) => setTimeout(() => done({ done: true }), end - Date.now()));
    const { value, done } = await Promise.race([reader.read(), late]);
    if (done) break;
    text += decoder.decode(value, { stream: true });
  }
  reader.cancel();
  return text;
}

function show(openapi) {
  const components = openapi.components.schemas;
  const sections = new Map();
  for (const [path, methods] of Object.entries(openapi.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      const [tag] = operation.tags;
      if (!sections.has(tag)) {
        sections.set(tag, element("div", { className: "tag" }, element("h2", { textContent: tag })));
      }
      const details = element("details", { className: "operation", id: operation.operationId },
        element("summary", {},
          element("code", { textContent: `${method.toUpperCase()} ${path}` }),
          ` ${operation.summary}`),
        element("p", { className: "hint", textContent: operation.description ?? "Needs no key." }),
        parameters(operation), answers(operation, components), trial(path, method, operation));
      sections.get(tag).append(details);
    }
  }
  $("operations").append(...sections.values());
}

$("find").addEventListener("input", (event) => {
  const wanted = event.target.value.toLowerCase();
  for (const operation of document.querySelectorAll("details.operation")) {
    operation.hidden = !operation.querySelector("summary").textContent.toLowerCase().includes(wanted);
  }
  for (const section of document.querySelectorAll("div.tag")) {
    section.hidden = !section.querySelector("details.operation:not([hidden])");
  }
});
$("settings").addEventListener("submit", (event) => event.preventDefault());
$("key").value = knownKey() ?? "";
fetch("openapi.json").then((answer) => answer.json()).then(show).catch((error) => {
  $("state").textContent = String(error);
});
