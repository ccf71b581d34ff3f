/**
 * What a trial found.
 */
import React from 'react';
import { Alert } from '@grafana/ui';
import { Run, TrialResult } from '../../hub/sandbox';
import { Measures } from './Measures';
import { Command, Points } from './parts';
import { Steps } from './Steps';

export function Outcome({ run }: { run: Run }) {
  const { result, error } = run;
  if (result === undefined) {
    return error === null ? null : (
      <Alert severity="error" title="The trial could not be done">
        {error}
      </Alert>
    );
  }
  const isGood = result.outcome === 'succeeded';
  return (
    <>
      <Alert
        severity={isGood ? 'success' : 'warning'}
        title={`${isGood ? 'It worked' : 'It did not help'}: ${result.fidelity}`}
      >
        {result.summary}
      </Alert>
      <Command argv={result.argv} />
      <Measures result={result} />
      <Points what="This proves" points={result.proves} />
      <Points what="It cannot prove" points={result.does_not_prove} />
      <Points what="How it is undone" points={result.undo === '' ? [] : [result.undo]} />
      <Points what="The copy had" points={[origin(result.configuration)]} />
      <Steps steps={result.tried.steps} />
    </>
  );
}

function origin({ source, files, reason }: TrialResult['configuration']): string {
  const why = reason === '' ? '' : ` (${reason})`;
  return source === 'snapshot'
    ? `the configuration of the host, ${files} files${why}`
    : `the configuration that its packages bring, not that of the host${why}`;
}
