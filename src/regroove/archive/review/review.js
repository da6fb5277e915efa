"use strict";
const DATA = JSON.parse(document.getElementById("data").textContent);
const ROW = 34;
// Two players that are further apart than this, in seconds, are put together again.
const APART = 0.015;
const KEY = "regroove-review:" + location.pathname;
const ROLES = [["before", "Before"], ["after", "After"], ["removed", "Removed"]];
const state = { order: "number", down: false, flag: null, mark: null, text: "", shown: [], chosen: null };
const marks = load();
const $ = id => document.getElementById(id);

function load() {
  const loaded = {};
  let stored = {};
  try { stored = JSON.parse(localStorage.getItem(KEY)) || {}; } catch { /* What the journal knows is left. */ }
  for (const side of DATA.sides) {
    const own = stored[side.number];
    // What was to be done again and has been is to be heard anew.
    if (own && (own.mark !== "again" || own.of === side.finished)) loaded[side.number] = own;
    else if (side.mark) loaded[side.number] = { mark: side.mark, note: side.note };
  }
  return loaded;
}

function store() {
  try { localStorage.setItem(KEY, JSON.stringify(marks)); } catch { /* A page that may not store keeps them until it is closed. */ }
}

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value !== null && value !== undefined) made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

function clock(seconds) {
  if (seconds === null || seconds === undefined) return "";
  const whole = Math.round(seconds);
  return Math.floor(whole / 60) + ":" + String(whole % 60).padStart(2, "0");
}

// The list.

const COLUMNS = [
  ["name", "Name", s => s.name.toLowerCase()],
  ["seconds", "Length", s => s.seconds ?? -1],
  ["flags", "Flags", s => -(s.state === "failed" ? 1000 : 0) - s.flags.length],
  ["mark", "Mark", s => marks[s.number]?.mark || "~"],
];

function values(side) {
  const column = COLUMNS.find(([key]) => key === state.order);
  return column ? column[2](side) : side.number;
}

function refresh() {
  const text = state.text.toLowerCase();
  state.shown = DATA.sides.filter(side =>
    (!text || side.name.toLowerCase().includes(text)) &&
    (!state.flag || (state.flag === "failed" ? side.state === "failed" : side.flags.some(([code]) => code === state.flag))) &&
    (!state.mark || (state.mark === "none" ? !marks[side.number]?.mark : marks[side.number]?.mark === state.mark)));
  const turn = state.down ? -1 : 1;
  state.shown.sort((a, b) => {
    const x = values(a), y = values(b);
    return (x < y ? -1 : x > y ? 1 : 0) * turn || a.number - b.number;
  });
  $("space").style.height = state.shown.length * ROW + "px";
  drawHead();
  drawRows();
  summarise();
}

function drawHead() {
  $("head").replaceChildren(...COLUMNS.map(([key, label]) => element("button", {
    "aria-label": "Sort by " + label.toLowerCase(),
    onclick: () => { state.down = state.order === key && !state.down; state.order = key; refresh(); },
  }, label + (state.order === key ? (state.down ? " \u2193" : " \u2191") : ""))));
}

function drawRows() {
  const view = $("view"), first = Math.max(Math.floor(view.scrollTop / ROW) - 5, 0);
  const last = Math.min(first + Math.ceil(view.clientHeight / ROW) + 10, state.shown.length);
  const rows = [];
  for (let i = first; i < last; i++) rows.push(row(state.shown[i], i));
  $("space").replaceChildren(...rows);
}

function row(side, index) {
  const chips = side.flags.map(([code]) => element("span", { class: "chip" }, code.replaceAll("-", " ")));
  if (side.state === "failed") chips.unshift(element("span", { class: "chip error" }, "failed"));
  return element("div", {
    class: "row " + side.state, style: `top:${index * ROW}px`, role: "row", "aria-selected": String(side === state.chosen),
    onclick: () => choose(side),
  }, element("span", { class: "name", title: side.name }, side.name), element("span", {}, clock(side.seconds)),
  element("span", {}, ...chips), element("span", {}, marks[side.number]?.mark || ""));
}

function summarise() {
  const all = DATA.sides, hours = all.reduce((sum, s) => sum + (s.seconds || 0), 0) / 3600;
  const count = name => all.filter(s => s.state === name).length;
  const marked = all.filter(s => marks[s.number]?.mark).length;
  $("summary").textContent = `${all.length} recordings, ${hours.toFixed(1)} hours: ${count("done")} done, ` +
    `${count("failed")} failed, ${all.filter(s => s.flags.length).length} with flags, ${marked} marked. ` +
    `${state.shown.length} are shown.`;
}

function drawFilters() {
  const counts = new Map();
  for (const side of DATA.sides) {
    if (side.state === "failed") counts.set("failed", (counts.get("failed") || 0) + 1);
    for (const [code] of side.flags) counts.set(code, (counts.get(code) || 0) + 1);
  }
  const flags = [...counts].sort((a, b) => b[1] - a[1]).map(([code, n]) => toggle("flag", code, `${code.replaceAll("-", " ")} ${n}`));
  $("flags").replaceChildren(...flags);
  $("marks").replaceChildren(...[...DATA.marks, "none"].map(name => toggle("mark", name, name === "none" ? "not marked" : name)));
}

function toggle(kind, value, label) {
  return element("button", {
    "aria-pressed": String(state[kind] === value),
    onclick: () => { state[kind] = state[kind] === value ? null : value; $("view").scrollTop = 0; drawFilters(); refresh(); },
  }, label);
}

// The chosen recording.

let player = null;

function choose(side) {
  if (player) player.end();
  state.chosen = side;
  player = new Player(side);
  const facts = [clock(side.seconds)];
  if (side.place) {
    const sure = side.confidence === null ? "" : ` (confidence ${Math.round(100 * side.confidence)} %)`;
    facts.push(`noise: ${side.place}${sure}`);
  }
  const parts = [element("h2", {}, side.name), element("p", {}, facts.filter(Boolean).join(", "))];
  if (side.error) parts.push(element("p", { class: "error" }, side.error));
  if (side.flags.length) parts.push(element("ul", {}, ...side.flags.map(([, sentence]) => element("li", {}, sentence))));
  parts.push(...player.parts, ...markParts(side));
  if (side.picture) parts.push(element("img", { src: side.picture, alt: "Spectrograms before, after and of what was removed" }));
  parts.push(element("p", { class: "keys" }, ...keys()));
  $("detail").replaceChildren(...parts);
  drawRows();
}

function keys() {
  const pairs = [["space", "play"], ["1 2 3", "before, after, removed"], ["j k", "next, previous"], ["g a h", "good, again, by hand"]];
  return pairs.flatMap(([key, what], i) => [i ? "; " : "", element("kbd", {}, key), " " + what]);
}

function markParts(side) {
  const buttons = DATA.marks.map(name => element("button", {
    "aria-pressed": String(marks[side.number]?.mark === name), onclick: () => mark(side, name),
  }, name));
  const note = element("textarea", {
    placeholder: "A note", "aria-label": "A note",
    oninput: event => { marks[side.number] = { ...marks[side.number], note: event.target.value }; store(); },
  });
  note.value = marks[side.number]?.note || "";
  return [element("div", { class: "choices", role: "group", "aria-label": "Mark" }, ...buttons), note];
}

function mark(side, name) {
  const before = marks[side.number] || {};
  marks[side.number] = { ...before, mark: before.mark === name ? undefined : name, of: side.finished };
  store();
  const group = document.querySelector("[aria-label=Mark]");
  [...group.children].forEach(b => b.setAttribute("aria-pressed", String(marks[side.number].mark === b.textContent)));
  drawRows();
  summarise();
}

class Player {
  // All that there is plays at once and only one is heard, so that switching keeps the place.
  constructor(side) {
    this.roles = ROLES.filter(([role]) => side[role]);
    this.audio = this.roles.map(([role]) => Object.assign(new Audio(), { preload: "none", src: side[role], muted: true }));
    this.heard = Math.min(1, this.audio.length - 1);
    this.parts = [];
    if (!this.audio.length) return;
    this.play = element("button", { onclick: () => this.toggle() }, "Play");
    this.seek = element("input", { type: "range", min: 0, max: side.seconds || 1, step: "any", value: 0, "aria-label": "Position",
      oninput: event => this.jump(Number(event.target.value)) });
    this.time = element("span", { class: "time" }, "0:00");
    this.buttons = this.roles.map(([, label], i) => element("button", { onclick: () => this.choose(i) }, label));
    this.trouble = element("p", { class: "error" });
    this.audio.forEach((a, i) => a.addEventListener("error", () => {
      this.trouble.textContent = `The browser cannot play what is "${this.roles[i][1].toLowerCase()}".`;
    }));
    this.audio.forEach(a => a.addEventListener("ended", () => this.pause()));
    this.parts = [element("div", { class: "transport" }, this.play, this.seek, this.time),
      element("div", { class: "choices", role: "group", "aria-label": "What is heard" }, ...this.buttons), this.trouble];
    this.choose(this.heard);
  }
  get now() { return this.audio[this.heard]; }
  get playing() { return this.audio.length > 0 && !this.now.paused; }
  toggle() { if (this.playing) this.pause(); else this.start(); }
  async start() {
    const at = Number(this.seek.value) >= Number(this.seek.max) ? 0 : Number(this.seek.value);
    this.audio.forEach(a => { a.currentTime = at; });
    this.play.textContent = "Pause";
    await Promise.allSettled(this.audio.map(a => a.play()));
    this.tick();
  }
  pause() {
    this.audio.forEach(a => a.pause());
    this.play.textContent = "Play";
  }
  jump(seconds) {
    this.audio.forEach(a => { a.currentTime = seconds; });
    this.time.textContent = clock(seconds);
  }
  choose(index) {
    if (!this.audio[index]) return;
    this.together(this.audio[index]);
    this.heard = index;
    this.audio.forEach((a, i) => { a.muted = i !== index; });
    this.buttons.forEach((b, i) => b.setAttribute("aria-pressed", String(i === index)));
  }
  together(other) {
    if (Math.abs(other.currentTime - this.now.currentTime) > APART) other.currentTime = this.now.currentTime;
  }
  tick() {
    if (!this.playing) return;
    this.seek.value = this.now.currentTime;
    this.time.textContent = clock(this.now.currentTime) + " of " + clock(Number(this.seek.max));
    this.audio.forEach(a => { if (Math.abs(a.currentTime - this.now.currentTime) > 4 * APART) this.together(a); });
    setTimeout(() => this.tick(), 100);
  }
  end() {
    this.audio.forEach(a => { a.pause(); a.removeAttribute("src"); a.load(); });
  }
}

// Marks as a file.

function quoted(value) {
  return '"' + String(value).replaceAll('"', '""') + '"';
}

function asCsv() {
  // A mark that the journal has and that was taken back is an empty one.
  const rows = DATA.sides.filter(s => marks[s.number]?.mark || s.mark);
  const lines = rows.map(s => [s.number, s.name, marks[s.number]?.mark || "", marks[s.number]?.note || ""].map(quoted).join(","));
  return [DATA.columns.join(","), ...lines].join("\r\n") + "\r\n";
}

$("save").addEventListener("click", () => {
  const link = element("a", { href: URL.createObjectURL(new Blob([asCsv()], { type: "text/csv" })), download: "marks.csv" });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
});

function step(by) {
  const next = state.shown[state.shown.indexOf(state.chosen) + by];
  if (!next) return;
  const top = state.shown.indexOf(next) * ROW, view = $("view");
  if (top < view.scrollTop) view.scrollTop = top;
  if (top + ROW > view.scrollTop + view.clientHeight) view.scrollTop = top + ROW - view.clientHeight;
  choose(next);
}

document.addEventListener("keydown", event => {
  if (event.ctrlKey || event.metaKey || event.altKey || ["TEXTAREA", "INPUT"].includes(event.target.tagName)) return;
  const actions = { j: () => step(1), k: () => step(-1), " ": () => player?.audio.length && player.toggle() };
  DATA.marks.forEach((name, i) => { actions["gah"[i]] = () => state.chosen && mark(state.chosen, name); });
  ROLES.forEach((_, i) => { actions[i + 1] = () => player?.choose(i); });
  if (actions[event.key]) { event.preventDefault(); actions[event.key](); }
});
$("search").addEventListener("input", event => { state.text = event.target.value; refresh(); });
$("view").addEventListener("scroll", drawRows, { passive: true });
window.addEventListener("resize", drawRows);
drawFilters();
refresh();
