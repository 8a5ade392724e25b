/** Every mistake says where it is: in the overlay, in the terminal and in the browser's console. */
import assert from 'node:assert/strict'
import { test, until } from './harness.mjs'
import { build } from './output.mjs'

const TAKING = `import { other, count } from './a.js'\nshow('a', count)\nimport.meta.hot.accept()`
const GIVING = `export const count = 1\nexport const other = 2`

test(
  'a name that a module does not export, when the page starts',
  { files: { 'main.js': TAKING, 'a.js': GIVING.replace('count', 'counts') } },
  async (app) => {
    await app.overlay('did you mean `counts`?')
    await app.overlay('> 1 | import { other, count } from')
    await app.overlay('main.js:1:17')
    await app.prints(
      /error: SyntaxError: `count`, imported by \/main\.js, is not exported by \/a\.js\n +--> main\.js:1:17\n[^]*did you mean `counts`\?/,
    )
    await app.edit('a.js', 'counts', 'count')
    await app.sees('#a', '1')
    await app.noOverlay()
  },
)

test('the same, found by an edit of either side', { files: { 'main.js': TAKING, 'a.js': GIVING } }, async (app) => {
  await app.sees('#a', '1')
  await app.edit('a.js', 'count', 'zzz')
  await app.overlay('it exports `other`, `zzz`')
  await app.prints(/--> main\.js:1:17\n/)
  await app.edit('a.js', 'zzz', 'count')
  await app.noOverlay()
  await app.edit('main.js', `show('a', count)`, `show('a', count + other)`)
  await app.sees('#a', '3')
  await app.edit('main.js', '{ other,', '{ others as other,')
  await app.overlay('did you mean `other`?')
  await app.prints(/--> main\.js:1:10\n/)
  await app.stayed()
})

test('the same for what is passed on, for a default, and for what may be a type', {
  files: {
    'main.js': `import('./page.tsx').catch(() => {})\nimport.meta.hot.accept()`,
    'page.tsx': `import Thing from './thing'\nshow('a', Thing)`,
    'thing.ts': `export { Shape } from './shapes'\nexport const Thing = 1`,
    'shapes.ts': `export interface Shape { size: number }`,
  },
}, async (app) => {
  await app.prints(/--> thing\.ts:1:10\n[^]*it exports nothing; if it is a type, write `type` before it/)
  await app.overlay('thing.ts:1:10')
  await app.edit('thing.ts', 'export { Shape }', 'export { type Shape }')
  await app.prints(/--> page\.tsx:1:8\n[^]*it exports `Thing`/)
  await app.edit('page.tsx', 'import Thing', 'import { Thing }')
  await app.sees('#a', '1')
  await app.noOverlay()
})

test('what is thrown while a page starts is in the terminal, once for all tabs', {
  files: { 'main.js': `import './a.js'\nimport.meta.hot.accept()`, 'a.js': `const nobody = undefined\n\nnobody.size()` },
}, async (app) => {
  await app.tab({ blank: true }).then((tab) => tab.page.goto(app.url))
  await app.prints(/error: TypeError: Cannot read properties of undefined[^\n]*\n +--> a\.js:3:8\n/)
  await new Promise((done) => setTimeout(done, 300))
  assert.equal(app.printed.split('TypeError: Cannot read').length, 2, app.printed)
})

test(
  'a save that mends nothing is said, and brings the overlay back',
  { files: { 'main.js': `show('a', 'one')\nimport.meta.hot.accept()` } },
  async (app) => {
    await app.edit('main.js', `'one')`, `'one'`)
    await app.overlay('main.js')
    await until('the console to have it', () => assert.match(app.errors.join('\n'), /main\.js:\d+:\d+\n/))
    await app.page.keyboard.press('Escape')
    await app.noOverlay()
    const before = app.printed.length
    await app.edit('main.js', 'accept()', 'accept()')
    await app.overlay('main.js')
    await until('the terminal to say so', () => assert.match(app.printed.slice(before), /still broken \/main\.js, as before/))
    assert.doesNotMatch(app.printed.slice(before), /error:/)
    await app.edit('main.js', `'one'`, `'two')`)
    await app.sees('#a', 'two')
    await app.noOverlay()
    await app.stayed()
  },
)

test('a query that belongs to a plugin names it, in development and in a build; any other only makes another instance', {
  files: { 'main.js': `import Logo from './logo.svg?react'\nshow('a', typeof Logo)`, 'logo.svg': '<svg xmlns="http://www.w3.org/2000/svg"/>' },
}, async (app) => {
  await app.overlay('`logo.svg?react` is for the plugin vite-plugin-svgr')
  assert.match(await app.first.overlayText(), /main\.js:1:\d+/)
  const { code, err } = await build(app)
  assert.equal(code, 1)
  assert.match(err, /`logo\.svg\?react` is for the plugin vite-plugin-svgr/)
  assert.match(err, /--> main\.js:1:\d+/)
  await app.edit('main.js', '?react', '?w=300&format=webp')
  await app.overlay('vite-imagetools')
  await app.edit('main.js', '?w=300&format=webp', '?v=1')
  await app.sees('#a', 'string')
  await app.noOverlay()
})

test('a mistake that was there before the server is told once', {
  files: { 'main.js': `import './broken.js'`, 'broken.js': 'const = 1', 'style.css': '' },
  start: false,
}, async (app) => {
  app.write('broken.js', 'const = 2')
  await app.start()
  await app.load()
  await app.overlay('broken.js')
  const tab = await app.tab()
  await tab.overlay('broken.js')
  await new Promise((done) => setTimeout(done, 500))
  assert.equal(app.printed.match(/broken\.js/g).length, 1, app.printed)
  await app.noticed('still broken /broken.js', () => app.write('broken.js', 'const = 2'))
})

test('two functions of one name in TypeScript are a mistake, and overloads are none', {
  files: {
    'main.ts':
      `function f(a: string): void\nfunction f(a: number): void\nfunction f(a: unknown) { show('a', String(a)) }\nf(1)\nimport.meta.hot!.accept()`,
    'index.html':
      '<!doctype html><link rel="icon" href="data:,"><p id="a"></p><script>window.show = (id, text) => (document.getElementById(id).textContent = text)</script><script type="module" src="/main.ts"></script>',
  },
}, async (app) => {
  await app.sees('#a', '1')
  await app.edit('main.ts', 'function f(a: number): void', 'function f(a: number): void {}')
  await app.overlay('Identifier `f` has already been declared')
  assert.equal((await build(app)).code, 1)
})

const SWALLOWED = {
  'a comment before the page': ['<html>', '<!-- <html>'],
  'a comment before the doctype': ['<!doctype', '<!-- licence\n<!doctype'],
  'a comment': ['<p id="a">', '<!-- <p id="a">'],
  'a <style>': ['<p id="a">', '<style> p { order: 1 }<p id="a">'],
  'a <title>': ['<p id="a">', '<title>mine<p id="a">'],
  'a <textarea>': ['<p id="a">', '<textarea><p id="a">'],
  'a <template>': ['<p id="a">', '<template><p id="a">'],
  'a tag': ['<p id="a">', '<p id="a'],
}
const PAGE =
  '<!doctype html>\n<html>\n<head><link rel="icon" href="data:,"></head>\n<body>\n<p id="a">page</p>\n<script type="module" src="/main.js"></script>\n</body>\n</html>\n'
for (const [what, edit] of Object.entries(SWALLOWED)) {
  test(`${what} that is not closed swallows the page’s script: the save that closes it arrives`, {
    files: { 'index.html': PAGE, 'main.js': `document.querySelector('#a').textContent = 'ran'` },
    load: false,
  }, async (app) => {
    app.write('index.html', PAGE.replace(edit[0], edit[1]))
    const tab = await app.tab({ blank: true })
    await tab.page.goto(app.url)
    await until('a connection', () => assert.equal(tab.connections, 1))
    app.write('index.html', PAGE)
    await tab.sees('#a', 'ran')
    await tab.noOverlay()
  })
}

test('DevTools have the new text of a module that was updated, and stop in it', {
  files: {
    'main.js':
      `const typeOf = (event) => event.type\nglobalThis.tick = () => {\n  return 'old'\n}\nshow('a', tick())\nglobalThis.free = () => [typeOf({ type: 'own' }), event?.type]\nimport.meta.hot.accept()`,
  },
}, async (app) => {
  const devtools = await app.page.context().newCDPSession(app.page)
  const scripts = []
  devtools.on('Debugger.scriptParsed', (script) => scripts.push(script))
  await devtools.send('Debugger.enable')
  const url = new URL('/main.js', app.url).href
  await app.edit('main.js', 'const typeOf', '// 1\n// 2\nconst typeOf', `'old'`, `'new'`)
  await app.sees('#a', 'new')
  const updated = scripts.filter((script) => script.url === url)
  assert.equal(updated.length, 1)
  // A tab compiles definitions as an event handler; in the module `event` is still that of the window.
  assert.deepEqual(
    await app.page.evaluate(() => {
      let seen
      addEventListener('mine', () => (seen = free()), { once: true })
      dispatchEvent(new Event('mine'))
      return seen
    }),
    ['own', 'mine'],
  )
  // DevTools tell by it whether two texts with one address are the same file.
  assert.equal(new URL(updated[0].embedderName).origin, new URL(app.url).origin)
  assert.match(updated[0].sourceMapURL, /@rekindle\/map\?id=/)
  const map = await fetch(new URL(updated[0].sourceMapURL, app.url)).then((answer) => answer.json())
  assert.match(map.sourcesContent[0], /^\/\/ 1\n\/\/ 2\n/)
  const { scriptSource } = await devtools.send('Debugger.getScriptSource', { scriptId: updated[0].scriptId })
  const lineNumber = scriptSource.split('\n').findIndex((line) => line.includes(`"new"`) || line.includes(`'new'`))
  await devtools.send('Debugger.setBreakpointByUrl', { url, lineNumber })
  const paused = new Promise((done) => devtools.once('Debugger.paused', done))
  const ticking = app.page.evaluate(() => tick())
  const { callFrames } = await paused
  assert.equal(callFrames[0].location.scriptId, updated[0].scriptId)
  await devtools.send('Debugger.resume')
  assert.equal(await ticking, 'new')
})

/** Holds back the segments that an `import()` has asked for until `release` is called. `asked` settles when the server has answered. */
function holdSegments(page) {
  let release
  const released = new Promise((done) => (release = done))
  const asked = new Promise((done) => {
    void page.route('**/@rekindle/s/*', async (route) => {
      const response = await route.fetch()
      done(undefined)
      await released
      await route.fulfill({ response })
    })
  })
  return { asked, release }
}

for (const [what, importer, shows] of [
  ['runs', `import { text } from './data.js'\nshow('a', text)`, 'one'],
  ['throws', `import { text } from './data.js'\nshow('a', text + ' and no more')\nthrow new Error('too bad')`, 'one and no more'],
]) {
  test(`a module that breaks while an import() of its importer loads, and the importer ${what}, has its error in the overlay`, {
    files: {
      'main.js': `import './beside.js'\nshow('a', 'none')\nglobalThis.go = () => import('./lazy.js').catch(() => {})`,
      'beside.js': `show('b', 'one')\nimport.meta.hot.accept()`,
      'lazy.js': importer,
      'data.js': `export const text = 'one'`,
    },
  }, async (app) => {
    const { page } = app.first
    const held = holdSegments(page)
    await page.evaluate(() => void globalThis.go())
    await held.asked
    await app.noticed('data.js', () => app.write('data.js', `export const text = `))
    await app.edit('beside.js', 'one', 'two')
    await app.sees('#b', 'two') // So it has received the earlier save too.
    held.release()
    await app.sees('#a', shows)
    await app.overlay('data.js')
    app.write('data.js', `export const text = 'two'`)
    await app.noOverlay()
  })
}

/** Puts a link into the page, as scripts do that switch themes. */
const LINKING = `show('a', 'one')
globalThis.go = () => document.head.append(Object.assign(document.createElement('link'), { rel: 'stylesheet', href: '/b.css' }))`

test('a sheet with a mistake that a script links has its error in the overlay', {
  files: {
    'main.js': `${LINKING}\nglobalThis.later = () => import('./b.css')`,
    'b.css': `@import './nothing.css';\nbody { color: rgb(1, 2, 3) }`,
  },
}, async (app) => {
  await app.page.evaluate(() => globalThis.go())
  await app.overlay('nothing.css')
  await app.prints('b.css:1:')
  await app.edit('b.css', `@import './nothing.css';`, '')
  await app.noOverlay()
  await app.looks('body', 'color', 'rgb(1, 2, 3)')
})

test('a sheet that broke before a script linked it has its error in the overlay', {
  files: {
    'main.js': LINKING,
    'other.html': `<!doctype html><link rel="stylesheet" href="/b.css"><p>other</p>`,
    'b.css': `body { color: rgb(1, 2, 3) }`,
  },
}, async (app) => {
  const other = await app.tab({ blank: true })
  await other.page.goto(new URL('/other.html', app.url).href)
  await app.noticed('b.css', () => app.edit('b.css', 'body', `@import './nothing.css';\nbody`))
  await other.overlay('nothing.css')
  await app.page.evaluate(() => globalThis.go())
  await app.overlay('nothing.css')
  await app.edit('b.css', `@import './nothing.css';`, '')
  await app.noOverlay()
})
