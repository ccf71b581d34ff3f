import { DataSourcePlugin } from '@grafana/data';
import { ArkiDataSource } from './datasource';
import { ConfigEditor } from './editor/ConfigEditor';
import { QueryEditor } from './editor/QueryEditor';
import { ArkiOptions, ArkiQuery, ArkiSecrets } from './types';

export const plugin = new DataSourcePlugin<ArkiDataSource, ArkiQuery, ArkiOptions, ArkiSecrets>(ArkiDataSource)
  .setConfigEditor(ConfigEditor)
  .setQueryEditor(QueryEditor);
