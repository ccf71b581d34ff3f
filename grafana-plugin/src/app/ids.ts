/** Names that dashboards, provisioning and these pages share. */
export const APP = 'arki-app';
export const DATA_SOURCE = 'arki-datasource';
/** The data source that the set-up page makes. */
export const SOURCE_UID = 'arki';
export const SETUP_PATH = `/plugins/${APP}?page=setup`;
export const HOST_DASHBOARD = 'arki-host';
export const FLEET_DASHBOARD = 'arki-fleet';
