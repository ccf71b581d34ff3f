/** How TypeScript becomes JavaScript, for webpack and jest. */
module.exports = {
  jsc: {
    target: 'es2020',
    loose: false,
    parser: { syntax: 'typescript', tsx: true, decorators: false, dynamicImport: true },
    transform: { react: { runtime: 'classic' } },
  },
};
