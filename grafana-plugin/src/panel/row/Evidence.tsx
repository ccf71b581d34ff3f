/**
 * Why: the three votes with their figures, what else moved, which processes grew, and the forecast with the past.
 */
import React from 'react';
import { css } from '@emotion/css';
import { dateTimeFormat, GrafanaTheme2 } from '@grafana/data';
import { useStyles2 } from '@grafana/ui';
import { HubClient } from '../../hub/client';
import { Prediction, ProcessGrowth, Vote } from '../../hub/types';
import { span } from '../../text/duration';
import { figureText } from '../../text/evidence';
import { figure } from '../../text/figure';
import { ConeChart } from './ConeChart';
import { usePast } from './usePast';
import { VERDICTS } from './Votes';

interface Props {
  prediction: Prediction;
  hub: HubClient | undefined;
  timeZone: string;
}

export function Evidence({ prediction, hub, timeZone }: Props) {
  const styles = useStyles2(getStyles);
  const past = usePast(hub, prediction);
  const { votes, also, processes, context, first_at, raised_at, fails_at, events } = prediction;
  const at = (seconds: number) => dateTimeFormat(seconds * 1000, { timeZone, format: 'YYYY-MM-DD HH:mm' });
  return (
    <div className={styles.evidence}>
      <div className={styles.words}>
        <dl className={styles.votes}>
          {votes?.map((vote) => (
            <VoteDetail key={vote.voter} vote={vote} />
          ))}
        </dl>
        <Names what="Moves with it" names={also} />
        <Names what="Context" names={context} />
        {processes !== null && processes.length > 0 && <Processes processes={processes} />}
      </div>
      <figure className={styles.figure}>
        <ConeChart prediction={prediction} width={300} height={110} past={past} />
        <figcaption>
          {fails_at !== null && <div>Expected {at(fails_at)}</div>}
          <div>
            First told {at(first_at)}
            {events > 1 && <div>Told again {at(raised_at)}</div>}
          </div>
        </figcaption>
      </figure>
    </div>
  );
}

function VoteDetail({ vote }: { vote: Vote }) {
  const { sign, word } = VERDICTS[vote.verdict];
  const figures = vote.figures.map(figureText);
  return (
    <>
      <dt>
        <span aria-hidden>{sign} </span>
        {vote.voter} {word}
      </dt>
      <dd>
        {vote.reason}
        {figures.length > 0 && <small>{figures.join(' · ')}</small>}
        {vote.related.length > 0 && <small>with {vote.related.join(', ')}</small>}
      </dd>
    </>
  );
}

function Names({ what, names }: { what: string; names: string[] | null }) {
  return names === null || names.length === 0 ? null : (
    <p>
      {what}: {names.join(', ')}
    </p>
  );
}

function Processes({ processes }: { processes: ProcessGrowth[] }) {
  return (
    <p>
      Grew most:{' '}
      {processes.map(({ name, pid, resource, growth, span_s }, i) => (
        <React.Fragment key={pid}>
          {i > 0 && ', '}
          <strong>{name}</strong> ({pid}) +{figure(`x.${resource}`, growth)} {plain(resource)} in {span(span_s)}
        </React.Fragment>
      ))}
    </p>
  );
}

/** `resident_bytes` is said with its unit already. */
function plain(resource: string): string {
  return resource.replace(/_(bytes|seconds)$/, '').replaceAll('_', ' ');
}

const getStyles = (theme: GrafanaTheme2) => {
  const small = { fontSize: theme.typography.bodySmall.fontSize, color: theme.colors.text.secondary };
  return {
    evidence: css({
      display: 'flex',
      flexWrap: 'wrap',
      gap: theme.spacing(2),
      padding: theme.spacing(1, 1, 1.5, 4.5),
      p: { margin: theme.spacing(0.5, 0, 0) },
    }),
    words: css({ flex: '1 1 360px', minWidth: 0, overflowWrap: 'anywhere' }),
    votes: css({
      display: 'grid',
      gridTemplateColumns: 'max-content 1fr',
      gap: theme.spacing(0.5, 1.5),
      margin: 0,
      dt: { fontWeight: theme.typography.fontWeightMedium },
      dd: { margin: 0 },
      small: { ...small, display: 'block' },
    }),
    figure: css({ margin: 0, flex: '0 0 300px', figcaption: small }),
  };
};
