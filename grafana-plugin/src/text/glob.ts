/** Whether `text` is one of `patterns`, in which `*` stands for any text; no pattern means everything. */
export function matches(patterns: string[], text: string): boolean {
  return patterns.length === 0 || patterns.some((pattern) => glob(pattern).test(text));
}

function glob(pattern: string): RegExp {
  const literal = pattern.split('*').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${literal.join('.*')}$`);
}
