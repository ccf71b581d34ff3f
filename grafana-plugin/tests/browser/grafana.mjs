/**
 * Stands for Grafana's server: the page, the built plugins, and the data source proxy with the routes of the *built*
 * plugin.json: first route whose method and path fit, its role checked, the key added, a hub's 401 turned into 400.
 */
import fs from 'node:fs/promises';
import http from 'node:http';
import path from 'node:path';

const PROXY = '/api/datasources/proxy/uid/arki/';
const ROLES = ['Viewer', 'Editor', 'Admin'];
const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.svg': 'image/svg+xml', '.png': 'image/png' };

/** @param files maps the first part of a path to a folder */
export async function startGrafana(files, hubUrl) {
  const pluginJson = JSON.parse(await fs.readFile(path.join(files.dist, 'datasource/plugin.json'), 'utf8'));
  const state = {
    /** Who is signed in, and which key the data source has. */
    role: 'Editor',
    key: '',
    hubUrl,
    /** Answers in place of the hub where it returns `{ status, body }`. */
    standIn: undefined,
    /** Every call that reached the hub. */
    calls: [],
  };
  const server = http.createServer((request, response) => {
    handle({ request, response, files, routes: pluginJson.routes, state }).catch((error) => {
      response.writeHead(502).end(String(error));
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const stop = () => new Promise((resolve) => server.close(resolve).closeAllConnections());
  return { url: `http://127.0.0.1:${server.address().port}`, state, stop };
}

async function handle({ request, response, files, routes, state }) {
  const { pathname, search } = new URL(request.url, 'http://page');
  if (pathname.startsWith(PROXY)) {
    return proxy({ request, response, routes, state, wanted: pathname.slice(PROXY.length), search });
  }
  if (pathname === '/api/datasources') {
    return json(response, 200, []);
  }
  // Grafana serves the icons of @grafana/ui below `build`
  const place = pathname === '/' ? '/page/index.html' : pathname.replace('/public/build/', '/public/');
  const [, first, ...rest] = place.split('/');
  const folder = files[first] ?? '/nonexistent';
  // the page's own files lie in two folders
  const places = first === 'page' ? [folder, files.html] : [folder];
  for (const folder of places) {
    const file = path.join(folder, ...rest);
    const body = file.startsWith(folder) ? await fs.readFile(file).catch(() => undefined) : undefined;
    if (body !== undefined) {
      return response.writeHead(200, { 'Content-Type': TYPES[path.extname(file)] ?? 'application/json' }).end(body);
    }
  }
  return response.writeHead(404).end('not found');
}

async function proxy({ request, response, routes, state, wanted, search }) {
  const { method } = request;
  const route = routes.find((route) => route.method === method && wanted.startsWith(route.path));
  if (route === undefined) {
    // the data source has no address of its own: it goes nowhere
    return json(response, 502, { message: 'no address' });
  }
  if (ROLES.indexOf(state.role) < ROLES.indexOf(route.reqRole)) {
    return json(response, 403, { message: 'plugin proxy route access denied' });
  }
  const chunks = [];
  for await (const chunk of request) {
    chunks.push(chunk);
  }
  const body = chunks.length > 0 ? Buffer.concat(chunks) : undefined;
  const stood = state.standIn?.(method, wanted, body);
  if (stood !== undefined) {
    return json(response, stood.status ?? 200, stood.body);
  }
  const fill = (text) =>
    text.replace('{{ .JsonData.hubUrl }}', state.hubUrl).replace('{{ .SecureJsonData.apiKey }}', state.key);
  const headers = { 'X-Grafana-User': 'ada' };
  for (const { name, content } of route.headers) {
    headers[name] = fill(content);
  }
  if (body !== undefined) {
    headers['Content-Type'] = 'application/json';
  }
  const url = `${fill(route.url)}${wanted.slice(route.path.length)}${search}`;
  const answer = await fetch(url, { method, headers, body });
  const text = await answer.text();
  state.calls.push({ method, path: wanted, status: answer.status });
  if (answer.status === 401) {
    return response.writeHead(400).end('Authentication to data source failed');
  }
  response.writeHead(answer.status, { 'Content-Type': answer.headers.get('content-type') ?? '' }).end(text);
}

function json(response, status, body) {
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
}
