/**
 * From a prediction to a tried fix: choose, watch, read the result, decide. It stays open when the prediction ends meanwhile.
 */
import React, { useState } from 'react';
import { Alert, Button, Drawer } from '@grafana/ui';
import { HubClient } from '../../hub/client';
import { problemOf } from '../../hub/problem';
import { isOpen, Run, sandbox } from '../../hub/sandbox';
import { Prediction } from '../../hub/types';
import { ApplicationNote } from './ApplicationNote';
import { Choice } from './Choice';
import { DecisionForm, DecisionNote } from './DecisionForm';
import { Others } from './Others';
import { Outcome } from './Outcome';
import { Progress } from './Progress';
import { useRun } from './useRun';

interface Props {
  hub: HubClient;
  prediction: Prediction;
  /** The runs of this prediction, the one to show first. */
  runs: Run[] | undefined;
  user: string;
  canTry: boolean;
  onRun: (run: Run) => void;
  onClose: () => void;
}

export function TrialDrawer({ hub, prediction, runs = [], user, canTry, onRun, onClose }: Props) {
  // the one that it opened with, whichever ranks first later
  const [chosen, setChosen] = useState(runs[0]?.id);
  const { run, problem } = useRun(hub, runs.find(({ id }) => id === chosen) ?? runs[0], onRun);
  const [isChoosing, setChoosing] = useState(false);
  const [refusal, setRefusal] = useState<string>();
  const start = (run: Run) => {
    setChoosing(false);
    setChosen(run.id);
    onRun(run);
  };
  const cancel = async (run: Run) => {
    try {
      onRun(await sandbox.cancel(hub, run.id));
    } catch (error) {
      setRefusal(problemOf(error).message);
    }
  };
  const asked = run !== undefined && !isChoosing && `${run.service}: ${run.action}, asked for by ${run.requested_by}`;
  return (
    <Drawer
      title={`Sandbox: ${prediction.host}`}
      subtitle={
        <>
          <div>{prediction.series}</div>
          {asked}
        </>
      }
      size="md"
      onClose={onClose}
    >
      {problem !== undefined && (
        <Alert severity="warning" title="The trial cannot be watched now">
          {problem}
        </Alert>
      )}
      {refusal !== undefined && (
        <Alert severity="error" title="It was not cancelled">
          {refusal}
        </Alert>
      )}
      {run === undefined || isChoosing ? (
        <Choice hub={hub} prediction={prediction} onRun={start} />
      ) : (
        <>
          {runs.length > 1 && <Others runs={runs} shown={run.id} onShow={setChosen} />}
          <Progress run={run} />
          {isOpen(run) && (
            <p>First the host is asked for its configuration, for 45 s at most; the trial itself takes seconds.</p>
          )}
          <Outcome run={run} />
          {run.decision !== null && <DecisionNote decision={run.decision} />}
          {run.application !== undefined && <ApplicationNote application={run.application} host={prediction.host} />}
          {canTry && run.state === 'done' && run.decision === null && (
            <DecisionForm hub={hub} run={run} user={user} onRun={onRun} />
          )}
          {canTry && isOpen(run) && (
            <Button variant="secondary" icon="times" onClick={() => void cancel(run)}>
              Cancel it
            </Button>
          )}
          {canTry && !isOpen(run) && (
            <Button variant="secondary" fill="text" icon="play" onClick={() => setChoosing(true)}>
              Try something else
            </Button>
          )}
        </>
      )}
    </Drawer>
  );
}
