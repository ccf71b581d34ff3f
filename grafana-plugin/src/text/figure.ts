/**
 * Figures with the unit that a series' name ends with, as `cpu.busy_percent` and `net.rx_bytes_per_second{eth0}` do.
 */

interface Unit {
  /** As Grafana's field configuration names it. */
  id: string;
  suffix: string;
}

const UNITS: Array<[RegExp, Unit]> = [
  [/_percent$/, { id: 'percent', suffix: ' %' }],
  [/_bytes_per_second$/, { id: 'Bps', suffix: 'B/s' }],
  [/_bytes$/, { id: 'bytes', suffix: 'B' }],
  [/_per_second$/, { id: 'cps', suffix: '/s' }],
  [/_per_minute$/, { id: 'cpm', suffix: '/min' }],
  [/_seconds$/, { id: 's', suffix: ' s' }],
  [/_celsius$/, { id: 'celsius', suffix: ' °C' }],
];

/** `disk.used_percent{/var}` is `disk.used_percent` of `/var`. */
export function metricOf(series: string): string {
  const brace = series.indexOf('{');
  return brace < 0 ? series : series.slice(0, brace);
}

export function instanceOf(series: string): string {
  const match = /\{(.*)\}$/.exec(series);
  return match?.[1] ?? '';
}

/** Grafana's name of the unit, or nothing where the name tells none. */
export function unitOf(series: string): string | undefined {
  return find(series)?.id;
}

/** `value` of `series` for a person: `87.2 %`, `1.2 MB/s`, `312`. */
export function figure(series: string, value: number): string {
  const unit = find(series);
  if (unit?.id === 'percent') {
    return `${short(value)} %`;
  }
  const [scaled, prefix] = scale(value);
  return unit === undefined ? `${short(scaled)}${prefix && ` ${prefix}`}` : joined(short(scaled), prefix, unit.suffix);
}

function find(series: string): Unit | undefined {
  const metric = metricOf(series);
  return UNITS.find(([end]) => end.test(metric))?.[1];
}

function joined(number: string, prefix: string, suffix: string): string {
  return suffix.startsWith(' ') && prefix === '' ? `${number}${suffix}` : `${number} ${prefix}${suffix.trim()}`;
}

function scale(value: number): [number, string] {
  const size = Math.abs(value);
  const steps: Array<[number, string]> = [
    [1e12, 'T'],
    [1e9, 'G'],
    [1e6, 'M'],
    [1e4, 'k'],
  ];
  for (const [least, prefix] of steps) {
    if (size >= least) {
      return [value / (prefix === 'k' ? 1e3 : least), prefix];
    }
  }
  return [value, ''];
}

function short(value: number): string {
  const digits = Number.isInteger(value) || Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value
    .toFixed(digits)
    .replace(/(\.\d*?)0+$/, '$1')
    .replace(/\.$/, '');
}
