import { GrafanaTheme2, ThemeContext } from '@grafana/data';
import { GlobalStyles, PortalContainer } from '@grafana/ui';
import React, { ReactNode } from 'react';

export function Frame({ theme, children }: { theme: GrafanaTheme2; children: ReactNode }) {
  return (
    <ThemeContext.Provider value={theme}>
      <GlobalStyles />
      <main style={{ background: theme.colors.background.canvas, padding: 16, minHeight: '100vh' }}>{children}</main>
      <PortalContainer />
    </ThemeContext.Provider>
  );
}
