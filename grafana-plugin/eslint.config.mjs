import { defineConfig } from 'eslint/config';
import grafanaConfig from '@grafana/eslint-config/flat.js';

export default defineConfig([
  { ignores: ['node_modules/', 'dist/', 'test-results/', 'coverage/'] },
  ...grafanaConfig,
  { rules: { 'react/prop-types': 'off' } },
  {
    files: ['src/**/*.{ts,tsx}', 'tests/**/*.{ts,tsx}'],
    languageOptions: { parserOptions: { project: './tsconfig.json' } },
    // what Grafana 13 calls deprecated (Select) is all that Grafana 11 has
    rules: { '@typescript-eslint/no-deprecated': 'off' },
  },
]);
