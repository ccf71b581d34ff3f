/**
 * Recorded hosts for the agents to play: wide CSV, as `arki-agent run --trace` reads it. A seeded noise, so that every run
 * plays the same.
 */

const STEP_S = 30;
const HOUR_S = 3600;

/** Small, repeatable noise: a linear congruential generator (Numerical Recipes' constants). */
function noise(seed) {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32 - 0.5;
  };
}

function trace(seed, hours, columns) {
  const random = noise(seed);
  const names = Object.keys(columns);
  const lines = [`timestamp,${names.join(',')}`];
  for (let at = 0; at <= hours * HOUR_S; at += STEP_S) {
    const values = names.map((name) => columns[name](at / HOUR_S, random).toFixed(3));
    lines.push(`${1_700_000_000 + at},${values.join(',')}`);
  }
  return `${lines.join('\n')}\n`;
}

const cpu = (h, random) => 25 + 10 * Math.sin(h / 4) + 6 * random();
const net = (h, random) => 300_000 + 80_000 * Math.sin(h / 5) + 60_000 * random();

/** A value that stands until `from` hours, then climbs by `rate` an hour. */
const climb = (base, from, rate) => (h, random) => base + Math.max(0, h - from) * rate + 0.1 * random();

/** How long each trace is. */
export const HOURS = 4;

export const HOSTS = {
  // two hours are left when the trace ends
  'db-1': trace(1, HOURS, {
    'cpu.busy_percent': cpu,
    'net.rx_bytes_per_second{eth0}': net,
    'memory.used_percent': (h, random) => 48 + 2 * Math.sin(h) + random(),
    'disk.used_percent{/var/lib/postgresql}': climb(20, 1, 16),
  }),
  // less than two, and its inodes besides
  'mail-2': trace(2, HOURS, {
    'cpu.busy_percent': cpu,
    'net.rx_bytes_per_second{eth0}': net,
    'disk.used_percent{/var/spool}': climb(40, 1, 13),
    'disk.inodes_used_percent{/var/spool}': climb(10, 1.5, 24),
  }),
  // nothing happens: its agent has nothing urgent to ship, so the hub still waits for its first summaries
  'web-3': trace(3, HOURS, {
    'cpu.busy_percent': cpu,
    'net.rx_bytes_per_second{eth0}': net,
    'memory.used_percent': (h, random) => 35 + 3 * Math.sin(h / 2) + random(),
    'disk.used_percent{/}': climb(61, 99, 0),
  }),
};

/** What is predicted of them. */
export const EXPECTED = [
  'db-1 disk.used_percent{/var/lib/postgresql}',
  'mail-2 disk.inodes_used_percent{/var/spool}',
  'mail-2 disk.used_percent{/var/spool}',
];
