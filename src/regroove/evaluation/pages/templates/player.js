"use strict";
const FADE = 0.008;
let context = null;
let current = null;

function bytes(text) {
  return Uint8Array.from(atob(text), c => c.charCodeAt(0)).buffer;
}

class Player {
  constructor(element) {
    this.element = element;
    this.buttons = [...element.querySelectorAll("[data-audio]")];
    this.play = element.querySelector(".play");
    this.seek = element.querySelector(".seek");
    this.time = element.querySelector(".time");
    this.chosen = 0;
    this.offset = 0;
    this.sources = [];
    this.play.addEventListener("click", () => this.sources.length ? this.stop() : this.start());
    this.seek.addEventListener("input", () => this.jump(this.seek.value * (this.length || 0)));
    this.buttons.forEach((button, i) => button.addEventListener("click", () => this.choose(i, true)));
    this.choose(0, false);
  }
  async load() {
    context = context || new AudioContext();
    if (this.buffers) return;
    this.play.disabled = true;
    this.buffers = await Promise.all(this.buttons.map(b => context.decodeAudioData(bytes(b.dataset.audio))));
    this.length = Math.min(...this.buffers.map(b => b.duration));
    this.play.disabled = false;
  }
  position() {
    if (!this.sources.length) return this.offset;
    return (this.offset + context.currentTime - this.began) % this.length;
  }
  async start() {
    await this.load();
    await context.resume();
    if (current && current !== this) current.stop();
    current = this;
    this.began = context.currentTime + 0.05;
    this.gains = this.buffers.map((buffer, i) => {
      const gain = context.createGain();
      gain.gain.value = i === this.chosen ? 1 : 0;
      const source = context.createBufferSource();
      source.buffer = buffer;
      source.loop = true;
      source.loopEnd = this.length;
      source.connect(gain).connect(context.destination);
      source.start(this.began, this.offset);
      this.sources.push(source);
      return gain;
    });
    this.play.textContent = "Pause";
    this.tick();
  }
  stop() {
    this.offset = Math.max(0, this.position());
    this.sources.forEach(source => source.stop());
    this.sources = [];
    this.play.textContent = "Play";
  }
  jump(seconds) {
    const running = this.sources.length > 0;
    if (running) this.stop();
    this.offset = Math.min(seconds, Math.max(0, (this.length || 0) - 0.01));
    if (running) this.start();
  }
  choose(index, byHand) {
    this.chosen = index;
    this.buttons.forEach((button, i) => button.setAttribute("aria-pressed", String(i === index)));
    if (this.sources.length) {
      const now = context.currentTime;
      this.gains.forEach((gain, i) => gain.gain.setTargetAtTime(i === index ? 1 : 0, now, FADE / 3));
    } else if (byHand) {
      this.start();
    }
  }
  tick() {
    if (!this.sources.length) return;
    const position = Math.max(0, this.position());
    this.seek.value = position / this.length;
    this.time.textContent = position.toFixed(1) + " s";
    requestAnimationFrame(() => this.tick());
  }
}

const players = [...document.querySelectorAll(".player")].map(element => new Player(element));
document.addEventListener("keydown", event => {
  const digit = Number(event.key);
  if (current && digit >= 1 && digit <= current.buttons.length && event.target.type !== "range") {
    current.choose(digit - 1, true);
  }
});
