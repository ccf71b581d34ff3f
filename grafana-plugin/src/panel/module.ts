import { FieldConfigProperty, PanelPlugin } from '@grafana/data';
import { PredictionsPanel } from './PredictionsPanel';
import { DEFAULT_OPTIONS, PanelOptions } from './types';

export const plugin = new PanelPlugin<PanelOptions>(PredictionsPanel)
  .useFieldConfig({ disableStandardOptions: Object.values(FieldConfigProperty) })
  .setNoPadding()
  .setPanelOptions((builder) => {
    builder
      .addNumberInput({
        path: 'pageSize',
        name: 'Rows on a page',
        defaultValue: DEFAULT_OPTIONS.pageSize,
        settings: { min: 5, max: 100, integer: true },
      })
      .addBooleanSwitch({
        path: 'showCone',
        name: 'Forecast cone',
        description: 'From the last word to the bound: the median, and one case in ten to either side',
        defaultValue: DEFAULT_OPTIONS.showCone,
      })
      .addBooleanSwitch({
        path: 'allowTrials',
        name: 'Sandbox button',
        description: 'Try a fix on a copy of the service; needs the role Editor and a key with the scope sandbox',
        defaultValue: DEFAULT_OPTIONS.allowTrials,
      })
      .addNumberInput({
        path: 'staleSeconds',
        name: 'Stale after',
        description: 'Seconds after which the panel says that its data are old',
        defaultValue: DEFAULT_OPTIONS.staleSeconds,
        settings: { min: 30, integer: true },
      });
  });
