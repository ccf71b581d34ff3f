/**
 * What shall be tried: one action of one service, said with its exact command, what success proves and what it cannot.
 */
import React, { useEffect, useState } from 'react';
import { css } from '@emotion/css';
import { GrafanaTheme2 } from '@grafana/data';
import { Alert, Button, LoadingPlaceholder, useStyles2 } from '@grafana/ui';
import { HubClient } from '../../hub/client';
import { problemOf } from '../../hub/problem';
import { Run, sandbox, Service } from '../../hub/sandbox';
import { Prediction } from '../../hub/types';
import { Candidate, candidates, keyOf } from './candidates';
import { Command, Points } from './parts';

interface Props {
  hub: HubClient;
  prediction: Prediction;
  onRun: (run: Run) => void;
}

export function Choice({ hub, prediction, onRun }: Props) {
  const styles = useStyles2(getStyles);
  const [services, setServices] = useState<Service[]>();
  const [problem, setProblem] = useState<string>();
  const [chosen, setChosen] = useState<string>();
  const [isAsking, setAsking] = useState(false);
  useEffect(() => {
    let isCurrent = true;
    sandbox.services(hub).then(
      (found) => isCurrent && setServices(found),
      (error: unknown) => isCurrent && setProblem(problemOf(error).message)
    );
    return () => {
      isCurrent = false;
    };
  }, [hub]);

  const offered = candidates(services ?? [], prediction);
  const suggested = offered.find((one) => one.isSuggested);
  const current = offered.find((one) => keyOf(one) === chosen) ?? suggested;
  const start = async ({ service, action }: Candidate) => {
    setAsking(true);
    setProblem(undefined);
    try {
      const { agent, id } = prediction;
      onRun(await sandbox.start(hub, { service: service.name, action: action.name, agent, prediction: id }));
    } catch (error) {
      setProblem(problemOf(error).message);
      setAsking(false);
    }
  };

  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (current !== undefined) {
          void start(current);
        }
      }}
    >
      {problem !== undefined && (
        <Alert severity="error" title="Nothing was started">
          {problem}
        </Alert>
      )}
      {services === undefined && problem === undefined && <LoadingPlaceholder text="Asking what can be tried" />}
      {services !== undefined && offered.length === 0 && (
        <Alert severity="info" title="The hub has no service profiles">
          Put them where `[sandbox] profiles` of its configuration says.
        </Alert>
      )}
      {offered.length > 0 && (
        <>
          {suggested === undefined && <p>No profile names a fix for this series. These can be tried all the same.</p>}
          <fieldset className={styles.offers}>
            <legend>What shall be tried on a copy?</legend>
            {offered.map((one) => (
              <label key={keyOf(one)} className={styles.offer}>
                <input
                  type="radio"
                  name="arki-action"
                  checked={one === current}
                  onChange={() => setChosen(keyOf(one))}
                />
                <span>
                  <strong>{one.service.title}</strong>: {one.action.title}
                  {one.isSuggested && <em> suggested for this series</em>}
                </span>
              </label>
            ))}
          </fieldset>
        </>
      )}
      {current !== undefined && (
        <>
          <Command argv={current.action.argv} />
          <Points what="Success proves" points={current.action.proves} />
          <Points what="It cannot prove" points={current.action.does_not_prove} />
          <p className={styles.safe}>
            It runs in a throw-away container without a network. Nothing on {prediction.host} is touched.
          </p>
          <Button type="submit" icon={isAsking ? 'spinner' : 'play'} disabled={isAsking}>
            Try it on a copy
          </Button>
        </>
      )}
    </form>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  offers: css({
    border: 0,
    padding: 0,
    margin: theme.spacing(0, 0, 2),
    legend: { fontSize: theme.typography.h5.fontSize, marginBottom: theme.spacing(1) },
  }),
  offer: css({
    display: 'flex',
    gap: theme.spacing(1),
    alignItems: 'baseline',
    padding: theme.spacing(0.5, 1),
    borderRadius: theme.shape.radius.default,
    cursor: 'pointer',
    fontWeight: 'normal',
    '&:hover': { background: theme.colors.action.hover },
    '&:has(:checked)': { background: theme.colors.action.selected },
    em: { color: theme.colors.success.text, fontStyle: 'normal', fontSize: theme.typography.bodySmall.fontSize },
  }),
  safe: css({ color: theme.colors.text.secondary }),
});
