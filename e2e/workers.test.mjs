/** Workers: they run the same registry, take updates, and are restarted behind their object. */
import assert from 'node:assert/strict'
import { test } from './harness.mjs'

/** A page that accepts its own updates, with a worker whose answers are shown in `#a`. */
const PAGE = `
let times = 0
const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' })
worker.addEventListener('message', (event) => show('a', event.data))
worker.postMessage('hi')
Object.assign(window, { worker, ask: (what) => worker.postMessage(what) })
show('b', worker instanceof Worker)
import.meta.hot.accept()`

const ANSWERING = `import { answer } from './answer'
onmessage = (event: MessageEvent<string>) => postMessage(answer(event.data))`

const ask = (app, what) => app.page.evaluate((what) => window.ask(what), what)

test('a worker with imports is TypeScript like any module', {
  files: {
    'main.ts': PAGE,
    'worker.ts': ANSWERING,
    'answer.ts': `enum Word { Yes = 'yes' }\nexport const answer = (word: string) => word + ' ' + Word.Yes`,
  },
}, async (app) => {
  await app.sees('#a', 'hi yes')
  await app.sees('#b', 'true')
})

test('an edit that nothing in the worker accepts restarts only the worker', {
  files: { 'main.ts': PAGE, 'worker.ts': ANSWERING, 'answer.ts': `export const answer = (word: string) => word + ' one'` },
}, async (app) => {
  await app.sees('#a', 'hi one')
  await app.edit('answer.ts', ' one', ' two')
  await app.prints(/worker restart \/answer\.ts, .*\n.*no module of the worker accepts it: \/answer\.ts → \/worker\.ts/)
  await ask(app, 'still')
  await app.sees('#a', 'still two')
  await app.edit('worker.ts', 'answer(event.data)', "answer(event.data) + '!'")
  await app.prints('worker restart /worker.ts')
  await ask(app, 'there')
  await app.sees('#a', 'there two!')
  await app.stayed()
  assert.deepEqual(app.errors, [])
})

test('messages posted while a worker is restarted arrive, in order, once', {
  files: {
    'main.ts': `
const seen: string[] = []
const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' })
worker.onmessage = (event) => { seen.push(event.data); show('a', seen.length); show('c', event.data.split(' ')[1]) }
let sent = 0
Object.assign(window, { seen, timer: setInterval(() => worker.postMessage(sent++), 1), count: () => sent })
import.meta.hot!.accept()`,
    'worker.ts': `onmessage = (event) => postMessage(event.data + ' one')`,
  },
}, async (app) => {
  await app.sees('#c', 'one')
  for (const [from, to] of [['one', 'two'], ['two', 'three'], ['three', 'four']]) {
    await app.edit('worker.ts', ` ${from}`, ` ${to}`)
    await app.sees('#c', to)
  }
  const sent = await app.page.evaluate(() => (clearInterval(window.timer), window.count()))
  await app.sees('#a', String(sent))
  const numbers = await app.page.evaluate(() => window.seen.map((text) => Number.parseInt(text)))
  assert.deepEqual(numbers, numbers.map((_, at) => at))
  await app.stayed()
})

test('import.meta.hot works in a worker: accept, dispose, data', {
  files: {
    'main.ts': `const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' })
worker.onmessage = (event) => show(...event.data)
worker.postMessage('count')
Object.assign(window, { worker })`,
    'worker.ts': `import { word } from './word'
let current = word
let born = Math.random()
const hot = import.meta.hot!
hot.data.count ??= 0
onmessage = () => { hot.data.count += 1; postMessage(['a', hot.data.count + ' ' + current]) }
hot.accept('./word', (next) => { current = next!.word; postMessage(['b', 'took ' + current]) })
hot.dispose(() => postMessage(['c', 'disposed']))
hot.accept()`,
    'word.ts': `export const word = 'one'`,
  },
}, async (app) => {
  await app.sees('#a', '1 one')
  await app.edit('word.ts', 'one', 'two')
  await app.sees('#b', 'took two')
  await app.prints('hot updated /word.ts in 1 worker')
  await app.page.evaluate(() => window.worker.postMessage('count'))
  await app.sees('#a', '2 two')
  await app.edit('worker.ts', "'took '", "'got '")
  await app.sees('#c', 'disposed')
  await app.page.evaluate(() => window.worker.postMessage('count'))
  await app.sees('#a', '3 two')
  await app.stayed()
})

test('a mistake in a worker shows over the page, and the fix takes it away', {
  files: { 'main.ts': PAGE, 'worker.ts': ANSWERING, 'answer.ts': `export const answer = (word: string) => word + ' one'` },
}, async (app) => {
  await app.sees('#a', 'hi one')
  await app.edit('answer.ts', "word + ' one'", 'word + ')
  await app.overlay('answer.ts')
  await ask(app, 'old')
  await app.sees('#a', 'old one')
  await app.edit('answer.ts', 'word + ', "word + ' two'")
  await app.noOverlay()
  await app.prints('worker restart')
  await ask(app, 'new')
  await app.sees('#a', 'new two')
  await app.edit('worker.ts', 'onmessage', "throw new Error('not in here')\nonmessage")
  await app.overlay('not in here')
  await app.edit('worker.ts', "throw new Error('not in here')\n", '')
  await app.noOverlay()
  await ask(app, 'again')
  await app.sees('#a', 'again two')
  await app.stayed()
})

test('a worker that is broken from the start gets its messages once it is mended', {
  files: { 'main.ts': PAGE, 'worker.ts': ANSWERING, 'answer.ts': `export const answer = (word: string) =>` },
}, async (app) => {
  await app.overlay('answer.ts')
  await app.edit('answer.ts', '=>', `=> word + ' well'`)
  await app.sees('#a', 'hi well')
  await app.noOverlay()
  await app.stayed()
})

test('?worker, &inline, &url, names, and a worker that was meant to be classic', {
  files: {
    'main.ts': `
import Helper from './helper?worker'
import Inline from './helper.ts?worker&inline'
import address from './helper?worker&url'
const named = new Helper({ name: 'nina' })
named.onmessage = (event) => { show('a', event.data); named.terminate() }
named.postMessage('a')
const inline = new Inline()
inline.onmessage = (event) => show('b', event.data)
inline.postMessage('b')
const plain = new Worker(address, { type: 'module', name: 'pia' })
plain.onmessage = (event) => show('c', event.data)
plain.postMessage('c')
const classic = new Worker(new URL('./classic.js', import.meta.url))
classic.onmessage = (event) => { document.title = event.data }
console.log([named instanceof Worker, inline instanceof Worker, plain instanceof Worker, classic instanceof Worker].join())`,
    'helper.ts': `onmessage = (event) => postMessage(event.data + ' for ' + (self.name || 'nobody') + ' at ' + location.pathname)`,
    'classic.js': `importScripts('/lib.js')\npostMessage('classic ' + fromLibrary)`,
    'public/lib.js': `var fromLibrary = 'library'`,
  },
}, async (app) => {
  await app.sees('#a', 'a for nina at /helper.ts')
  await app.sees('#b', 'b for nobody at /helper.ts')
  await app.sees('#c', 'c for pia at /helper.ts')
  await app.says('true,true,true,true')
  await app.page.waitForFunction(() => document.title === 'classic library')
  assert.deepEqual(app.errors, [])
})

test('workers in workers restart alone', {
  files: {
    'main.ts': `const outer = new Worker(new URL('./outer.ts', import.meta.url), { type: 'module' })
outer.onmessage = (event) => show(...event.data)
outer.postMessage('go')
Object.assign(window, { outer })
import.meta.hot!.accept()`,
    'outer.ts': `let asked = 0
const inner = new Worker(new URL('./inner.ts', import.meta.url), { type: 'module' })
inner.onmessage = (event) => postMessage(['a', event.data])
onmessage = () => { postMessage(['b', ++asked]); inner.postMessage('x') }
import.meta.hot!.accept()`,
    'inner.ts': `onmessage = () => postMessage('inner one')`,
  },
}, async (app) => {
  await app.sees('#a', 'inner one')
  await app.edit('inner.ts', 'one', 'two')
  await app.prints('worker restart /inner.ts')
  await app.page.evaluate(() => window.outer.postMessage('go'))
  await app.sees('#a', 'inner two')
  await app.sees('#b', '2')
  await app.stayed()
})

test('a shared worker is restarted for all its pages', {
  files: {
    'main.ts': `const shared = new SharedWorker(new URL('./shared.ts', import.meta.url), { type: 'module', name: 'hub' })
shared.port.onmessage = (event) => show('a', event.data)
shared.port.postMessage('hi')
Object.assign(window, { shared })
show('b', shared instanceof SharedWorker)
import.meta.hot!.accept()`,
    'shared.ts': `import { word } from './word'
let pages = 0
onconnect = (event: MessageEvent) => {
  pages += 1
  const port = event.ports[0]!
  port.onmessage = (message) => port.postMessage([message.data, word, pages].join(' '))
}`,
    'word.ts': `export const word = 'one'`,
  },
}, async (app) => {
  await app.sees('#a', 'hi one 1')
  await app.sees('#b', 'true')
  const other = await app.tab()
  await other.sees('#a', 'hi one 2')
  await app.edit('word.ts', 'one', 'two')
  await app.prints('worker restart /word.ts')
  for (const tab of [app.first, other]) {
    await tab.page.evaluate(() => window.shared.port.postMessage('again'))
    await tab.sees('#a', /^again two/)
    await tab.stayed()
  }
})

test('a buffer is handed over, and a queued one too', {
  files: {
    'main.ts': `const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' })
worker.onmessage = (event) => show('a', new Uint8Array(event.data.buffer).join())
const send = (...bytes: number[]) => {
  const { buffer } = new Uint8Array(bytes)
  worker.postMessage({ buffer }, [buffer])
  show('b', buffer.byteLength)
}
send(1, 2, 3)
import.meta.hot!.on('rekindle:worker-restart', ({ path }) => { show('c', path); send(4, 5) })
import.meta.hot!.accept()`,
    'worker.ts': `const more = 0
onmessage = (event) => { const bytes = new Uint8Array(event.data.buffer); bytes[0] += more; postMessage(event.data, [event.data.buffer]) }`,
  },
}, async (app) => {
  await app.sees('#a', '1,2,3')
  await app.sees('#b', '0')
  await app.edit('worker.ts', 'more = 0', 'more = 5')
  await app.sees('#c', '/worker.ts')
  await app.sees('#a', '9,5')
  await app.sees('#b', '0')
  await app.stayed()
})

test('where nothing accepts updates, a worker is no exception; the setting says otherwise', {
  start: false,
  load: false,
  files: {
    'main.ts': PAGE.replace('import.meta.hot.accept()', ''),
    'worker.ts': `onmessage = (event) => postMessage(event.data + ' one')`,
  },
}, async (app) => {
  await app.start()
  await app.load()
  await app.sees('#a', 'hi one')
  await app.edit('worker.ts', ' one', ' two')
  await app.reloaded()
  await app.sees('#a', 'hi two')
  await app.prints('page reload /worker.ts')
  await app.stop()
  app.write('rekindle.toml', '[hmr]\nworkers = "restart"\n')
  await app.start()
  await app.load()
  await app.sees('#a', 'hi two')
  await app.edit('worker.ts', ' two', ' three')
  await app.prints('worker restart /worker.ts')
  await ask(app, 'still')
  await app.sees('#a', 'still three')
  await app.stayed()
})

test('a worker that does not exist is explained where it is named', {
  load: false,
  files: { 'main.ts': `new Worker(new URL('./werker.ts', import.meta.url), { type: 'module' })`, 'worker.ts': '' },
}, async (app) => {
  const tab = await app.tab({ blank: true })
  await tab.page.goto(app.url)
  await tab.overlay('did you mean `./worker.ts`?')
})

test('with React, whose components are what takes edits, a worker is restarted too', {
  packages: ['react', 'react-dom', 'scheduler'],
  files: {
    'main.tsx': `import { createRoot } from 'react-dom/client'\nimport App from './App'\ncreateRoot(document.getElementById('a')!).render(<App />)`,
    'App.tsx': `import { useState } from 'react'
const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' })
worker.onmessage = ({ data }) => show('b', data)
export default function App() {
  const [n, setN] = useState(0)
  return <button onClick={() => { setN(n + 1); worker.postMessage('hi') }}>{n}</button>
}`,
    'worker.ts': `onmessage = ({ data }) => postMessage(data + ' one')`,
  },
}, async (app) => {
  await app.page.click('button')
  await app.sees('#b', 'hi one')
  await app.edit('worker.ts', ' one', ' two')
  await app.prints('worker restart /worker.ts')
  await app.page.click('button')
  await app.sees('#b', 'hi two')
  await app.sees('button', '2')
  await app.stayed()
})

test('a worker that another worker made: what the terminal says is what happens', {
  files: {
    'main.ts': `import Outer from './outer?worker'\nnew Outer().onmessage = ({ data }) => show('a', data)\nimport.meta.hot!.accept()`,
    'outer.ts': `import Inner from './inner?worker'\nnew Inner().onmessage = ({ data }) => postMessage(data)`,
    'inner.ts': `postMessage('one')`,
  },
}, async (app) => {
  await app.sees('#a', 'one')
  await app.edit('inner.ts', 'one', 'two')
  await app.sees('#a', 'two')
  await app.prints('worker restart /inner.ts')
  await app.stayed()
  assert.ok(!app.printed.includes('page reload'), app.printed)
})
