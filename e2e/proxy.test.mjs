/** `server.proxy` from a page: bodies, streams, sockets, and a server that is not there. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import http from 'node:http'
import { test, freePort } from './harness.mjs'

const PLAIN = { 'main.ts': `show('a', 'one')\nimport.meta.hot!.accept()` }

/** A backend that echoes requests, streams events, and echoes what a socket says. */
async function backend() {
  const server = http.createServer((request, response) => {
    if (request.url.startsWith('/events')) {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write('data: first\n\n')
      request.on('close', () => (server.left = true))
      return
    }
    const parts = []
    request.on('data', (part) => parts.push(part))
    request.on('end', () => {
      response.setHeader('x-backend', 'yes')
      response.end(JSON.stringify({ method: request.method, url: request.url, host: request.headers.host, length: Buffer.concat(parts).length }))
    })
  })
  server.on('upgrade', (request, socket) => {
    const accept = createHash('sha1').update(request.headers['sec-websocket-key'] + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11').digest('base64')
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`)
    socket.on('data', (frame) => {
      if ((frame[0] & 15) !== 1) return socket.end()
      const mask = frame.subarray(2, 6)
      const text = frame.subarray(6).map((byte, at) => byte ^ mask[at % 4])
      socket.write(Buffer.concat([Buffer.from([0x81, text.length]), text]))
    })
    socket.on('error', () => {})
  })
  const port = await freePort()
  await new Promise((done) => server.listen(port, 'localhost', () => done(undefined)))
  return { port, server, close: () => (server.closeAllConnections(), server.close()) }
}

const withBackend = (title, flags, body) =>
  test(title, { start: false, files: PLAIN }, async (app) => {
    const other = await backend()
    try {
      app.write(
        'rekindle.toml',
        `[server.proxy]
"/api" = { target = "http://localhost:${other.port}", change_origin = true, rewrite = [{ from = "^/api", to = "" }] }
"/events" = "http://localhost:${other.port}"
"/live" = { target = "http://localhost:${other.port}", ws = true }
"/gone" = "http://localhost:9"
`,
      )
      await app.start(...flags)
      await app.load()
      await body(app, other)
    } finally {
      other.close()
    }
  })

for (const flags of [[], ['--https']]) {
  const over = flags.length ? ', over https' : ''

  withBackend(`requests with bodies are passed on${over}`, flags, async (app, other) => {
    const answer = await app.page.evaluate(async () => {
      const answer = await fetch('/api/users?x=1', { method: 'PATCH', body: new Uint8Array(3_000_000) })
      return { ...(await answer.json()), header: answer.headers.get('x-backend') }
    })
    assert.deepEqual(answer, { method: 'PATCH', url: '/users?x=1', host: `localhost:${other.port}`, length: 3_000_000, header: 'yes' })
  })

  withBackend(`events arrive as they are sent, and the backend learns that the page is gone${over}`, flags, async (app, other) => {
    const first = await app.page.evaluate(() =>
      new Promise((done) => {
        window.source = new EventSource('/events')
        window.source.onmessage = ({ data }) => done(data)
      })
    )
    assert.equal(first, 'first')
    await app.page.evaluate(() => window.source.close())
    while (!other.server.left) await new Promise((done) => setTimeout(done, 20))
  })

  withBackend(`a socket goes through, and ours stays our own${over}`, flags, async (app) => {
    const echoed = await app.page.evaluate(() =>
      new Promise((done, fail) => {
        const socket = new WebSocket(`${location.origin.replace('http', 'ws')}/live`)
        socket.onopen = () => socket.send('hello')
        socket.onmessage = ({ data }) => done(data)
        socket.onerror = () => fail(new Error('no socket'))
      })
    )
    assert.equal(echoed, 'hello')
    await app.edit('main.ts', 'one', 'two')
    await app.sees('#a', 'two')
    await app.stayed()
  })

  withBackend(`a backend that is not there is a 502 and one line${over}`, flags, async (app) => {
    const answer = await app.page.evaluate(async () => {
      const [first] = await Promise.all([fetch('/gone/a'), fetch('/gone/b', { method: 'POST', body: 'x' })])
      return { status: first.status, text: await first.text() }
    })
    assert.equal(answer.status, 502)
    assert.match(answer.text, /no answer from http:\/\/localhost:9/)
    await app.prints(/proxy "\/gone": .* got no answer from http:\/\/localhost:9/)
    assert.equal(app.printed.match(/proxy "\/gone"/g).length, 1)
  })
}
