/**
 * Figures of a vote as words: the unit is at the end of the name.
 */
import { Figure } from '../hub/types';
import { span } from './duration';
import { figure } from './figure';

/** `left_p50_s = 7418` is `left p50 2h 3m`. */
export function figureText({ name, value }: Figure): string {
  if (name.endsWith('_s')) {
    return `${words(name.slice(0, -2))} ${span(value)}`;
  }
  if (name.endsWith('_share')) {
    return `${words(name.slice(0, -6))} ${Math.round(value * 100)} %`;
  }
  return `${words(name)} ${figure('', value)}`;
}

function words(name: string): string {
  return name.replaceAll('_', ' ');
}
