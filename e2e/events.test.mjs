/** Custom events, from the page to a process of the project's own and back. */
import assert from 'node:assert/strict'
import { test, until } from './harness.mjs'

const ECHO = `
import { createInterface } from 'node:readline'
console.error('the process is up')
for await (const line of createInterface({ input: process.stdin })) {
  const { event, data, client } = JSON.parse(line)
  if (event === 'test:ask') console.log(JSON.stringify({ event: 'test:answer', data, client }))
  if (event === 'test:all') console.log(JSON.stringify({ event: 'test:news', data }))
  if (event === 'test:die') process.exit(3)
}`

const FILES = {
  'rekindle.toml': `[events]\ncommand = ["node", "events.mjs"]\n`,
  'events.mjs': ECHO,
  'main.ts': `
const hot = import.meta.hot!
hot.on('test:answer', (data) => console.log('answer', JSON.stringify(data)))
hot.on('test:news', (data) => console.log('news', JSON.stringify(data)))
Object.assign(window, { send: hot.send.bind(hot) })
hot.send('test:ask', { sent: 'while loading' })
hot.accept()`,
}

const send = (tab, event, data) => tab.page.evaluate(([event, data]) => window.send(event, data), [event, data])

test('an answer goes to the tab that asked, a broadcast to all', { files: FILES }, async (app) => {
  const other = await app.tab()
  await send(app, 'test:ask', { to: ['one', 2, null, { ü: '☃' }] })
  await app.says('answer {"sent":"while loading"}', 'answer {"to":["one",2,null,{"ü":"☃"}]}')
  await send(app, 'test:all', 'everybody')
  await app.says('news "everybody"')
  await other.says('answer {"sent":"while loading"}', 'news "everybody"')
  assert.equal(other.logs.some((line) => line.includes('☃')), false)
})

test('a listener is called once after its module was replaced', { files: FILES }, async (app) => {
  await app.says('answer {"sent":"while loading"}')
  await app.edit('main.ts', `'answer'`, `'reply'`)
  await app.says('reply {"sent":"while loading"}')
  await send(app, 'test:ask', 1)
  await app.says('reply 1')
  assert.deepEqual(app.first.logs, ['answer {"sent":"while loading"}', 'reply {"sent":"while loading"}', 'reply 1'])
})

test('a process that ends is reported and started again', { files: FILES }, async (app) => {
  await app.says('answer {"sent":"while loading"}')
  await app.prints('the process is up')
  await send(app, 'test:die')
  await app.prints(/the process is up[^]*the process is up/)
  await send(app, 'test:ask', 'after')
  await app.says('answer "after"')
  await app.stayed()
})

test('what is sent while the server is away arrives when it is back', { files: FILES }, async (app) => {
  await app.says('answer {"sent":"while loading"}')
  const before = app.first.connections
  await app.stop('SIGKILL')
  // As in Vite, events are lost that are sent before the browser notices that the connection is gone.
  await until('the tab to know', () => assert.match(app.first.lines.join('\n'), /server connection lost/))
  await send(app, 'test:ask', 'meanwhile')
  await app.start()
  await app.connected(before)
  await app.says('answer "meanwhile"')
  await app.stayed()
})
