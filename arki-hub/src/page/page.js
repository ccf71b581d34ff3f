// Counts the time left down, second by second. The server's clock may differ from this one: what counts is the
// time since the page was made, not what the clock here says.
"use strict";
const made = performance.now();
function span(s) {
  if (s <= 0) return "any moment";
  const d = Math.floor(s / 86400), h = Math.floor(s / 3600) % 24, m = Math.floor(s / 60) % 60, two = (n) => String(n).padStart(2, "0");
  if (d > 0) return `${d} d ${h} h ${two(m)} min`;
  return h > 0 ? `${h} h ${two(m)} min ${two(s % 60)} s` : `${m} min ${two(s % 60)} s`;
}
function tick() {
  const passed = (performance.now() - made) / 1000;
  for (const time of document.querySelectorAll("time[data-left]")) {
    time.textContent = span(Math.max(0, Math.floor(Number(time.dataset.left) - passed)));
  }
}
tick();
setInterval(tick, 1000);
