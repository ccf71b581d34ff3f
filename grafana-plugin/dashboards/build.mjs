/**
 * The pieces that all dashboards are made of, in Grafana's dashboard model (schema 39, Grafana 11 and later). Every panel asks
 * the data source that the variable `datasource` names, so that a dashboard works wherever it is imported.
 */

export const SOURCE = '${datasource}';

/** Lays panels out from left to right, 24 columns wide, and numbers them. */
export function lay(rows) {
  const panels = [];
  let y = 0;
  for (const { height, panels: inRow } of rows) {
    let x = 0;
    for (const { width, ...panel } of inRow) {
      panels.push({ id: panels.length + 1, ...panel, gridPos: { x, y, w: width, h: height } });
      x += width;
    }
    y += height;
  }
  return panels;
}

/** A panel of `type`; `targets` are queries without a data source. */
export function panel(source, type, title, width, targets, options = {}, more = {}) {
  const datasource = { type: source, uid: SOURCE };
  return {
    width,
    type,
    title,
    datasource,
    targets: targets.map((target, i) => ({ refId: String.fromCharCode(65 + i), datasource, ...target })),
    options,
    fieldConfig: { defaults: {}, overrides: [] },
    ...more,
  };
}

/** One number: `field` reduced with `calc`. */
export function stat(
  source,
  title,
  width,
  target,
  { calc = 'lastNotNull', field = '', unit, color = 'text', ...more }
) {
  const options = {
    reduceOptions: { calcs: [calc], fields: field, values: false },
    colorMode: 'value',
    graphMode: 'none',
    textMode: 'value',
    justifyMode: 'auto',
    orientation: 'auto',
  };
  const defaults = {
    ...(unit === undefined ? {} : { unit }),
    noValue: '–',
    color: { mode: 'fixed', fixedColor: color },
  };
  return panel(source, 'stat', title, width, [target], options, { fieldConfig: { defaults, overrides: [] }, ...more });
}

/** The numbers of one row, each with its name. */
export function figures(source, title, width, target, { orientation = 'auto', overrides = [] } = {}) {
  const options = {
    reduceOptions: { calcs: ['lastNotNull'], fields: '/.*/', values: false },
    colorMode: 'none',
    graphMode: 'none',
    textMode: 'value_and_name',
    orientation,
  };
  return panel(source, 'stat', title, width, [target], options, {
    fieldConfig: { defaults: { noValue: '–' }, overrides },
  });
}

/** A bar a row: how long until it fails, red below two hours. */
export function timeLeft(source, width, target, { field, displayName, ...more }) {
  const options = {
    displayMode: 'basic',
    orientation: 'horizontal',
    valueMode: 'text',
    reduceOptions: { calcs: [], fields: `/^${field}$/`, values: true, limit: 20 },
  };
  const thresholds = {
    mode: 'absolute',
    steps: [
      { color: 'red', value: null },
      { color: 'orange', value: 7200 },
    ],
  };
  const defaults = { unit: 'dtdurations', min: 0, displayName, thresholds };
  return panel(source, 'bargauge', 'Time to failure', width, [target], options, {
    fieldConfig: { defaults, overrides: [] },
    ...more,
  });
}

export function table(source, title, width, target, { overrides = [], ...more } = {}) {
  const options = { showHeader: true, cellHeight: 'sm', footer: { show: false } };
  const fieldConfig = { defaults: { custom: { align: 'auto', filterable: true } }, overrides };
  return panel(source, 'table', title, width, [target], options, { fieldConfig, ...more });
}

export function field(name, ...properties) {
  return { matcher: { id: 'byName', options: name }, properties: properties.map(([id, value]) => ({ id, value })) };
}

/** Text in the colour of its value. */
export function colours(values) {
  const options = Object.fromEntries(
    Object.entries(values).map(([value, color], index) => [value, { text: value, color, index }])
  );
  return [
    ['mappings', [{ type: 'value', options }]],
    ['custom.cellOptions', { type: 'color-text' }],
  ];
}

export const SEVERITY = colours({ critical: 'red', warning: 'orange', info: 'blue' });
export const OUTCOME = colours({ active: 'orange', happened: 'red', averted: 'green', expired: 'text' });
export const AGENT = colours({ active: 'green', silent: 'red', waiting: 'orange', revoked: 'text' });

/** Opens the host's dashboard from a cell that names a host. */
export function hostLink(uid) {
  return [
    'links',
    [
      {
        title: 'Open ${__value.text}',
        url: `/d/${uid}?\${datasource:queryparam}&var-host=\${__value.text:percentencode}`,
      },
    ],
  ];
}

export const THRESHOLDS_OFF = { mode: 'absolute', steps: [{ color: 'text', value: null }] };

/** Bars over time, one on the other. */
export function bars(source, title, width, targets, colors) {
  const defaults = {
    unit: 'short',
    decimals: 0,
    custom: { drawStyle: 'bars', fillOpacity: 70, lineWidth: 0, stacking: { mode: 'normal', group: 'A' } },
  };
  const overrides = Object.entries(colors).map(([name, color]) =>
    field(name, ['color', { mode: 'fixed', fixedColor: color }])
  );
  const options = { legend: { displayMode: 'list', placement: 'bottom' }, tooltip: { mode: 'multi', sort: 'none' } };
  return panel(source, 'timeseries', title, width, targets, options, { fieldConfig: { defaults, overrides } });
}

export function lines(source, title, width, targets, more = {}) {
  const defaults = {
    custom: { drawStyle: 'line', lineWidth: 1, fillOpacity: 10, showPoints: 'never', spanNulls: 900_000 },
  };
  const options = {
    legend: { displayMode: 'list', placement: 'bottom' },
    tooltip: { mode: 'multi', sort: 'desc' },
  };
  return panel(source, 'timeseries', title, width, targets, options, {
    fieldConfig: { defaults, overrides: [] },
    ...more,
  });
}

/** What a voter may say; over the database each stands as its place in this list, from 1. */
export const VERDICTS = ['yes', 'no', 'abstain', 'veto'];

/** @param isNumbered whether verdicts come as numbers (see `VERDICTS`) rather than as words */
export function timeline(source, title, width, target, { isNumbered = false } = {}) {
  const shown = {
    yes: { text: 'yes', color: 'orange' },
    no: { text: 'no', color: 'green' },
    abstain: { text: 'abstains', color: '#8e8e9a' },
    veto: { text: 'vetoes', color: 'blue' },
  };
  const words = VERDICTS.map((word, index) => [isNumbered ? String(index + 1) : word, { ...shown[word], index }]);
  const mappings = [{ type: 'value', options: Object.fromEntries(words) }];
  const options = {
    showValue: 'auto',
    rowHeight: 0.8,
    mergeValues: true,
    legend: { displayMode: 'list', placement: 'bottom' },
  };
  const defaults = { color: { mode: 'thresholds' }, thresholds: THRESHOLDS_OFF, mappings, custom: { fillOpacity: 70 } };
  return panel(source, 'state-timeline', title, width, [target], options, { fieldConfig: { defaults, overrides: [] } });
}

export function dashboard({ uid, title, description, panels, variables, from = 'now-24h', to = 'now', tags }) {
  return {
    uid,
    title,
    description,
    tags: ['arki', ...tags],
    revision: 1,
    schemaVersion: 39,
    editable: true,
    graphTooltip: 1,
    refresh: '30s',
    time: { from, to },
    timezone: '',
    templating: { list: variables },
    annotations: { list: [] },
    links: [
      {
        type: 'dashboards',
        title: 'Arki',
        tags: ['arki', ...tags],
        asDropdown: true,
        includeVars: false,
        keepTime: true,
      },
    ],
    panels: lay(panels),
  };
}

export function sourceVariable(type) {
  return { name: 'datasource', label: 'Data source', type: 'datasource', query: type, current: {}, hide: 0 };
}

export function queryVariable(source, name, label, query, more = {}) {
  return {
    name,
    label,
    type: 'query',
    datasource: { type: source, uid: SOURCE },
    query,
    refresh: 2,
    sort: 1,
    current: {},
    ...more,
  };
}
