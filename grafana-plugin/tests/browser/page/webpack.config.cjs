/** The page of the browser test: the libraries that Grafana shares with plugins, in one file. */
const path = require('path');
const swc = require('../../../swc.cjs');

const root = path.join(__dirname, '../../..');

module.exports = {
  mode: 'none',
  context: __dirname,
  entry: './index.tsx',
  output: { path: path.join(root, 'test-results/page'), filename: 'page.js', clean: true },
  devtool: false,
  performance: false,
  cache: { type: 'filesystem', cacheDirectory: path.join(root, 'node_modules/.cache/page') },
  module: {
    rules: [
      { test: /\.tsx?$/, exclude: /node_modules/, use: { loader: 'swc-loader', options: swc } },
      { test: /\.m?js$/, resolve: { fullySpecified: false } },
      { test: /\.(css|svg|ttf|png)$/, type: 'asset/inline' },
    ],
  },
  // one file: a part that is loaded later would be looked for where Grafana has it
  optimization: { splitChunks: false, runtimeChunk: false, nodeEnv: 'production' },
  plugins: [new (require('webpack').optimize.LimitChunkCountPlugin)({ maxChunks: 1 })],
  resolve: { extensions: ['.tsx', '.ts', '.mjs', '.js'] },
};
