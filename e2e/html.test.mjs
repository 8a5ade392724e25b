/** Edits of a page's own HTML: what can be brought into the running document is, and its state stays. */
import assert from 'node:assert/strict'
import http from 'node:http'
import { test, until } from './harness.mjs'

const page = ({ head = '', body = '', script = '<script type="module" src="/main.js"></script>' }) =>
  `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <title>first</title>
    <meta name="description" content="about one">
    <link rel="icon" href="data:,">
    ${head}
  </head>
  <body>
    ${body}
    <div id="root"></div>
    ${script}
  </body>
</html>
`

/** An application that fills `#root`, keeps a count and accepts its updates. */
const APP = `
const root = document.getElementById('root')
let count = import.meta.hot.data.count ?? 0
const draw = () => { root.innerHTML = '<button>count</button><output>' + count + '</output>' }
root.onclick = () => { import.meta.hot.data.count = ++count; draw() }
draw()
import.meta.hot.accept()`

test('with React, whose components are what takes edits, a page is patched too', {
  packages: ['react', 'react-dom', 'scheduler'],
  files: {
    'index.html': page({ body: '<h1>one</h1>', script: '<script type="module" src="/main.tsx"></script>' }),
    'main.tsx':
      `import { createRoot } from 'react-dom/client'\nimport App from './App'\ncreateRoot(document.getElementById('root')!).render(<App />)`,
    'App.tsx':
      `import { useState } from 'react'\nexport default function App() {\n  const [n, setN] = useState(0)\n  return <button onClick={() => setN(n + 1)}>{n}</button>\n}`,
  },
}, async (app) => {
  await app.page.click('button')
  await app.sees('button', '1')
  await app.edit('index.html', '<h1>one', '<h1>two')
  await app.sees('h1', 'two')
  await app.edit('index.html', '<title>first', '<title>second')
  await app.page.waitForFunction(() => document.title === 'second')
  await app.sees('button', '1')
  await app.stayed()
})

test('text, title, meta, attributes and new elements are patched in place', {
  files: {
    'index.html': page({
      head: '<style>h1 { color: rgb(1, 1, 1) }</style>',
      body: '<h1 class="big">one</h1>\n    <p>kept <b>bold</b> text</p>\n    <input id="field">',
    }),
    'main.js': APP,
  },
}, async (app) => {
  await app.page.click('button')
  await app.page.fill('#field', 'typed')
  await app.sees('output', '1')
  await app.edit('index.html', '<h1 class="big">one</h1>', '<h1 class="small" data-x="1">two</h1>')
  await app.sees('h1', 'two')
  assert.equal(await app.page.getAttribute('h1', 'class'), 'small')
  assert.equal(await app.page.getAttribute('h1', 'data-x'), '1')
  await app.edit('index.html', '<title>first', '<title>second', 'about one', 'about two', '<html lang="en">', '<html lang="de">')
  await app.page.waitForFunction(() => document.title === 'second' && document.documentElement.lang === 'de')
  assert.equal(await app.page.getAttribute('meta[name=description]', 'content'), 'about two')
  await app.edit(
    'index.html',
    'color: rgb(1, 1, 1)',
    'color: rgb(9, 9, 9)',
    '<b>bold</b> text',
    '<i>slanted</i> words',
    '<input',
    '<nav>new</nav>\n    <input',
    '<div id="root">',
    '<div id="root" class="app">',
  )
  await app.sees('nav', 'new')
  await app.looks('h1', 'color', 'rgb(9, 9, 9)')
  await app.sees('p', 'kept slanted words')
  assert.equal(await app.page.getAttribute('#root', 'class'), 'app')
  assert.equal(await app.page.evaluate(() => document.querySelector('nav').nextElementSibling.id), 'field')
  await app.edit('index.html', '<nav>new</nav>', '')
  await app.page.waitForFunction(() => !document.querySelector('nav'))
  await app.prints('hot updated /index.html in 1 tab')
  await app.page.click('button')
  await app.sees('output', '2')
  assert.equal(await app.page.inputValue('#field'), 'typed')
  await app.stayed()
})

test('what scripts have added stays where it is', {
  files: {
    'index.html': page({ body: '<ul><li>a</li><li>b</li></ul>\n    <p class="note">one</p>' }),
    'main.js': `import './look.css'
const item = document.createElement('li')
item.textContent = 'mine'
document.querySelector('ul').firstElementChild.after(item)
document.querySelector('.note').classList.add('mine')
document.body.prepend(Object.assign(document.createElement('aside'), { textContent: 'portal' }))
document.body.style.setProperty('--mine', '1')
import.meta.hot.accept()`,
    'look.css': '.note { color: rgb(1, 2, 3) }',
  },
}, async (app) => {
  const items = () => app.page.evaluate(() => [...document.querySelectorAll('li')].map((item) => item.textContent).join())
  assert.equal(await items(), 'a,mine,b')
  await app.edit(
    'index.html',
    '<li>b</li>',
    '<li>b2</li><li>c</li>',
    'class="note"',
    'class="note wide"',
    '>one<',
    '>two<',
    '<body>',
    '<body style="margin: 7px">',
  )
  await app.sees('.note', 'two')
  assert.equal(await items(), 'a,mine,b2,c')
  assert.equal(await app.page.getAttribute('.note', 'class'), 'note mine wide')
  assert.equal(await app.page.evaluate(() => document.body.style.cssText), '--mine: 1; margin: 7px;')
  await app.sees('aside', 'portal')
  await app.looks('.note', 'color', 'rgb(1, 2, 3)')
  await app.stayed()
})

test('a script that changes reloads the page, as does what scripts have taken over', {
  files: {
    'index.html': page({ body: '<h2>static</h2>\n    <p id="owned">one</p>\n    <script>window.classic = 1</script>' }),
    'main.js': `${APP}\ndocument.getElementById('owned').textContent = 'by script'`,
    'other.js': `${APP}\ndocument.title = 'other'`,
  },
}, async (app) => {
  await app.edit('index.html', 'window.classic = 1', 'window.classic = 2')
  await app.reloaded()
  await app.prints('its scripts have changed')
  await app.edit('index.html', '/main.js', '/other.js')
  await app.reloaded()
  await app.page.waitForFunction(() => document.title === 'other')
  await app.edit('index.html', '/other.js', '/main.js')
  await app.reloaded()
  await app.edit('index.html', '<p id="owned">one', '<p id="owned">two')
  await app.reloaded()
  await app.prints('a script has changed what is in <p id="owned">')
  await app.edit('index.html', '<div id="root">', '<div id="root">Loading')
  await app.reloaded()
  await app.prints('a script has changed what is in <div id="root">')
})

test('a sheet, an image and an address in the page follow their files', {
  files: {
    'index.html': page({ head: '<link rel="stylesheet" href="./one.css">', body: '<img id="pic" src="./pic.svg">' }),
    'main.js': APP,
    'one.css': '#pic { width: 11px }',
    'two.css': '#pic { width: 22px }',
    'pic.svg': '<svg xmlns="http://www.w3.org/2000/svg" width="3" height="3"/>',
  },
}, async (app) => {
  await app.looks('#pic', 'width', '11px')
  await app.edit('index.html', './one.css', './two.css')
  await app.looks('#pic', 'width', '22px')
  await app.edit('two.css', '22px', '23px')
  await app.looks('#pic', 'width', '23px')
  const src = () => app.page.getAttribute('#pic', 'src')
  assert.equal(await src(), '/pic.svg')
  await app.edit('pic.svg', 'width="3"', 'width="4"')
  await app.page.waitForFunction(() => document.querySelector('#pic').naturalWidth === 4)
  assert.match(await src(), /^\/pic\.svg\?t=1$/)
  await app.stayed()
})

test('a %NAME% in the page follows the .env files', {
  files: { 'index.html': page({ body: '<h1>%VITE_NAME%</h1>' }), 'main.js': APP, '.env': 'VITE_NAME=one\nVITE_OTHER=x\n' },
}, async (app) => {
  await app.sees('h1', 'one')
  await app.edit('.env', 'VITE_OTHER=x', 'VITE_OTHER=y')
  await app.edit('.env', 'VITE_NAME=one', 'VITE_NAME=two')
  await app.sees('h1', 'two')
  await app.stayed()
})

test('a %NAME% that no env file has is told once', {
  files: { 'index.html': page({ body: '<h1>%VITE_NOPE% 5% off</h1>' }), 'main.js': APP },
}, async (app) => {
  await app.sees('h1', '%VITE_NOPE% 5% off')
  await until('the warning', () => assert.match(app.printed, /index\.html: no env file has VITE_NOPE/))
  await app.edit('index.html', '5%', '6%')
  await app.sees('h1', '%VITE_NOPE% 6% off')
  assert.equal(app.printed.match(/no env file has/g).length, 1)
})

test('a page that nothing fills in is told once, with the plugin that may be meant; a static page is no mistake', {
  files: {
    'vite.config.js': `import html from 'vite-plugin-html'\nexport default { plugins: [html()] }`,
    'index.html': `<!doctype html>\n<title>one</title>\n<!-- <% not this %> -->\n<h1><%= title %></h1>`,
    'blank.html': '<!doctype html><head><title>nothing</title></head><body><div id="root"></div></body>',
    'static.html': '<!doctype html><head><title>still</title></head><body><p>text</p></body>',
    'styled.html': '<!doctype html><link rel="stylesheet" href="/a.css"><div></div>',
    'a.css': 'div { width: 9px }',
  },
}, async (app) => {
  const told = async (file, warned) => {
    await app.tab().then((tab) => tab.page.goto(`${app.url}${file}`))
    if (warned) await until(file, () => assert.ok(app.printed.includes(warned), app.printed))
  }
  await told('index.html', '/index.html:4: `<% … %>` stays as it is, since nothing here fills in templates; `vite-plugin-html` of the configuration')
  await told('static.html')
  await told('styled.html')
  await told('blank.html', '/blank.html has neither a script nor any content; `vite-plugin-html` of the configuration')
  await app.edit('blank.html', 'nothing', 'nothing yet')
  await app.edit('blank.html', '<div id="root"></div>', '<p>there</p>')
  await app.tab().then((tab) => tab.page.goto(`${app.url}blank.html`))
  assert.equal(app.printed.match(/neither a script/g).length, 1)
  assert.doesNotMatch(app.printed, /static\.html (has|:)|styled\.html has/)
})

test('a page without scripts is patched; one whose modules accept nothing is reloaded; settings say otherwise', {
  start: false,
  load: false,
  files: {
    'index.html': page({ body: '<h1>one</h1>', script: '' }),
    'plain.html': page({ body: '<h1>one</h1>' }),
    'main.js': `document.getElementById('root').textContent = 'ran'`,
  },
}, async (app) => {
  await app.start()
  await app.load()
  await app.edit('index.html', '<h1>one', '<h1>two')
  await app.sees('h1', 'two')
  await app.stayed()
  await app.load('/plain')
  await app.sees('#root', 'ran')
  await app.edit('plain.html', '<h1>one', '<h1>two')
  await app.reloaded()
  await app.sees('h1', 'two')
  await app.stop()
  app.write('rekindle.toml', '[hmr]\nhtml = "patch"\n')
  await app.start()
  await app.load('/plain')
  await app.edit('plain.html', '<h1>two', '<h1>three')
  await app.sees('h1', 'three')
  await app.stayed()
  await app.stop()
  app.write('rekindle.toml', '[hmr]\nhtml = "reload"\n')
  await app.start()
  await app.load()
  await app.edit('index.html', '<h1>two', '<h1>three')
  await app.reloaded()
})

test('what a <template> holds is patched in place', {
  files: {
    'index.html': page({ body: '<template id="row"><li>old <b>row</b></li></template>\n    <ul></ul>' }),
    'main.js':
      `${APP}\nroot.addEventListener('click', () => document.querySelector('ul').append(document.querySelector('#row').content.cloneNode(true)))`,
  },
}, async (app) => {
  await app.page.click('button')
  await app.sees('li', 'old row')
  await app.edit('index.html', 'old <b>row</b>', 'new <b>line</b> <i>too</i>')
  await app.page.waitForFunction(() => document.querySelector('#row').content.textContent.includes('new'))
  await app.page.click('button')
  await app.sees('li:nth-child(2)', 'new line too')
  await app.sees('output', '2')
  await app.stayed()
})

test('a tool that takes anything gets the page of a route, and a 404 for what is a file', { files: { 'main.js': '' }, load: false }, async (app) => {
  const ask = (path, method, headers = {}) =>
    new Promise((done, fail) => {
      http.request(new URL(path, app.url), { method, headers }, (answer) => {
        let text = ''
        answer.on('data', (chunk) => (text += chunk)).on('end', () => done([answer.statusCode, text.includes('/@rekindle/client.js')]))
      }).on('error', fail).end()
    })
  for (const headers of [{}, { accept: '*/*' }, { accept: 'application/json, text/plain, */*' }]) {
    assert.deepEqual(await ask('/users/17', 'GET', headers), [200, true])
    assert.deepEqual(await ask('/users/17', 'HEAD', headers), [200, false])
    assert.deepEqual(await ask('/users/17.json', 'GET', headers), [404, false])
    assert.deepEqual(await ask('/.env', 'GET', headers), [404, false])
  }
  assert.deepEqual(await ask('/api/users', 'GET', { accept: 'application/json' }), [404, false])
  assert.deepEqual(await ask('/api/users', 'GET', { accept: '*/*', 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' }), [404, false])
})
