/** The server as a program: start, end, what it says, and who may speak to it. */
import assert from 'node:assert/strict'
import http from 'node:http'
import { test } from './harness.mjs'

const PLAIN = { 'main.ts': `show('a', 'one')\nimport.meta.hot!.accept()` }

test('a restart with an edit in between brings the page up to date without a reload', {
  files: {
    'main.ts': `show('a', 'one')\nconst data = import.meta.hot!.data\nshow('b', (data.runs = (data.runs ?? 0) + 1))\nimport.meta.hot!.accept()`,
  },
}, async (app) => {
  const before = app.first.connections
  await app.stop('SIGKILL')
  await app.edit('main.ts', 'one', 'two')
  await app.start()
  await app.connected(before)
  await app.sees('#a', 'two')
  await app.sees('#b', '2')
  await app.edit('main.ts', 'two', 'three')
  await app.sees('#a', 'three')
  await app.stayed()
})

test('Ctrl-C ends it within a second, with a page open', { files: PLAIN }, async (app) => {
  const end = await app.stop('SIGINT')
  assert.ok(end.ms < 1000, `it took ${end.ms} ms`)
  assert.equal(end.signal, null, 'it ended by itself')
})

test('so does SIGTERM', { files: PLAIN }, async (app) => {
  const end = await app.stop('SIGTERM')
  assert.ok(end.ms < 1000, `it took ${end.ms} ms`)
  assert.equal(end.signal, null, 'it ended by itself')
})

test('the ready line has the address', { files: PLAIN, load: false }, async (app) => {
  await app.prints(`:${app.port}/`)
})

test('an update and its time are a line in the terminal', { files: PLAIN }, async (app) => {
  await app.edit('main.ts', 'one', 'two')
  await app.sees('#a', 'two')
  await app.prints(/main\.ts.*\d+(\.\d+)? ?ms/)
})

test('a mistake is in the terminal with its place', { files: PLAIN }, async (app) => {
  await app.edit('main.ts', `show('a', 'one')`, `show('a', 'one'`)
  await app.prints(/main\.ts:[12]:\d+/)
})

test('an unknown key in rekindle.toml is named, with its line and the key that was meant', {
  start: false,
  files: { ...PLAIN, 'rekindle.toml': `[server]\nprot = 4000\n` },
}, async (app) => {
  await app.spawn()
  const end = await app.ends()
  assert.notEqual(end.code, 0)
  assert.match(app.printed, /prot/)
  assert.match(app.printed, /rekindle\.toml:2/)
  assert.match(app.printed, /`?port`?\?/)
})

test('a taken port is said plainly', { files: PLAIN }, async (app) => {
  const first = app.server
  await app.spawn()
  const end = await app.ends()
  app.server = first
  first.kill('SIGKILL')
  assert.notEqual(end.code, 0)
  assert.match(app.printed, new RegExp(`${app.port}`))
  assert.match(app.printed, /in use/)
})

test('rekindle-ping answers a page of this server without a token, and nobody else', { files: PLAIN, load: false }, async (app) => {
  const origin = new URL(app.url).origin
  const protocol = { 'sec-websocket-protocol': 'rekindle-ping' }
  assert.equal((await upgrade(app, { ...protocol, origin })).protocol, 'rekindle-ping')
  assert.equal((await upgrade(app, { ...protocol, origin: 'http://elsewhere.example' })).refused, true)
  assert.equal((await upgrade(app, { ...protocol, origin, host: 'elsewhere.example' })).refused, true)
  assert.equal((await upgrade(app, { origin, 'sec-websocket-protocol': 'rekindle' })).refused, true)
})

/** Asks for the server's socket, from outside any page. */
function upgrade(app, headers) {
  const handshake = { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13', 'sec-websocket-key': 'cmVraW5kbGUgcmVraW5kbA==' }
  return new Promise((done, fail) => {
    const request = http.get(new URL('/@rekindle/socket', app.url), { headers: { ...handshake, ...headers }, timeout: 3000 })
    request.on('upgrade', (answer, socket) => {
      socket.on('error', () => {})
      socket.destroy()
      done({ protocol: answer.headers['sec-websocket-protocol'] })
    })
    request.on('response', (answer) => {
      answer.resume()
      done({ refused: answer.statusCode >= 400 })
    })
    request.on('timeout', () => request.destroy(new Error('no answer to the handshake')))
    request.on('error', fail)
  })
}
