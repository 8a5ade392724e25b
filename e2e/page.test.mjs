/** What a page names by itself: sheets, scripts in its text, their mistakes. */
import assert from 'node:assert/strict'
import { test } from './harness.mjs'
import { build, serve } from './output.mjs'

const page = (head, body = '') =>
  `<!doctype html>
<html>
  <head><link rel="icon" href="data:,">${head}</head>
  <body><p id="a">text</p>${body}</body>
</html>
`

test('a linked sheet that is not there is explained, and is taken when it appears', {
  files: { 'index.html': page('<link rel="stylesheet" href="/late.css">', '<script type="module">import.meta.hot</script>') },
}, async (app) => {
  await app.overlay('late.css')
  await app.write('late.css', '#a { color: rgb(1, 2, 3) }')
  await app.looks('#a', 'color', 'rgb(1, 2, 3)')
  await app.noOverlay()
  await app.stayed()
})

test('a linked sheet keeps its look while it is broken', {
  files: { 'index.html': page('<link rel="stylesheet" href="/site.css">'), 'site.css': '#a { color: rgb(1, 2, 3) }' },
}, async (app) => {
  await app.looks('#a', 'color', 'rgb(1, 2, 3)')
  await app.write('site.css', `@import './nowhere.css';\n#a { color: rgb(4, 5, 6) }`)
  await app.overlay('nowhere.css')
  await app.looks('#a', 'color', 'rgb(1, 2, 3)')
  await app.write('site.css', '#a { color: rgb(7, 8, 9) }')
  await app.looks('#a', 'color', 'rgb(7, 8, 9)')
  await app.noOverlay()
  await app.stayed()
})

test('addresses in linked and imported sheets keep query and fragment', {
  files: {
    'index.html': page('<link rel="stylesheet" href="/site.css">', '<b id="b"></b><script type="module" src="/main.js"></script>'),
    'main.js': `import './own.css'`,
    'site.css': `#a { background-image: url('./icons.svg#one') }`,
    'own.css': `#b { background-image: url('./icons.svg?v=2#two') }`,
    'icons.svg': '<svg xmlns="http://www.w3.org/2000/svg"/>',
  },
}, async (app) => {
  await app.looks('#a', 'background-image', `url("${app.url}icons.svg#one")`)
  await app.looks('#b', 'background-image', `url("${app.url}icons.svg?v=2#two")`)
  await app.write('icons.svg', '<svg xmlns="http://www.w3.org/2000/svg" width="2"/>')
  await app.looks('#b', 'background-image', `url("${app.url}icons.svg?t=1&v=2#two")`)
  await app.looks('#a', 'background-image', `url("${app.url}icons.svg?t=1#one")`)
  await app.stayed()
})

for (const [kind, line, message] of [
  ['a syntax error', `const v = = 1`, /6:15/],
  ['an import that is not there', `import './nope.js'`, /6:12/],
]) {
  test(`${kind} in a script of the page is told with line and column of the page`, {
    load: false,
    files: { 'index.html': page('', `\n<script type="module">\n    ${line}\n</script>`) },
  }, async (app) => {
    const tab = await app.tab({ blank: true })
    await tab.page.goto(app.url)
    await tab.overlay('index.html')
    assert.match(await tab.overlayText(), new RegExp(message))
  })
}

test('a script of the page that is not there is said in the terminal once, and that it came', {
  files: { 'index.html': '<!doctype html><link rel="icon" href="data:,"><p id="a"></p><script type="module" src="/late.js"></script>' },
}, async (app) => {
  await app.overlay('cannot find `/late.js`')
  await app.prints('error: cannot find `/late.js`')
  const other = await app.tab()
  await other.overlay('cannot find `/late.js`')
  assert.equal(app.printed.split('cannot find `/late.js`').length, 2)
  app.write('late.js', `document.getElementById('a').textContent = 'came'`)
  await app.sees('#a', 'came')
  await app.prints('fixed /index.html')
})

const PLAIN_SCRIPTS = {
  'index.html': `<!doctype html><head><link rel="icon" href="data:,"></head><body><p id="a"></p><p id="b"></p><p id="c"></p>
<script>import('./mod.js').then(({ value }) => { document.getElementById('a').textContent = value })</script>
<button id="go" onclick="import('/deep/other.ts').then((module) => { document.getElementById('b').textContent = module.default })">go</button>
<script>const no = "import('./nowhere.js')"; import('./none.js').catch(() => { document.getElementById('c').textContent = 'none' })</script></body>`,
  'mod.js': `import { part } from './part.js'\nexport const value = 'mod' + part\nimport.meta.hot?.accept()`,
  'part.js': `export const part = 1`,
  'deep/other.ts': `import './other.css'\nexport default 'other' as string`,
  'deep/other.css': 'p { color: rgb(1, 2, 3) }',
}

test('modules that plain scripts and handlers import, in development and in the build', { files: PLAIN_SCRIPTS, load: false }, async (app) => {
  const look = async (url) => {
    const tab = await app.tab({ blank: true })
    await tab.page.goto(url)
    await tab.sees('#a', 'mod1')
    await tab.page.click('#go')
    await tab.sees('#b', 'other')
    await tab.sees('#c', 'none')
    return tab
  }
  await look(app.url)
  const { code, err, out } = await build(app)
  assert.equal(code, 0, err)
  assert.match(err + out + app.printed, /none\.js, which index\.html refers to, is not there/)
  const host = await serve(app.path('dist'))
  await look(host.url)
  host.stop()
})

test('a module that a plain script imports, below a base, and one that comes later', {
  files: { ...PLAIN_SCRIPTS, 'rekindle.toml': 'base = "/app/"' },
  load: false,
}, async (app) => {
  const tab = await app.tab({ blank: true })
  await tab.page.goto(app.url)
  await tab.sees('#a', 'mod1')
  await tab.page.click('#go')
  await tab.sees('#b', 'other')
  app.write('none.js', `document.getElementById('c').textContent = 'came'`)
  await tab.page.waitForTimeout(500)
  await tab.page.goto(app.url)
  await tab.sees('#c', 'came')
})

test('a base with a space, in development and after a build', {
  files: {
    'rekindle.toml': 'base = "/foo bar/"',
    'index.html':
      `<!doctype html><link rel="icon" href="data:,"><link rel="stylesheet" href="./linked.css"><p id="a"></p><p id="b"></p><p id="c"></p><img src="./pic.svg"><script type="module" src="./main.js"></script>`,
    'linked.css': '#a { color: rgb(1, 2, 3) }',
    'imported.css': `#b { background: url(./pic.svg) }`,
    'pic.svg': `<svg xmlns="http://www.w3.org/2000/svg" width="7" height="7"></svg>`,
    'lazy.js': `export const lazy = import.meta.env.BASE_URL`,
    'worker.js': `postMessage(import.meta.env.BASE_URL)`,
    'a.js': `export const a = 'one'`,
    'main.js': `import './imported.css'
import { a } from './a.js'
document.getElementById('a').textContent = a
import('./lazy.js').then(({ lazy }) => { document.getElementById('b').textContent = lazy })
new Worker(new URL('./worker.js', import.meta.url), { type: 'module' }).onmessage = ({ data }) => { document.getElementById('c').textContent = data }
import.meta.hot?.accept()`,
  },
  load: false,
}, async (app) => {
  const look = async (url) => {
    const tab = await app.tab({ blank: true })
    await tab.page.goto(url)
    await tab.sees('#a', 'one')
    await tab.sees('#b', '/foo%20bar/')
    await tab.sees('#c', '/foo%20bar/')
    await tab.looks('#a', 'color', 'rgb(1, 2, 3)')
    assert.equal(await tab.page.evaluate(() => document.images[0].decode().then(() => document.images[0].naturalWidth)), 7)
    return tab
  }
  const tab = await look(`${app.url}foo%20bar/`)
  app.write('a.js', `export const a = 'two'`)
  await tab.sees('#a', 'two')
  app.write('linked.css', '#a { color: rgb(3, 2, 1) }')
  await tab.looks('#a', 'color', 'rgb(3, 2, 1)')
  app.write('a.js', `export const a = 'one'`)
  app.write('linked.css', '#a { color: rgb(1, 2, 3) }')
  await tab.sees('#a', 'one')
  const { code, err } = await build(app)
  assert.equal(code, 0, err)
  const host = await serve(app.path('dist'), '/foo%20bar/')
  await look(host.url)
  host.stop()
})
