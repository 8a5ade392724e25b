/** What a page names by itself: sheets, scripts in its text, their mistakes. */
import assert from 'node:assert/strict'
import { test } from './harness.mjs'

const page = (head, body = '') => `<!doctype html>
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
    assert.match(await tab.overlayText(), message)
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
