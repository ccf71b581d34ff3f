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

/** Why it is not the host's stands among what it cannot prove. */
function origin({ source, files, reason }: TrialResult['configuration']): string {
  return source === 'snapshot'
    ? `the configuration of the host, ${files} ${files === 1 ? 'file' : 'files'}${reason && ` (${reason})`}`
    : `the configuration that its packages bring, not that of the host`;
}
