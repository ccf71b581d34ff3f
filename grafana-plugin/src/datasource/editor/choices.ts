/**
 * What the query editor offers, with words for a person.
 */
import { SelectableValue } from '@grafana/data';
import { AlertFormat, QueryType, Statistic } from '../types';

export const QUERY_CHOICES: Array<SelectableValue<QueryType>> = [
  { value: 'predictions', label: 'Predictions', description: 'What will fail, when, and why' },
  { value: 'metrics', label: 'Series', description: 'Measurements over time, with bound and forecast' },
  { value: 'votes', label: 'Votes over time', description: 'What the three voters said, for a state timeline' },
  { value: 'processes', label: 'Processes', description: 'What grew most when something was predicted' },
  { value: 'record', label: 'Track record', description: 'How predictions ended, and how early they were told' },
  { value: 'alerts', label: 'Alerts', description: 'Who was told what, and what was quieted and why' },
  { value: 'runs', label: 'Sandbox runs', description: 'Fixes that were tried on copies' },
  { value: 'agents', label: 'Hosts', description: 'The fleet, the hosts at risk first' },
  { value: 'annotations', label: 'Annotations', description: 'Predictions as regions on a graph' },
];

const choice = (value: string, label: string): SelectableValue<string> => ({ value, label });

/** The states that each kind of query can be narrowed to. */
export const STATE_CHOICES: Partial<Record<QueryType, Array<SelectableValue<string>>>> = {
  predictions: [choice('active', 'Active'), choice('past', 'Past'), choice('all', 'All')],
  processes: [choice('active', 'Active'), choice('past', 'Past'), choice('all', 'All')],
  annotations: [choice('active', 'Active'), choice('past', 'Past'), choice('all', 'All')],
  alerts: [choice('', 'All'), choice('notified', 'Told'), choice('quieted', 'Quieted'), choice('pending', 'Pending')],
  runs: [
    choice('', 'All'),
    ...['open', 'decided', 'queued', 'claimed', 'running', 'done', 'failed', 'cancelled'].map((state) =>
      choice(state, state)
    ),
  ],
};

export const STATISTIC_CHOICES: Array<SelectableValue<Statistic>> = [
  { value: 'mean', label: 'Mean' },
  { value: 'min', label: 'Least' },
  { value: 'max', label: 'Greatest' },
  { value: 'last', label: 'Last' },
  { value: 'all', label: 'Mean in a band', description: 'The mean, and from least to greatest as a band' },
];

export const FORMAT_CHOICES: Array<SelectableValue<AlertFormat>> = [
  { value: 'table', label: 'Table' },
  { value: 'count', label: 'Count over time' },
];

/** Kinds of query that can be narrowed to series. */
export const WITH_SERIES: QueryType[] = ['metrics', 'predictions', 'votes', 'processes', 'record', 'annotations'];
