/**
 * The three votes at a glance: a letter for the voter, a sign for the verdict. The reasons are in the tip and in the evidence.
 */
import React from 'react';
import { css, cx } from '@emotion/css';
import { GrafanaTheme2 } from '@grafana/data';
import { Tooltip, useStyles2 } from '@grafana/ui';
import { Verdict, Vote, VoterName } from '../../hub/types';

const VOTERS: VoterName[] = ['trend', 'correlation', 'pattern'];

export const VERDICTS: Record<Verdict | 'none', { sign: string; word: string }> = {
  yes: { sign: '✓', word: 'yes' },
  no: { sign: '✗', word: 'no' },
  abstain: { sign: '–', word: 'abstains' },
  veto: { sign: '⊘', word: 'vetoes' },
  none: { sign: '·', word: 'not told' },
};

export function Votes({ votes }: { votes: Vote[] | null }) {
  const styles = useStyles2(getStyles);
  return (
    <ul className={styles.list} aria-label="Votes">
      {VOTERS.map((voter) => {
        const vote = votes?.find((vote) => vote.voter === voter);
        const { sign, word } = VERDICTS[vote?.verdict ?? 'none'];
        const said = `${voter} ${word}`;
        return (
          <li key={voter}>
            <Tooltip content={vote === undefined ? said : `${said}: ${vote.reason}`} placement="top">
              <span role="img" aria-label={said} className={cx(styles.vote, vote?.verdict === 'yes' && styles.yes)}>
                {voter.charAt(0).toUpperCase()}
                <span>{sign}</span>
              </span>
            </Tooltip>
          </li>
        );
      })}
    </ul>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  list: css({ display: 'flex', gap: theme.spacing(0.5), listStyle: 'none', margin: 0, padding: 0 }),
  vote: css({
    display: 'inline-flex',
    gap: 2,
    padding: theme.spacing(0, 0.75),
    border: `1px solid ${theme.colors.border.medium}`,
    borderRadius: theme.shape.radius.default,
    color: theme.colors.text.secondary,
    fontSize: theme.typography.bodySmall.fontSize,
    lineHeight: '20px',
    cursor: 'default',
  }),
  yes: css({
    color: theme.colors.text.primary,
    fontWeight: theme.typography.fontWeightMedium,
    borderColor: theme.colors.warning.border,
    background: theme.colors.warning.transparent,
  }),
});
