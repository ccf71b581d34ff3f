/**
 * Small parts of what is said of a trial.
 */
import React from 'react';
import { css } from '@emotion/css';
import { GrafanaTheme2 } from '@grafana/data';
import { useStyles2 } from '@grafana/ui';

/** The exact words of a command: a word with a blank in it is quoted, so that one word stays one. */
export function Command({ argv }: { argv: string[] }) {
  const styles = useStyles2(getStyles);
  const words = argv.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : JSON.stringify(word)));
  return <pre className={styles.command}>{words.join(' ')}</pre>;
}

/** A list under its name. */
export function Points({ what, points }: { what: string; points: string[] }) {
  const styles = useStyles2(getStyles);
  return points.length === 0 ? null : (
    <div className={styles.points}>
      <strong>{what}</strong>
      <ul>
        {points.map((point) => (
          <li key={point}>{point}</li>
        ))}
      </ul>
    </div>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  command: css({ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere', marginBottom: theme.spacing(1.5) }),
  points: css({
    marginBottom: theme.spacing(1.5),
    strong: { fontWeight: theme.typography.fontWeightMedium },
    ul: { margin: theme.spacing(0.25, 0, 0), paddingLeft: theme.spacing(2.5) },
  }),
});
