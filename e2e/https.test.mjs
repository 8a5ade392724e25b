/** `--https`: the certificate, HTTP/2, and updates over wss. */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import http from 'node:http'
import http2 from 'node:http2'
import tls from 'node:tls'
import { test } from './harness.mjs'

const FILES = {
  'main.ts': `import './dep'\nshow('a', 'one')\nimport.meta.hot!.accept()`,
  'dep.ts': `export {}`,
  'public/data.txt': 'x'.repeat(300_000),
}

test('a page over HTTP/2 is updated over wss', { start: false, files: FILES }, async (app) => {
  await app.start('--https')
  await app.prints(`https://localhost:${app.port}/`)
  await app.load()
  const protocol = await app.page.evaluate(() => performance.getEntriesByType('navigation')[0].nextHopProtocol)
  assert.equal(protocol, 'h2')
  assert.equal(await app.page.evaluate(() => fetch('/data.txt').then((answer) => answer.text()).then((text) => text.length)), 300_000)
  const part = await app.page.evaluate(() => fetch('/data.txt', { headers: { range: 'bytes=-5' } }).then((answer) => answer.text()))
  assert.equal(part, 'xxxxx')
  await app.edit('main.ts', 'one', 'two')
  await app.sees('#a', 'two')
  await app.stayed()
})

test('the certificate outlives a start, and the tab comes back', { start: false, files: FILES }, async (app) => {
  await app.start('--https')
  await app.load()
  const first = await fingerprint(app)
  const before = app.first.connections
  await app.stop()
  await app.edit('main.ts', 'one', 'two')
  await app.start('--https')
  await app.connected(before)
  await app.sees('#a', 'two')
  await app.stayed()
  assert.equal(await fingerprint(app), first)
  const key = app.path('.rekindle/https/key.pem')
  assert.equal(fs.statSync(key).mode & 0o777, 0o600)
})

test('an address typed without its s leads to the right one', { start: false, files: FILES }, async (app) => {
  await app.start('--https')
  const answer = await new Promise((done, fail) => http.get(`http://localhost:${app.port}/a?b`, done).on('error', fail))
  assert.equal(answer.statusCode, 307)
  assert.equal(answer.headers.location, `https://localhost:${app.port}/a?b`)
  const foreign = await new Promise((done, fail) =>
    http.get({ port: app.port, host: 'localhost', headers: { host: 'evil.example' } }, done).on('error', fail)
  )
  assert.equal(foreign.statusCode, 403)
})

test('requests over HTTP/2 pass the same checks', { start: false, files: FILES }, async (app) => {
  await app.start('--https')
  const session = http2.connect(app.url, { rejectUnauthorized: false })
  const status = (headers, body) =>
    new Promise((done, fail) => {
      const stream = session.request({ ':path': '/', ...headers }, { endStream: !body })
      stream.on('response', (answer) => (stream.resume(), done(answer[':status'])))
      stream.on('error', fail)
      if (body) stream.end(body)
    })
  try {
    assert.equal(await status({ accept: 'text/html' }), 200)
    assert.equal(await status({ ':authority': 'evil.example' }), 403)
    assert.equal(await status({ ':authority': `localhost:${app.port}`, host: 'evil.example' }), 400)
    assert.equal(await status({ ':path': '/x#/../.env', accept: 'text/css' }), 404)
    assert.equal(await status({ origin: 'https://evil.example' }), 403)
    assert.equal(await status({ 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' }), 403)
    assert.equal(await status({ ':path': '/../.env' }), 400)
    assert.equal(await status({ ':path': '/.git%2fconfig' }), 400)
    assert.equal(await status({ ':path': '/.env' }), 404)
    assert.equal(await status({ ':method': 'PUT' }), 405)
    assert.equal(await status({ ':method': 'POST' }, 'body'), 501)
    assert.equal(await status({ ':path': '/@rekindle/socket' }), 426)
    assert.equal(await status({ expect: '100-continue' }), 417)
    assert.equal(await status({ ':path': `/${'a'.repeat(17_000)}` }), 414)
  } finally {
    session.close()
  }
})

function fingerprint(app) {
  return new Promise((done, fail) => {
    const socket = tls.connect({ port: app.port, host: 'localhost', rejectUnauthorized: false, servername: 'localhost' }, () => {
      const { fingerprint256, subjectaltname } = socket.getPeerCertificate()
      socket.destroy()
      assert.match(subjectaltname, /DNS:localhost/)
      done(fingerprint256)
    })
    socket.on('error', fail)
  })
}
