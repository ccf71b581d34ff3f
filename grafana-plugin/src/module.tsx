import { AppPlugin } from '@grafana/data';
import { FleetPage } from './app/fleet/FleetPage';
import { SetupPage } from './app/setup/SetupPage';

export const plugin = new AppPlugin()
  .setRootPage(FleetPage)
  .addConfigPage({ id: 'setup', title: 'Set-up', icon: 'cog', body: SetupPage });
