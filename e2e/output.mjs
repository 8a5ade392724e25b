/** Builds a fixture and serves the output: `build(app)` → exit code and texts; `serve(folder)` → an address. */
import { spawn } from 'node:child_process'
import fs from 'node:fs'
import http from 'node:http'
import path from 'node:path'
import { program } from './harness.mjs'

/** Runs `rekindle build` in the fixture's folder. */
export function build(app, ...flags) {
  const child = spawn(program, ['build', app.root, ...flags], { cwd: app.root, env: { ...process.env, NO_COLOR: '1' } })
  let [out, err] = ['', '']
  child.stdout.on('data', (chunk) => (out += chunk))
  child.stderr.on('data', (chunk) => (err += chunk))
  return new Promise((done, fail) => {
    child.on('error', fail)
    child.on('close', (code) => {
      app.printed += out + err
      done({ code, out, err })
    })
  })
}

/** The files of a folder and their texts, by path. */
export function contents(folder) {
  const entries = fs.existsSync(folder) ? fs.readdirSync(folder, { recursive: true, withFileTypes: true }) : []
  const files = entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath ?? entry.path, entry.name))
  return new Map(files.sort().map((file) => [path.relative(folder, file), fs.readFileSync(file, 'utf8')]))
}

const TYPES = {
  html: 'text/html',
  js: 'text/javascript',
  css: 'text/css',
  svg: 'image/svg+xml',
  png: 'image/png',
  json: 'application/json',
  wasm: 'application/wasm',
  txt: 'text/plain',
}

/** A static host for `folder` below `base`. */
export function serve(folder, base = '/') {
  const server = http.createServer((request, response) => {
    const { pathname } = new URL(request.url, 'http://localhost')
    const below = pathname.startsWith(base) ? decodeURIComponent(pathname.slice(base.length)) : '\0'
    const file = path.join(folder, below.endsWith('/') || below === '' ? `${below}index.html` : below)
    if (below.includes('\0') || !fs.existsSync(file) || !fs.statSync(file).isFile()) return response.writeHead(404).end()
    response.writeHead(200, { 'content-type': TYPES[file.split('.').pop()] ?? 'application/octet-stream' }).end(fs.readFileSync(file))
  })
  return new Promise((done) => {
    server.listen(
      0,
      '127.0.0.1',
      () => done({ url: `http://127.0.0.1:${server.address().port}${base}`, stop: () => (server.close(), server.closeAllConnections()) }),
    )
  })
}
