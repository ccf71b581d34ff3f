/**
 * What became of a decision to apply, on the host itself.
 */
import React from 'react';
import { Alert, AlertVariant } from '@grafana/ui';
import { Application } from '../../hub/sandbox';

const NOTES: Record<Application['state'], { severity: AlertVariant; title: string }> = {
  waiting: { severity: 'info', title: 'The agent is asked' },
  expired: { severity: 'warning', title: 'Nothing was done: the agent did not come before the permission ended' },
  done: { severity: 'success', title: 'Applied on the host' },
  refused: { severity: 'error', title: 'The agent refused it' },
  failed: { severity: 'error', title: 'Applied on the host, and it failed' },
};

const PREDICTIONS: Record<NonNullable<Application['prediction']>, string> = {
  active: 'The prediction still stands.',
  happened: 'The prediction came true all the same.',
  averted: 'The failure is averted.',
  expired: 'The prediction is over.',
};

export function ApplicationNote({ application, host }: { application: Application; host: string }) {
  const { state, detail, report, prediction } = application;
  const { severity, title } = NOTES[state];
  const written = [report?.stdout, report?.stderr].filter((text) => text !== undefined && text !== '').join('\n');
  return (
    <Alert severity={severity} title={title}>
      <div>{state === 'waiting' ? `It comes within seconds, or with its next batch: ${host}` : detail}</div>
      {written !== '' && <pre>{written}</pre>}
      {state !== 'waiting' && prediction !== null && <div>{PREDICTIONS[prediction]}</div>}
    </Alert>
  );
}
