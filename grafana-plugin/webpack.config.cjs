/**
 * Builds the app with its nested data source and panel, one `module.js` beside each plugin.json, as
 * `@grafana/create-plugin` builds them. What Grafana shares is external: its own copies are used.
 */
const fs = require('fs');
const path = require('path');
const webpack = require('webpack');
const CopyWebpackPlugin = require('copy-webpack-plugin');
const swc = require('./swc.cjs');

const root = __dirname;
const { version } = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'));

/** The day of the build, or of the release where one is given, so that a build can be repeated. */
const epoch = process.env.SOURCE_DATE_EPOCH;
const today = (epoch ? new Date(Number(epoch) * 1000) : new Date()).toISOString().slice(0, 10);

const fill = (content) => content.toString().replaceAll('%VERSION%', version).replaceAll('%TODAY%', today);

module.exports = (env) => ({
  context: path.join(root, 'src'),
  mode: env.production ? 'production' : 'development',
  devtool: env.production ? 'source-map' : 'eval-source-map',
  entry: {
    module: './module.tsx',
    'datasource/module': './datasource/module.ts',
    'panel/module': './panel/module.ts',
  },
  externals: ['react', 'react-dom', 'rxjs', '@emotion/css', /^@grafana\/(data|runtime|ui)$/],
  module: {
    rules: [{ test: /\.tsx?$/, exclude: /node_modules/, use: { loader: 'swc-loader', options: swc } }],
  },
  output: {
    clean: true,
    filename: '[name].js',
    library: { type: 'amd' },
    path: path.join(root, 'dist'),
    publicPath: 'public/plugins/arki-app/',
    uniqueName: 'arki-app',
  },
  plugins: [
    new webpack.BannerPlugin({ banner: `/* arki-app ${version} */`, raw: true, entryOnly: true }),
    new CopyWebpackPlugin({
      patterns: [
        { from: '**/plugin.json', to: '.', transform: fill },
        { from: '../README.md', to: '.', transform: fill },
        { from: '../CHANGELOG.md', to: '.' },
        { from: '../../LICENSE', to: '[name]' },
        { from: 'dashboards/**/*.json', to: '.' },
        { from: '**/*.{svg,png}', to: '.' },
      ],
    }),
  ],
  resolve: { extensions: ['.ts', '.tsx', '.js'], modules: [path.join(root, 'src'), 'node_modules'] },
});
