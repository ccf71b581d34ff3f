/**
 * Times as people read them.
 */

const MINUTE = 60;
const HOUR = 3600;
const DAY = 86400;

/** A span of `seconds` in its two largest units: `2d 4h`, `5h 40m`, `39m 12s`, `12s`. */
export function span(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const [days, hours, minutes] = [
    Math.floor(whole / DAY),
    Math.floor((whole % DAY) / HOUR),
    Math.floor((whole % HOUR) / MINUTE),
  ];
  if (days > 0) {
    return two(`${days}d`, hours, 'h');
  }
  if (hours > 0) {
    return two(`${hours}h`, minutes, 'm');
  }
  return minutes > 0 ? two(`${minutes}m`, whole % MINUTE, 's') : `${whole % MINUTE}s`;
}

/** The same without seconds: for what is uncertain by minutes anyway. */
export function coarse(seconds: number): string {
  return seconds < MINUTE ? 'under 1m' : span(seconds - (seconds % MINUTE));
}

/** The same in its largest unit only: for how long ago something was. */
export function roughly(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole >= 2 * DAY) {
    return `${Math.floor(whole / DAY)} days`;
  }
  if (whole >= 2 * HOUR) {
    return `${Math.floor(whole / HOUR)} hours`;
  }
  return whole >= 2 * MINUTE ? `${Math.floor(whole / MINUTE)} minutes` : `${whole} seconds`;
}

/** A span for a screen reader: `5 hours 40 minutes`. */
export function spoken(seconds: number): string {
  const names: Record<string, string> = { d: 'day', h: 'hour', m: 'minute', s: 'second' };
  return span(seconds).replace(/(\d+)([dhms])/g, (_, count: string, unit: string) => {
    return `${count} ${names[unit]}${count === '1' ? '' : 's'}`;
  });
}

function two(first: string, count: number, unit: string): string {
  return count > 0 ? `${first} ${count}${unit}` : first;
}
