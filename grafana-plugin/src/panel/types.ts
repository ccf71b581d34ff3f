/** What an editor of the dashboard can choose. */
export interface PanelOptions {
  /** Rows on one page. */
  pageSize: number;
  /** The small forecast cone in each row. */
  showCone: boolean;
  /** The button that tries a fix on a copy; without the role Editor there is none anyway. */
  allowTrials: boolean;
  /** Data older than this are called stale, in seconds. */
  staleSeconds: number;
}

export const DEFAULT_OPTIONS: PanelOptions = { pageSize: 25, showCone: true, allowTrials: true, staleSeconds: 300 };
