/**
 * The data source's settings: where the hub is, and the key. The key is kept in `secureJsonData`: once saved it never comes
 * back to a browser.
 */
import React, { ChangeEvent } from 'react';
import { DataSourcePluginOptionsEditorProps } from '@grafana/data';
import { Field, Input, SecretInput } from '@grafana/ui';
import { addressProblem, tidyAddress } from '../address';
import { ArkiOptions, ArkiSecrets } from '../types';

type Props = DataSourcePluginOptionsEditorProps<ArkiOptions, ArkiSecrets>;

export function ConfigEditor({ options, onOptionsChange }: Props) {
  const { jsonData, secureJsonData, secureJsonFields, readOnly } = options;
  const address = jsonData.hubUrl ?? '';
  const wrong = address === '' ? undefined : addressProblem(address);

  const setAddress = (hubUrl: string) => onOptionsChange({ ...options, jsonData: { ...jsonData, hubUrl } });
  const setKey = (apiKey: string) => onOptionsChange({ ...options, secureJsonData: { ...secureJsonData, apiKey } });
  const resetKey = () =>
    onOptionsChange({
      ...options,
      secureJsonFields: { ...secureJsonFields, apiKey: false },
      secureJsonData: { ...secureJsonData, apiKey: '' },
    });

  return (
    <>
      <Field
        label="Hub address"
        description="As Grafana's server reaches it."
        htmlFor="arki-hub-url"
        invalid={wrong !== undefined}
        error={wrong}
        disabled={readOnly}
        required
      >
        <Input
          id="arki-hub-url"
          width={60}
          value={address}
          placeholder="http://arki-hub:8420"
          onChange={(event: ChangeEvent<HTMLInputElement>) => setAddress(event.currentTarget.value)}
          onBlur={() => setAddress(tidyAddress(address))}
        />
      </Field>
      <Field
        label="API key"
        description="Made on the hub: arki-hub key create grafana --scope sandbox (with --scope read nobody can try a fix). Never an admin key."
        htmlFor="arki-api-key"
        disabled={readOnly}
        required
      >
        <SecretInput
          id="arki-api-key"
          width={60}
          isConfigured={secureJsonFields?.apiKey === true}
          value={secureJsonData?.apiKey ?? ''}
          placeholder="arki_key_…"
          autoComplete="off"
          onChange={(event: ChangeEvent<HTMLInputElement>) => setKey(event.currentTarget.value.trim())}
          onReset={resetKey}
        />
      </Field>
    </>
  );
}
