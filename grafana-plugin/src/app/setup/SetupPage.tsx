/**
 * Set-up: where the hub is, the key, and whether it works.
 */
import React, { ChangeEvent, useEffect, useState } from 'react';
import { css } from '@emotion/css';
import { GrafanaTheme2, PluginConfigPageProps, AppPluginMeta, TestDataSourceResponse } from '@grafana/data';
import { Alert, Button, Field, Input, LoadingPlaceholder, SecretInput, useStyles2 } from '@grafana/ui';
import { addressProblem, tidyAddress } from '../../datasource/address';
import { problemOf } from '../../hub/problem';
import { enable, read, Source, test, write } from './source';

type Props = PluginConfigPageProps<AppPluginMeta>;

type Loaded = { source: Source | undefined } | { problem: string };

export function SetupPage({ plugin }: Props) {
  const [loaded, setLoaded] = useState<Loaded>();
  useEffect(() => {
    let isCurrent = true;
    read().then(
      (source) => isCurrent && setLoaded({ source }),
      (error: unknown) => isCurrent && setLoaded({ problem: problemOf(error).message })
    );
    return () => {
      isCurrent = false;
    };
  }, []);
  if (plugin.meta.enabled === false) {
    return <Enable />;
  }
  if (loaded === undefined) {
    return <LoadingPlaceholder text="Reading the settings" />;
  }
  if ('problem' in loaded) {
    return (
      <Alert severity="error" title="The settings cannot be read">
        {loaded.problem}
      </Alert>
    );
  }
  return <Form source={loaded.source} />;
}

function Enable() {
  const [problem, setProblem] = useState<string>();
  const onClick = () =>
    enable().then(
      () => window.location.reload(),
      (error: unknown) => setProblem(problemOf(error).message)
    );
  return (
    <Alert severity={problem === undefined ? 'info' : 'error'} title="Arki is not enabled">
      <p>{problem ?? 'Its data source, panel and dashboards come with it.'}</p>
      <Button onClick={() => void onClick()}>Enable Arki</Button>
    </Alert>
  );
}

function Form({ source: found }: { source: Source | undefined }) {
  const styles = useStyles2(getStyles);
  const [source, setSource] = useState(found);
  const [address, setAddress] = useState(found?.jsonData.hubUrl ?? '');
  const [key, setKey] = useState('');
  const [isKeyKept, setKeyKept] = useState(found?.secureJsonFields.apiKey === true);
  const [answer, setAnswer] = useState<TestDataSourceResponse>();
  const [isBusy, setBusy] = useState(false);
  const isFixed = source?.readOnly === true;
  const wrong = address === '' ? undefined : addressProblem(address);
  const isReady = address !== '' && wrong === undefined && (isKeyKept || key !== '') && !isBusy;

  const save = async () => {
    setBusy(true);
    setAnswer(undefined);
    try {
      const hubUrl = tidyAddress(address);
      const uid = isFixed ? source.uid : await write(source, hubUrl, isKeyKept ? undefined : key);
      setAnswer(await test(uid, hubUrl));
      setSource(await read());
      setKeyKept(true);
      setKey('');
    } catch (error) {
      setAnswer({ status: 'error', message: problemOf(error).message });
    }
    setBusy(false);
  };

  return (
    <form
      className={styles.form}
      onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}
    >
      {isFixed && (
        <Alert severity="info" title="These settings are provisioned">
          Change them in the provisioning file of the data source &quot;{source.name}&quot;.
        </Alert>
      )}
      <Field
        label="Hub address"
        description="As Grafana's server reaches it."
        htmlFor="arki-hub-url"
        invalid={wrong !== undefined}
        error={wrong}
      >
        <Input
          id="arki-hub-url"
          value={address}
          disabled={isFixed}
          placeholder="http://arki-hub:8420"
          onChange={(event: ChangeEvent<HTMLInputElement>) => setAddress(event.currentTarget.value)}
        />
      </Field>
      <Field
        label="API key"
        description="Made on the hub: arki-hub key create grafana --scope sandbox. With --scope read nobody can try a fix."
        htmlFor="arki-api-key"
      >
        <SecretInput
          id="arki-api-key"
          isConfigured={isKeyKept}
          disabled={isFixed}
          value={key}
          placeholder="arki_key_…"
          autoComplete="off"
          onChange={(event: ChangeEvent<HTMLInputElement>) => setKey(event.currentTarget.value.trim())}
          onReset={() => setKeyKept(false)}
        />
      </Field>
      <Button type="submit" disabled={!isReady} icon={isBusy ? 'spinner' : undefined}>
        {isFixed ? 'Test' : 'Save and test'}
      </Button>
      {answer !== undefined && (
        <Alert
          className={styles.answer}
          severity={answer.status === 'success' ? 'success' : 'error'}
          title={answer.status === 'success' ? 'It works' : 'It does not work yet'}
        >
          {answer.message}
        </Alert>
      )}
    </form>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  form: css({ maxWidth: 600 }),
  answer: css({ marginTop: theme.spacing(2) }),
});
