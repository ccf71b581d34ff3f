import fs from 'fs';
import path from 'path';
import appJson from '../plugin.json';
import { QUERY_TYPES } from '../datasource/types';

interface Target {
  queryType?: string;
  rawSql?: string;
  datasource: { type: string; uid: string };
}

interface Panel {
  id: number;
  type: string;
  title: string;
  targets: Target[];
  gridPos: { x: number; w: number };
}

interface Dashboard {
  uid: string;
  panels: Panel[];
  revision: number;
}

const read = (set: string) =>
  fs
    .readdirSync(path.join(__dirname, set))
    .map((file) => JSON.parse(fs.readFileSync(path.join(__dirname, set, file), 'utf8')) as Dashboard);

test('every dashboard has its own name, and panels that fit', () => {
  const all = [...read('arki'), ...read('timescale')];
  expect(new Set(all.map(({ uid }) => uid)).size).toBe(6);
  for (const { panels, revision } of all) {
    // Grafana takes in the dashboard of an app when its revision is not the one that it has
    expect(revision).toBeGreaterThan(0);
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    expect(panels.every(({ gridPos }) => gridPos.x + gridPos.w <= 24)).toBe(true);
  }
});

test('every panel asks the data source that the dashboard chose, with a query that there is', () => {
  const targets = (set: string) => read(set).flatMap(({ panels }) => panels.flatMap((panel) => panel.targets));
  for (const { datasource, queryType } of targets('arki')) {
    expect(datasource).toEqual({ type: 'arki-datasource', uid: '${datasource}' });
    expect(QUERY_TYPES).toContain(queryType);
  }
  for (const { datasource, rawSql } of targets('timescale')) {
    expect(datasource).toEqual({ type: 'grafana-postgresql-datasource', uid: '${datasource}' });
    expect(rawSql).toMatch(/^(SELECT|WITH) /);
  }
});

test('the app brings its dashboards', () => {
  const brought = appJson.includes.flatMap((one) => ('path' in one && one.type === 'dashboard' ? [one.path] : []));
  for (const file of brought) {
    expect(fs.existsSync(path.join(__dirname, '..', file ?? ''))).toBe(true);
  }
  expect(brought).toHaveLength(3);
});
