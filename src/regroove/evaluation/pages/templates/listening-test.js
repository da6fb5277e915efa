"use strict";
const trials = JSON.parse(document.getElementById("data").textContent);
const box = document.getElementById("trial");
const next = document.getElementById("next");
const where = document.getElementById("where");
const listener = document.getElementById("listener");
const results = [];
const order = shuffled(trials.map((_, i) => i));
let context = null, step = -1, shown = null, began = 0;

function shuffled(list) {
  const draw = new Uint32Array(1);
  for (let i = list.length - 1; i > 0; i--) {
    crypto.getRandomValues(draw);
    const j = draw[0] % (i + 1);
    [list[i], list[j]] = [list[j], list[i]];
  }
  return list;
}
function bytes(text) {
  return Uint8Array.from(atob(text), c => c.charCodeAt(0)).buffer;
}
function text(encoded) {
  return new TextDecoder().decode(bytes(encoded));
}
function stop() {
  if (shown) shown.sources.forEach(source => source.stop());
  if (shown) shown.sources = [];
}
function hear(index) {
  shown.buttons.forEach((button, i) => button.setAttribute("aria-pressed", String(i === index)));
  if (!shown.sources.length) {
    const start = context.currentTime + 0.05;
    shown.gains = shown.buffers.map(buffer => {
      const gain = context.createGain(), source = context.createBufferSource();
      gain.gain.value = 0;
      source.buffer = buffer;
      source.loop = true;
      source.connect(gain).connect(context.destination);
      source.start(start);
      shown.sources.push(source);
      return gain;
    });
  }
  shown.gains.forEach((gain, i) => gain.gain.setTargetAtTime(i === index ? 1 : 0, context.currentTime, 0.003));
}
async function show() {
  const trial = trials[order[step]];
  box.textContent = "Loading ...";
  next.disabled = true;
  const places = shuffled(trial.conditions.map((_, i) => i));
  const parts = [trial.conditions[0], ...places.map(i => trial.conditions[i])];
  const buffers = await Promise.all(parts.map(part => context.decodeAudioData(bytes(part.audio))));
  shown = { trial, places, buffers, sources: [], buttons: [], sliders: [], touched: new Set() };
  box.textContent = "";
  box.className = "trial";
  parts.forEach((_, i) => box.appendChild(row(i)));
  const scale = document.createElement("div");
  scale.className = "scale";
  for (const word of ["bad", "poor", "fair", "good", "excellent"]) {
    scale.appendChild(Object.assign(document.createElement("span"), { textContent: word }));
  }
  box.appendChild(scale);
  where.textContent = "Trial " + (step + 1) + " of " + trials.length + ". Move every slider before you go on.";
  next.textContent = step + 1 < trials.length ? "Next" : "Save results";
  began = performance.now();
}
function row(i) {
  const line = document.createElement("div");
  line.className = "rating";
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = i ? String(i) : "Ref";
  button.addEventListener("click", () => hear(i));
  shown.buttons.push(button);
  line.appendChild(button);
  if (!i) return line;
  const slider = document.createElement("input");
  Object.assign(slider, { type: "range", min: 0, max: 100, step: 1, value: 50 });
  slider.setAttribute("aria-label", "version " + i);
  const value = document.createElement("output");
  slider.addEventListener("input", () => {
    value.textContent = slider.value;
    shown.touched.add(i);
    next.disabled = shown.touched.size < shown.places.length;
  });
  shown.sliders.push(slider);
  line.append(slider, value);
  return line;
}
function keep() {
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  shown.places.forEach((condition, place) => results.push([
    listener.value, text(shown.trial.name), step + 1, place + 1,
    text(shown.trial.conditions[condition].key), shown.sliders[place].value, seconds,
  ]));
}
function save() {
  const head = ["listener", "clip", "trial", "place", "condition", "score", "seconds"];
  const quoted = cell => '"' + String(cell).replaceAll('"', '""') + '"';
  const csv = [head, ...results].map(line => line.map(quoted).join(",")).join("\r\n") + "\r\n";
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([csv], { type: "text/csv" }));
  link.download = "mushra-" + (listener.value.replace(/[^a-z0-9-]+/gi, "-") || "listener") + ".csv";
  link.click();
}
next.addEventListener("click", async () => {
  if (step < 0 && !listener.value.trim()) {
    where.textContent = "Please enter a name or number first.";
    return;
  }
  context = context || new AudioContext();
  await context.resume();
  stop();
  if (step >= 0 && step < trials.length) keep();
  step += 1;
  if (step < trials.length) {
    await show();
    return;
  }
  save();
  box.textContent = "";
  where.textContent = "Thank you. Your results were saved as a file; the button saves them again.";
  next.textContent = "Save again";
  step = trials.length;
});
