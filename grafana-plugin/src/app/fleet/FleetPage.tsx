/**
 * The app's page: how the fleet stands, the hosts at risk first.
 */
import React, { useMemo, useState } from 'react';
import { css } from '@emotion/css';
import { DataSourceInstanceSettings, GrafanaTheme2 } from '@grafana/data';
import { getDataSourceSrv, PluginPage } from '@grafana/runtime';
import { Alert, LinkButton, LoadingPlaceholder, Select, useStyles2 } from '@grafana/ui';
import { HubClient } from '../../hub/client';
import { DATA_SOURCE, FLEET_DASHBOARD, SETUP_PATH } from '../ids';
import { Figures } from './Figures';
import { HostTable } from './HostTable';
import { useFleet } from './useFleet';

export function FleetPage() {
  const sources = useMemo(() => getDataSourceSrv().getList({ type: DATA_SOURCE }), []);
  const [chosen, setChosen] = useState<string>();
  const source = sources.find(({ uid }) => uid === chosen) ?? sources.find(({ isDefault }) => isDefault) ?? sources[0];
  return <PluginPage>{source === undefined ? <NoSource /> : <Fleet {...{ sources, source, setChosen }} />}</PluginPage>;
}

interface FleetProps {
  sources: DataSourceInstanceSettings[];
  source: DataSourceInstanceSettings;
  setChosen: (uid: string) => void;
}

function Fleet({ sources, source, setChosen }: FleetProps) {
  const styles = useStyles2(getStyles);
  const hub = useMemo(() => new HubClient(source.url ?? ''), [source]);
  const { agents, predictions, problem } = useFleet(hub);
  const known = agents?.filter((agent) => agent.state !== 'revoked');
  return (
    <>
      <div className={styles.bar}>
        {sources.length > 1 && (
          <Select
            aria-label="Hub"
            width={30}
            options={sources.map(({ uid, name }) => ({ value: uid, label: name }))}
            value={source.uid}
            onChange={({ value }) => value !== undefined && setChosen(value)}
          />
        )}
        <LinkButton href={`/d/${FLEET_DASHBOARD}`} icon="apps" variant="secondary">
          Fleet dashboard
        </LinkButton>
      </div>
      {problem !== undefined && (
        <Alert severity="error" title={known === undefined ? 'The fleet cannot be shown' : 'What is shown is old'}>
          {problem}
        </Alert>
      )}
      {known === undefined && problem === undefined && <LoadingPlaceholder text="Asking the hub" />}
      {known?.length === 0 && (
        <Alert severity="info" title="No server is enrolled yet">
          On the hub, <code>arki-hub agent token --ttl 1h</code> makes a one-time token; on the server,{' '}
          <code>arki-agent enroll --hub URL --token-file FILE</code> uses it.
        </Alert>
      )}
      {known !== undefined && known.length > 0 && (
        <>
          <Figures agents={known} predictions={predictions} />
          <HostTable agents={known} predictions={predictions} />
        </>
      )}
    </>
  );
}

function NoSource() {
  return (
    <Alert severity="info" title="Arki is not set up yet">
      <p>It needs the address of the hub and an API key.</p>
      <LinkButton href={SETUP_PATH}>Set it up</LinkButton>
    </Alert>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  bar: css({ display: 'flex', justifyContent: 'flex-end', gap: theme.spacing(1), marginBottom: theme.spacing(2) }),
});
