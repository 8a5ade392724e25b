/** What happens to a page between a save and the next one. */
import assert from 'node:assert/strict'
import { test } from './harness.mjs'

const COUNTED = `
const data = import.meta.hot!.data
data.runs = (data.runs ?? 0) + 1
show('b', data.runs)
import.meta.hot!.accept()`

test('state is kept over an edit of a style sheet', {
  files: { 'main.ts': `import './look.css'${COUNTED}`, 'look.css': `#a { color: rgb(1, 2, 3) }` },
}, async (app) => {
  await app.looks('#a', 'color', 'rgb(1, 2, 3)')
  await app.edit('look.css', 'rgb(1, 2, 3)', 'rgb(4, 5, 6)')
  await app.looks('#a', 'color', 'rgb(4, 5, 6)')
  await app.sees('#b', '1')
  await app.stayed()
})

test('a broken save shows the overlay, the old page lives, the fix goes on from there', {
  files: { 'main.ts': `show('a', 'one')\nlet clicks = 0\ndocument.body.onclick = () => show('c', ++clicks)${COUNTED}` },
}, async (app) => {
  await app.edit('main.ts', `show('a', 'one')`, `show('a', 'one'`)
  await app.overlay('main.ts')
  await app.page.evaluate(() => document.body.click())
  await app.sees('#c', '1')
  await app.sees('#b', '1')
  await app.edit('main.ts', `show('a', 'one'`, `show('a', 'two')`)
  await app.sees('#a', 'two')
  await app.sees('#b', '2')
  await app.noOverlay()
  await app.stayed()
})

test('a page that was broken from the start comes up with the fix', {
  load: false,
  files: { 'main.ts': `import './part'`, 'part.ts': `show('a', ` },
}, async (app) => {
  const tab = await app.tab({ blank: true })
  await tab.page.goto(app.url)
  await tab.overlay('part.ts')
  await app.edit('part.ts', `show('a', `, `show('a', 'well')`)
  await tab.sees('#a', 'well')
  await tab.noOverlay()
})

test('a page that stopped at an error while it started comes up with a fix of any module it needs', {
  load: false,
  files: { 'main.ts': `import { part } from './part'\nshow('a', part)`, 'part.ts': `export const part = 'one'\nthrow new Error('not today')` },
}, async (app) => {
  await app.load()
  assert.match(app.errors.join(), /not today/)
  await app.edit('main.ts', `import { part } from './part'`, `const part = 'none'`)
  await app.reloaded()
  await app.sees('#a', 'none')
})

test('an import of a name that does not exist is explained, and the page comes up when it does', {
  load: false,
  files: { 'main.ts': `import { part } from './part'\nshow('a', part)`, 'part.ts': `export const parts = 'one'` },
}, async (app) => {
  await app.load()
  assert.match(app.errors.join(), /`part`, imported by \/main\.ts, is not exported by \/part\.ts/)
  await app.edit('part.ts', 'parts', 'part')
  await app.reloaded()
  await app.sees('#a', 'one')
})

test('a module that throws does not hold back the saves of others', {
  files: {
    'main.ts': `import './broken'\nimport './other'`,
    'broken.ts': `show('a', 'one')\nimport.meta.hot!.accept()`,
    'other.ts': `show('b', 'one')\nimport.meta.hot!.accept()`,
  },
}, async (app) => {
  await app.edit('broken.ts', `show('a', 'one')`, `throw new Error('not today')`)
  await app.overlay('not today')
  await app.edit('other.ts', 'one', 'two')
  await app.sees('#b', 'two')
  await app.overlay('not today')
  await app.edit('broken.ts', `throw new Error('not today')`, `show('a', 'two')`)
  await app.sees('#a', 'two')
  await app.noOverlay()
  await app.stayed()
})

test('invalidate between two saves takes the importers along', {
  files: {
    'main.ts':
      `import { size } from './size'\nshow('a', size)\nconst data = import.meta.hot!.data\nshow('b', (data.runs = (data.runs ?? 0) + 1))\nimport.meta.hot!.accept()`,
    'size.ts': `export const size = 1\nimport.meta.hot!.accept()\ndocument.body.onclick = () => import.meta.hot!.invalidate()`,
  },
}, async (app) => {
  await app.edit('size.ts', 'size = 1', 'size = 2')
  await app.prints(/size\.ts.*ms/)
  await app.page.evaluate(() => document.body.click())
  await app.sees('#a', '2')
  await app.sees('#b', '2')
  await app.stayed()
})

test('a copy that throws is rolled back', {
  files: {
    'main.ts':
      `import { value } from './value'\nshow('a', value)\nlet clicks = 0\ndocument.body.onclick = () => show('c', value + ++clicks)\nimport.meta.hot!.accept()`,
    'value.ts': `export const value = 'one'`,
  },
}, async (app) => {
  await app.edit('value.ts', `export const value = 'one'`, `export const value = 'two'\nthrow new Error('not today')`)
  await app.overlay('not today')
  await app.page.evaluate(() => document.body.click())
  await app.sees('#c', 'one1')
  await app.edit('value.ts', `\nthrow new Error('not today')`, '')
  await app.sees('#a', 'two')
  await app.noOverlay()
  await app.stayed()
})

test('the old lets go before the new begins, and only then the acceptor is told', {
  files: {
    'main.ts': `import './clock'\nimport.meta.hot!.accept('./clock', () => console.log('told'))`,
    'clock.ts':
      `const step = 1\nconsole.log('started with', step)\nimport.meta.hot!.dispose(async () => { await null; console.log('stopped', step) })`,
  },
}, async (app) => {
  await app.edit('clock.ts', 'step = 1', 'step = 2')
  await app.says('started with 1', 'stopped 1', 'started with 2', 'told')
  await app.stayed()
})

test('what nothing imports any more is pruned, with what it imported', {
  files: {
    'main.ts': `import './room'\nshow('a', 'furnished')\nimport.meta.hot!.accept()`,
    'room.ts': `import './room.css'\nimport.meta.hot!.prune(() => console.log('room pruned'))`,
    'room.css': `#a { color: rgb(1, 2, 3) }`,
  },
}, async (app) => {
  await app.looks('#a', 'color', 'rgb(1, 2, 3)')
  await app.edit('main.ts', `import './room'\n`, '', 'furnished', 'empty')
  await app.sees('#a', 'empty')
  await app.says('room pruned')
  await app.looks('#a', 'color', 'rgb(0, 0, 0)')
  await app.stayed()
})

test('invalidate hands the update to the importers', {
  files: {
    'main.ts': `import { size } from './size'\nshow('a', size)\nimport.meta.hot!.accept()`,
    'size.ts': `export const size = 1\nimport.meta.hot!.accept((next) => { if (next!.size > 2) import.meta.hot!.invalidate('too large') })`,
  },
}, async (app) => {
  await app.edit('size.ts', 'size = 1', 'size = 3')
  await app.sees('#a', '3')
  await app.stayed()
})

test('invalidate reaches an importer that accepts the module as its dependency', {
  files: {
    'main.ts': `import { size } from './size'\nshow('a', size)\nimport.meta.hot!.accept('./size', (next) => show('a', next!.size))`,
    'size.ts': `export const size = 1\nimport.meta.hot!.accept(() => import.meta.hot!.invalidate())`,
  },
}, async (app) => {
  await app.edit('size.ts', 'size = 1', 'size = 3')
  await app.sees('#a', '3')
  await app.stayed()
})

test('an edit that no module accepts reloads, and the terminal says why', {
  files: { 'main.ts': `import { text } from './text'\nshow('a', text)`, 'text.ts': `export const text = 'one'` },
}, async (app) => {
  await app.edit('text.ts', 'one', 'two')
  await app.reloaded()
  await app.sees('#a', 'two')
  await app.prints(/reload.*text\.ts.*main\.ts/s)
})

test('an edit made while the page loads is on the page', {
  load: false,
  files: {
    'main.ts': `import './part'\nshow('a', 'up')`,
    'part.ts': `console.log('waiting')\nawait new Promise((go) => { (window as any).go = go })\nshow('b', 'one')\nimport.meta.hot!.accept()`,
  },
}, async (app) => {
  const tab = await app.tab({ blank: true })
  await tab.page.goto(app.url, { waitUntil: 'commit' })
  await tab.says('waiting')
  await app.edit('part.ts', `show('b', 'one')`, `show('b', 'two')`)
  await tab.page.waitForTimeout(200) // The save must reach the server while the page is pending; no signal of that reaches the page.
  const letGo = setInterval(() => tab.page.evaluate(() => window.go()).catch(() => {}), 50)
  await tab.sees('#b', 'two').finally(() => clearInterval(letGo))
  await tab.sees('#a', 'up')
})

test('twenty saves in a row: the last one is what the page shows', {
  files: { 'main.ts': `show('a', 0)\nimport.meta.hot!.accept()` },
}, async (app) => {
  for (let i = 1; i <= 20; i++) {
    app.write('main.ts', `show('a', ${i})\nimport.meta.hot!.accept()`)
    await new Promise((done) => setTimeout(done, i % 4))
  }
  await app.sees('#a', '20')
  await app.stayed()
})

test('a removed dependency is explained, and the page goes on when it is back', {
  files: { 'main.ts': `import { text } from './text'\nshow('a', text)\nimport.meta.hot!.accept()`, 'text.ts': `export const text = 'one'` },
}, async (app) => {
  app.remove('text.ts')
  await app.edit('main.ts', `show('a', text)`, `show('a', text + '!')`)
  await app.overlay('./text')
  app.write('text.ts', `export const text = 'two'`)
  await app.sees('#a', 'two!')
  await app.noOverlay()
  await app.stayed()
})

test('two tabs take the same edit', {
  files: { 'main.ts': `show('a', 'one')\nimport.meta.hot!.accept()` },
}, async (app) => {
  const other = await app.tab()
  await app.edit('main.ts', 'one', 'two')
  await app.sees('#a', 'two')
  await other.sees('#a', 'two')
  await app.stayed()
  await other.stayed()
  assert.deepEqual(app.errors, [])
})
