/**
 * Apply or dismiss, with a name and a reason: recorded with the trial.
 */
import React, { ChangeEvent, useState } from 'react';
import { css } from '@emotion/css';
import { dateTimeFormat, GrafanaTheme2 } from '@grafana/data';
import { Alert, Button, Field, TextArea, useStyles2 } from '@grafana/ui';
import { HubClient } from '../../hub/client';
import { problemOf } from '../../hub/problem';
import { Decided, Decision, Run, sandbox } from '../../hub/sandbox';

/** As the hub limits it: bytes in UTF-8, and no line breaks. */
const REASON_BYTES_MAX = 1000;

interface Props {
  hub: HubClient;
  run: Run;
  user: string;
  onRun: (run: Run) => void;
}

export function DecisionForm({ hub, run, user, onRun }: Props) {
  const styles = useStyles2(getStyles);
  const [reason, setReason] = useState('');
  const [isAsking, setAsking] = useState(false);
  const [problem, setProblem] = useState<string>();
  const obstacle = obstacleTo(run);
  const said = reason.trim().replaceAll(/\s+/g, ' ');
  const isTooLong = new Blob([said]).size > REASON_BYTES_MAX;
  const isReady = said !== '' && !isTooLong && !isAsking;

  const decide = async (decision: Decision['decision']) => {
    setAsking(true);
    setProblem(undefined);
    try {
      onRun(await sandbox.decide(hub, run.id, { decision, name: user, reason: said }));
    } catch (error) {
      setProblem(problemOf(error).message);
    }
    setAsking(false);
  };

  return (
    <section aria-label="Decision">
      {problem !== undefined && (
        <Alert severity="error" title="Nothing was decided">
          {problem}
        </Alert>
      )}
      <Field
        label="Your decision"
        description={`Recorded as ${user}'s, with the reason.`}
        htmlFor="arki-reason"
        invalid={isTooLong}
        error={`The hub takes ${REASON_BYTES_MAX} bytes at most.`}
      >
        <TextArea
          id="arki-reason"
          rows={2}
          placeholder="Why"
          value={reason}
          onChange={(event: ChangeEvent<HTMLTextAreaElement>) => setReason(event.currentTarget.value)}
        />
      </Field>
      <div className={styles.buttons}>
        <Button
          icon="check"
          disabled={!isReady || obstacle !== undefined}
          tooltip={obstacle}
          onClick={() => void decide('apply')}
        >
          Apply it
        </Button>
        <Button variant="secondary" disabled={!isReady} onClick={() => void decide('dismiss')}>
          Dismiss it
        </Button>
      </div>
    </section>
  );
}

/** Why it cannot be applied, if it cannot. */
function obstacleTo({ result, agent, drift }: Run): string | undefined {
  if (result?.outcome !== 'succeeded' || !result.applicable || agent === null) {
    return 'Only what worked on a copy, and what the profile allows, can be applied';
  }
  if (result.configuration.source !== 'snapshot') {
    return "It was not tried with this host's configuration: let its agent take snapshots of the service";
  }
  return drift?.changed === true ? "The host's configuration has changed since: try it again" : undefined;
}

/** What was decided. */
export function DecisionNote({ decision }: { decision: Decided }) {
  const word = decision.decision === 'apply' ? 'To be applied' : 'Dismissed';
  return (
    <Alert severity="info" title={`${word} by ${decision.name}, ${dateTimeFormat(decision.at * 1000)}`}>
      {decision.reason}
    </Alert>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  buttons: css({ display: 'flex', gap: theme.spacing(1) }),
});
