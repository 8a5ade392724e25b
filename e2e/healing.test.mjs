/** Mistakes that are undone, or mended in another file: the page recovers by itself, and no old error stays on it. */
import assert from 'node:assert/strict'
import { test } from './harness.mjs'

const accepting = `import { v } from './a.js'
show('a', v)
import.meta.hot.accept('./a.js', (next) => next && show('a', next.v))`

test('a save that threw: what the old code had let go runs again at once, and the overlay goes with the save that mends it', {
  files: { 'main.js': accepting, 'a.js': `export const v = 1\nshow('b', 'on')\nimport.meta.hot.dispose(() => show('b', 'off'))` },
}, async (app) => {
  await app.edit('a.js', 'export const v = 1', `throw new Error('boom')`)
  await app.overlay('boom')
  await app.sees('#b', 'on')
  await app.edit('a.js', `throw new Error('boom')`, 'export const v = 1')
  await app.noOverlay()
  await app.sees('#b', 'on')
  await app.stayed()
})

for (const [kind, text] of [['does not parse', 'export const z = ;'], ['throws', `throw new Error('bad')`]]) {
  test(`an import of a file that ${kind} is removed again: its error goes with it`, {
    files: { 'main.js': `show('a', 'one')\nimport.meta.hot.accept()`, 'bad.js': text },
  }, async (app) => {
    await app.edit('main.js', `show('a', 'one')`, `import './bad.js'\nshow('a', 'two')`)
    await app.overlay('bad.js')
    await app.edit('main.js', `import './bad.js'\nshow('a', 'two')`, `show('a', 'three')`)
    await app.sees('#a', 'three')
    await app.noOverlay()
    await app.stayed()
  })
}

test('a tsconfig that was broken is read again when it is mended', {
  load: false,
  files: {
    'tsconfig.json': `{ "compilerOptions": { "jsx": "react", "jsxFactory": "h" } }{`,
    'main.tsx': `const h = (tag: string) => tag\nshow('a', <b />)`,
  },
}, async (app) => {
  const tab = await app.tab({ blank: true })
  await tab.page.goto(app.url)
  await tab.overlay('tsconfig.json')
  await app.edit('tsconfig.json', '}{', '}')
  await tab.sees('#a', 'b')
  await tab.noOverlay()
})

test('a tsconfig that is broken keeps no script from running that does not ask it', {
  load: false,
  files: { 'tsconfig.json': `{ "compilerOptions": {} }{`, 'main.js': `import { a } from './a.js'\nshow('a', a)`, 'a.js': 'export const a = 1' },
}, async (app) => {
  const tab = await app.tab({ blank: true })
  await tab.page.goto(app.url)
  await tab.sees('#a', '1')
  await tab.noOverlay()
})

test('sheets of imports that an edit takes out while the page cannot start do not stay', {
  load: false,
  files: {
    'index.html':
      '<!doctype html><head><link rel="icon" href="data:,"></head><body><p id="a">x</p><script type="module" src="/main.js"></script></body>',
    'main.js':
      `import './one.css'\nimport './broken.js'\nshow('a', 'first')\nfunction show(id, text) { document.getElementById(id).textContent = text }`,
    'broken.js': 'const = 1',
    'one.css': '#a { color: rgb(1, 2, 3) }',
  },
}, async (app) => {
  const tab = await app.tab({ blank: true })
  await tab.page.goto(app.url)
  await tab.overlay('broken.js')
  await tab.looks('#a', 'color', 'rgb(1, 2, 3)')
  app.write('main.js', `show('a', 'second')\nfunction show(id, text) { document.getElementById(id).textContent = text }`)
  await tab.sees('#a', 'second')
  await tab.looks('#a', 'color', 'rgb(0, 0, 0)')
})

test('an edit of a config that tsconfig.json extends counts', {
  files: {
    'tsconfig.json': `{ "extends": "./base.json" }`,
    'base.json': `{ "compilerOptions": { "jsx": "react", "jsxFactory": "one" } }`,
    'main.tsx': `const one = () => 'one'\nconst two = () => 'two'\nshow('a', <b />)\nimport.meta.hot!.accept()`,
  },
}, async (app) => {
  await app.sees('#a', 'one')
  await app.edit('base.json', '"one"', '"two"')
  await app.sees('#a', 'two')
  await app.stayed()
})

test('a linked sheet that was edited while the server was away is taken when it is back', {
  files: {
    'index.html':
      `<!doctype html><head><link rel="icon" href="data:,"><link rel="stylesheet" href="/site.css"></head><body><p id="a">x</p><script type="module" src="/main.js"></script></body>`,
    'main.js': '',
    'site.css': '#a { color: rgb(1, 2, 3) }',
  },
}, async (app) => {
  await app.looks('#a', 'color', 'rgb(1, 2, 3)')
  await app.stop('SIGKILL')
  await app.edit('site.css', 'rgb(1, 2, 3)', 'rgb(4, 5, 6)')
  await app.start()
  await app.looks('#a', 'color', 'rgb(4, 5, 6)')
  await app.stayed()
})

test('a sheet that is switched off does not hold up the updates behind it', {
  files: {
    'index.html':
      `<!doctype html><head><link rel="icon" href="data:,"><link rel="stylesheet" id="dark" href="/dark.css"><script>show = (id, text) => { document.getElementById(id).textContent = text }</script></head><body><p id="a">x</p><script type="module" src="/main.js"></script></body>`,
    'main.js': accepting,
    'a.js': 'export const v = 1',
    'dark.css': '#a { color: rgb(1, 2, 3) }',
  },
}, async (app) => {
  await app.page.evaluate(() => void (document.getElementById('dark').disabled = true))
  await app.edit('dark.css', 'rgb(1, 2, 3)', 'rgb(4, 5, 6)')
  await app.edit('a.js', '1', '2')
  await app.sees('#a', '2')
  await app.page.evaluate(() => void (document.getElementById('dark').disabled = false))
  await app.looks('#a', 'color', 'rgb(4, 5, 6)')
  await app.stayed()
})

test('sheets and scripts of public/ may be named without a slash', {
  files: {
    'index.html':
      `<!doctype html><head><link rel="icon" href="data:,"><link rel="stylesheet" href="./pub.css"></head><body><p id="a">x</p><p id="b"></p><script type="module" src="pub.js"></script></body>`,
    'public/pub.css': '#a { color: rgb(1, 2, 3) }',
    'public/pub.js': `document.getElementById('b').textContent = 'ran'`,
  },
  load: false,
}, async (app) => {
  const tab = await app.tab({ blank: true })
  await tab.page.goto(app.url)
  await tab.looks('#a', 'color', 'rgb(1, 2, 3)')
  await tab.sees('#b', 'ran')
  assert.equal(await tab.overlayText(), null)
})

test('a module that nothing names can be imported by a path that is only known when it runs', {
  files: {
    'main.js': `for (const name of ['./pages/one', './pages/two.js']) import(name).then(({ text }) => show(text, text))`,
    'pages/one.js': `export const text = 'a'`,
    'pages/two.js': `export const text = 'b'`,
  },
}, async (app) => {
  await app.sees('#a', 'a')
  await app.sees('#b', 'b')
})

test('an export that is gone is named when others still import it', {
  files: { 'main.js': `import { v } from './a.js'\nshow('a', v)`, 'a.js': `export const v = 1\nimport.meta.hot.accept()` },
}, async (app) => {
  await app.edit('a.js', 'const v', 'const w')
  await app.page.waitForFunction(() => true)
  for (let tries = 0; tries < 100 && app.errors.length === 0; tries++) await app.page.waitForTimeout(50)
  assert.match(app.errors.join('\n'), /`v`, imported by \/main\.js, is not exported by \/a\.js/)
  await app.stayed()
})

/** Compiles, and is a syntax error in every browser. */
const UNREADABLE = 'while (false) { () => { break } }'

test('a module that the browser cannot parse is an error of its own: the page runs without it', {
  files: { 'main.js': `show('a', 'one')\nimport.meta.hot.accept()`, 'lazy.js': `export const x = 1\n${UNREADABLE}` },
}, async (app) => {
  await app.edit(
    'main.js',
    `show('a', 'one')`,
    `import('./lazy.js').then((m) => show('b', m.x), (error) => show('b', error.message))\nshow('a', 'two')`,
  )
  await app.sees('#a', 'two')
  await app.sees('#b', /cannot parse this file/)
  await app.overlay('lazy.js')
  await app.prints('lazy.js:2:')
  await app.load()
  await app.sees('#a', 'two')
  await app.sees('#b', /cannot parse this file/)
  await app.edit('lazy.js', UNREADABLE, '')
  await app.sees('#b', '1')
  await app.noOverlay()
})

test('a page that starts with one shows it, by file and line, and starts once it is mended', {
  load: false,
  files: {
    'main.js': `import { v } from './a.js'\nimport('./lazy.js').catch((error) => show('c', error.message))\nshow('a', v)\nimport.meta.hot.accept()`,
    'a.js': `export const v = 1\n${UNREADABLE}`,
    'lazy.js': UNREADABLE,
  },
}, async (app) => {
  const tab = await app.tab({ blank: true })
  await tab.page.goto(app.url)
  await tab.overlay('a.js:2:')
  await app.edit('a.js', UNREADABLE, '')
  await tab.sees('#a', '1')
  await tab.sees('#c', /cannot parse this file/)
})

test('a broken file that is deleted and written anew: its error goes', {
  files: { 'main.js': accepting, 'a.js': 'export const v = 1' },
}, async (app) => {
  await app.edit('a.js', '1', '= 1')
  await app.overlay('a.js')
  app.remove('a.js')
  await new Promise((done) => setTimeout(done, 60))
  app.write('a.js', 'export const v = 2')
  await app.sees('#a', '2')
  await app.noOverlay()
  await app.stayed()
})

test('an import() that was rejected is made again when its module is mended, whatever else the save brings', {
  files: {
    'main.js':
      `import './part.js'\nimport { v } from './a.js'\nshow('a', v)\nimport.meta.hot.accept(['./part.js', './a.js'], ([, a]) => a && show('a', a.v))`,
    'a.js': 'export const v = 1',
    'part.js': `import('./lazy.js').then(({ v }) => show('b', v), () => show('b', 'failed'))`,
    'lazy.js': 'export const v = ;',
  },
}, async (app) => {
  await app.sees('#b', 'failed')
  await app.overlay('lazy.js')
  app.write('a.js', 'export const v = 2')
  app.write('lazy.js', 'export const v = 3')
  await app.sees('#b', '3')
  await app.sees('#a', '2')
  await app.noOverlay()
  await app.stayed()
})

test('an import() that the server did not answer is made again when it is back', {
  files: {
    'main.js':
      `globalThis.go = () => import('./lazy.js').then(({ v }) => show('b', v), () => show('b', 'failed'))\nif (import.meta.hot.data.asked) go()\nimport.meta.hot.data.asked = false\nimport.meta.hot.dispose((data) => (data.asked = true))\nimport.meta.hot.accept()`,
    'lazy.js': 'export const v = 1',
  },
}, async (app) => {
  await app.stop('SIGKILL')
  await app.page.route('**/@rekindle/load.js?**', (route) => route.abort())
  await app.start()
  await app.page.evaluate(() => go())
  await app.sees('#b', 'failed')
  await app.page.unroute('**/@rekindle/load.js?**')
  await app.stop('SIGKILL')
  await app.start()
  await app.sees('#b', '1')
  await app.stayed()
})

test('the overlay of a page that could not start stays while other files are saved', {
  load: false,
  files: {
    'index.html':
      `<!doctype html><head><link rel="icon" href="data:,"><link rel="stylesheet" href="/site.css"></head><body><p id="a">x</p><script type="module" src="/main.js"></script></body>`,
    'main.js': `throw new Error('cannot start')`,
    'site.css': '#a { color: rgb(1, 2, 3) }',
  },
}, async (app) => {
  const tab = await app.tab({ blank: true })
  await tab.page.goto(app.url)
  await tab.overlay('cannot start')
  await app.edit('site.css', 'rgb(1, 2, 3)', 'rgb(4, 5, 6)')
  await tab.looks('#a', 'color', 'rgb(4, 5, 6)')
  await tab.overlay('cannot start')
})

test('a module that is broken while nothing imports it is explained when something does', {
  files: { 'main.js': `import './a.js'\nimport.meta.hot.accept()`, 'a.js': `show('a', 1)` },
}, async (app) => {
  app.write('main.js', `show('b', 'alone')\nimport.meta.hot.accept()`)
  await app.sees('#b', 'alone')
  app.write('a.js', 'const = 1')
  await app.prints('a.js:1')
  app.write('main.js', `import './a.js'\nimport.meta.hot.accept()`)
  await app.overlay('a.js')
})

test('sheets come into the order of their imports with the save that mends an update', {
  files: {
    'main.js': `import './one.css'\nimport './two.css'\nshow('b', 1)\nimport.meta.hot.accept()`,
    'one.css': '#a { color: rgb(1, 1, 1) }',
    'two.css': '#a { color: rgb(2, 2, 2) }',
  },
}, async (app) => {
  await app.looks('#a', 'color', 'rgb(2, 2, 2)')
  app.write('main.js', `import './two.css'\nimport './one.css'\nthrow new Error('not yet')\nimport.meta.hot.accept()`)
  await app.overlay('not yet')
  app.write('main.js', `import './two.css'\nimport './one.css'\nshow('b', 2)\nimport.meta.hot.accept()`)
  await app.sees('#b', '2')
  await app.looks('#a', 'color', 'rgb(1, 1, 1)')
  await app.stayed()
})

test('a module that an import() brings after its importer has gone does not stay', {
  files: {
    'main.js': `import './part.js'\nimport.meta.hot.accept()`,
    'part.js': `globalThis.go = () => import('./lazy.js').then(() => show('b', 'came'))`,
    'lazy.js': `show('a', 'here')\nimport.meta.hot.dispose(() => show('a', 'gone'))`,
  },
}, async (app) => {
  await app.edit('main.js', `import './part.js'\n`, '')
  await app.prints('main.js')
  await app.page.evaluate(() => go())
  await app.sees('#b', 'came')
  await app.sees('#a', 'gone')
  await app.stayed()
})

test('a page that cannot start explains why, also what has gone wrong since in a module that it holds', {
  load: false,
  files: {
    'index.html': '<!doctype html><head><link rel="icon" href="data:,"></head><body><script type="module" src="/main.js"></script></body>',
    'main.js': `import './part.js'\nimport './broken.js'`,
    'part.js': `import './deep.js'`,
    'deep.js': '',
    'broken.js': 'const = 1',
  },
}, async (app) => {
  const tab = await app.tab({ blank: true })
  await tab.page.goto(app.url)
  await tab.overlay('broken.js')
  app.remove('deep.js')
  await tab.overlay('cannot find `./deep.js`')
  await app.stop('SIGKILL')
  app.write('broken.js', '')
  await app.start()
  await tab.overlay('cannot find `./deep.js`')
  app.write('deep.js', '')
  await tab.noOverlay()
})
