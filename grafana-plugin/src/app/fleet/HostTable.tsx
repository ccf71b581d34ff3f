/**
 * The hosts, those at risk first.
 */
import React, { ChangeEvent, useCallback, useState } from 'react';
import { css } from '@emotion/css';
import { GrafanaTheme2, locationUtil } from '@grafana/data';
import { Icon, Input, Pagination, useStyles2 } from '@grafana/ui';
import { byRisk } from '../../datasource/frames/agents';
import { Agent, AgentState, Prediction } from '../../hub/types';
import { Countdown } from '../../panel/row/Countdown';
import { SeverityTag } from '../../panel/row/SeverityTag';
import { useNow } from '../../panel/ticker';
import { roughly } from '../../text/duration';
import { byUrgency } from '../../text/sort';
import { HOST_DASHBOARD } from '../ids';

interface Props {
  agents: Agent[];
  predictions: Prediction[];
}

const PAGE = 50;
/** Fewer hosts need no field to find one. */
const FIND_FROM = 10;

export function HostTable({ agents, predictions }: Props) {
  const styles = useStyles2(getStyles);
  const [text, setText] = useState('');
  const [wanted, setPage] = useState(1);
  const found = agents.filter(({ host }) => host.toLowerCase().includes(text.trim().toLowerCase())).sort(byRisk);
  const pages = Math.max(1, Math.ceil(found.length / PAGE));
  const page = Math.min(wanted, pages);
  const worst = new Map(
    [...predictions]
      .sort(byUrgency)
      .reverse()
      .map((one) => [one.agent, one])
  );
  return (
    <>
      {agents.length >= FIND_FROM && (
        <Input
          width={30}
          prefix={<Icon name="search" aria-hidden />}
          placeholder="Find a host"
          aria-label="Find a host"
          value={text}
          onChange={(event: ChangeEvent<HTMLInputElement>) => setText(event.currentTarget.value)}
        />
      )}
      <table className={styles.table} aria-label="Hosts">
        <thead>
          <tr>
            {['Host', 'Risk', 'Next failure', 'Of', 'Predictions', 'State', 'Last heard', 'Agent'].map((title) => (
              <th scope="col" key={title}>
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {found.slice((page - 1) * PAGE, page * PAGE).map((agent) => (
            <HostRow key={agent.id} agent={agent} worst={worst.get(agent.id)} />
          ))}
        </tbody>
      </table>
      {pages > 1 && <Pagination currentPage={page} numberOfPages={pages} onNavigate={setPage} />}
    </>
  );
}

function HostRow({ agent, worst }: { agent: Agent; worst: Prediction | undefined }) {
  const styles = useStyles2(getStyles);
  const link = locationUtil.assureBaseUrl(`/d/${HOST_DASHBOARD}?var-host=${encodeURIComponent(agent.host)}`);
  return (
    <tr>
      <th scope="row">
        <a href={link} className={styles.link}>
          {agent.host}
        </a>
      </th>
      <td>{agent.severity !== null && <SeverityTag severity={agent.severity} />}</td>
      <td>{worst !== undefined && <Countdown prediction={worst} />}</td>
      <td className={styles.series}>{worst?.series}</td>
      <td>{agent.predictions_active}</td>
      <td>
        <State state={agent.state} />
      </td>
      <td>
        <Heard at={agent.seen_at} />
      </td>
      <td>{agent.version}</td>
    </tr>
  );
}

const STATES = {
  active: 'check-circle',
  silent: 'exclamation-circle',
  waiting: 'clock-nine',
  revoked: 'times-circle',
} as const;

function State({ state }: { state: AgentState }) {
  const styles = useStyles2(getStyles);
  return (
    <span className={state === 'silent' ? styles.silent : undefined}>
      <Icon name={STATES[state]} size="sm" aria-hidden /> {state}
    </span>
  );
}

function Heard({ at }: { at: number | null }) {
  const derive = useCallback((now: number) => (at === null ? 'never' : `${roughly(now - at)} ago`), [at]);
  return <>{useNow(derive)}</>;
}

const getStyles = (theme: GrafanaTheme2) => ({
  table: css({
    width: '100%',
    margin: theme.spacing(1, 0),
    fontVariantNumeric: 'tabular-nums',
    'th, td': { padding: theme.spacing(0.75, 2, 0.75, 0), textAlign: 'left', fontWeight: 'normal' },
    'thead th': { color: theme.colors.text.secondary, fontSize: theme.typography.bodySmall.fontSize },
    'tbody tr': { borderTop: `1px solid ${theme.colors.border.weak}` },
    'tbody tr:hover': { background: theme.colors.action.hover },
  }),
  link: css({ color: theme.colors.text.link, fontWeight: theme.typography.fontWeightMedium }),
  series: css({
    fontFamily: theme.typography.fontFamilyMonospace,
    fontSize: theme.typography.bodySmall.fontSize,
    overflowWrap: 'anywhere',
  }),
  silent: css({ color: theme.colors.error.text }),
});
