/** Pairs of events, each harmless alone, that together once lost an update. */
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import fs from 'node:fs'
import zlib from 'node:zlib'
import { program, test, until } from './harness.mjs'
import { lineTest, restart } from './line-test.mjs'

const sleep = (ms) => new Promise((done) => setTimeout(done, ms))
const value = (n) => `export const v = ${JSON.stringify(n)}\n`
const SHOWING = `import { v } from './a.js'\nshow('a', v)\nimport.meta.hot.accept()`
const HEAD =
  `<!doctype html><head><meta charset="utf-8"><link rel="icon" href="data:,"><script>show = (id, text) => { document.getElementById(id).textContent = String(text) }</script></head><p id="a"></p><p id="b"></p>`

/** Keeps the thread of a tab busy, as that of a tab in the background is. */
const delay = (tab, ms) =>
  void tab.page.evaluate((ms) => {
    setTimeout(() => {
      for (const end = performance.now() + ms; performance.now() < end;);
    }, 0)
  }, ms)

test('a mistake is told while another file is written without a pause', {
  files: { 'main.js': `import './often.js'\n${SHOWING}`, 'often.js': `show('b', 0)\nimport.meta.hot.accept()`, 'a.js': value(1) },
}, async (app) => {
  await app.sees('#a', '1')
  const text = JSON.stringify(app.path('often.js'))
  const tool = spawn(process.execPath, [
    '-e',
    `let n = 0; setInterval(() => require('fs').writeFileSync(${text}, "show('b', " + ++n + ")\\nimport.meta.hot.accept()"), 25)`,
  ])
  try {
    await app.sees('#b', /[1-9]/)
    app.write('a.js', `import './nowhere.js'\n${value(2)}`)
    await app.overlay('nowhere.js')
    app.write('a.js', value(3))
    await app.sees('#a', '3')
  } finally {
    tool.kill()
  }
})

test('a save of a module that an edit has just brought, while a sheet that came with it is compiled', {
  packages: ['postcss', 'nanoid', 'picocolors', 'source-map-js'],
  files: {
    'postcss.config.mjs':
      `export default { plugins: [{ postcssPlugin: 'slow', async Once() { await new Promise((done) => setTimeout(done, 4000)) } }] }`,
    'main.js': `show('a', 0)\nimport.meta.hot.accept()`,
    'look.css': '#a { order: 1 }',
    'a.js': value(1),
  },
}, async (app) => {
  await app.sees('#a', '0')
  app.write('main.js', `import './look.css'\n${SHOWING}`)
  await sleep(1500) // By then the file no longer counts as new.
  app.write('a.js', value(2))
  await app.sees('#a', '2')
  await app.stayed()
})

// ---- changes that the server notices late

const HIRE = (script) =>
  `const worker = new Worker(new URL('./${script}', import.meta.url), { type: 'module' })
worker.onmessage = ({ data }) => show('a', data)
setInterval(() => worker.postMessage('?'), 50)
import.meta.hot?.accept()`

test('a worker whose maker comes by import() is back before its page', {
  files: {
    'main.js': `import('./hire.js')\nimport.meta.hot.accept()`,
    'hire.js': HIRE('w.js'),
    'w.js': `import { v } from './a.js'\nonmessage = () => postMessage('w1 ' + v)`,
    'a.js': value(1),
  },
}, async (app) => {
  await app.sees('#a', 'w1 1')
  await restart(app, () => (app.write('a.js', value(2)), delay(app.first, 3000)))
  await app.sees('#a', 'w1 2')
  await app.edit('w.js', 'w1', 'w2')
  await app.sees('#a', 'w2 2')
})

test('a worker in a worker takes what was edited while the server was away, each time', {
  files: {
    'main.js': HIRE('outer.js'),
    'outer.js': `let last
const inner = new Worker(new URL('./inner.js', import.meta.url), { type: 'module' })
inner.onmessage = ({ data }) => (last = data)
setInterval(() => inner.postMessage('?'), 50)
onmessage = () => postMessage(last)`,
    'inner.js': `import { v } from './a.js'\nonmessage = () => postMessage('inner ' + v)`,
    'a.js': value(1),
  },
  limit: 90_000,
}, async (app) => {
  await app.sees('#a', 'inner 1')
  for (let n = 2; n < 6; n++) {
    await restart(app, () => app.write('a.js', value(n)))
    await app.sees('#a', `inner ${n}`)
  }
})

// ---- pictures over a restart

/** A picture of a width. */
function png(width) {
  const sum = (bytes) => zlib.crc32?.(bytes) ?? crc(bytes)
  const chunk = (type, data) => {
    const body = Buffer.concat([Buffer.from(type), data])
    const out = Buffer.alloc(8 + body.length)
    out.writeUInt32BE(data.length, 0)
    body.copy(out, 4)
    out.writeUInt32BE(sum(body), 4 + body.length)
    return out
  }
  const head = Buffer.alloc(13)
  head.writeUInt32BE(width, 0)
  head.writeUInt32BE(1, 4)
  head.set([8, 2, 0, 0, 0], 8)
  return Buffer.concat([
    Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]),
    chunk('IHDR', head),
    chunk('IDAT', zlib.deflateSync(Buffer.alloc(1 + width * 3))),
    chunk('IEND', Buffer.alloc(0)),
  ])
}

function crc(bytes) {
  let sum = 0xffffffff
  for (const byte of bytes) {
    sum ^= byte
    for (let bit = 0; bit < 8; bit++) sum = sum & 1 ? 0xedb88320 ^ (sum >>> 1) : sum >>> 1
  }
  return (sum ^ 0xffffffff) >>> 0
}

const wide = (app, selector, n) =>
  until(`${selector} to be ${n} wide`, async () =>
    assert.equal(
      await app.page.evaluate((selector) => {
        const element = document.querySelector(selector)
        if (element.naturalWidth !== undefined) return element.naturalWidth
        const probe = (globalThis.probe ??= new Image())
        const address = /url\("(.*)"\)/.exec(getComputedStyle(element).backgroundImage)?.[1]
        if (probe.src !== address) probe.src = address
        return probe.naturalWidth
      }, selector),
      n,
    ))

test('pictures of a page, a module and a sheet: edited, over restarts, while the server was away', {
  files: {
    'rekindle.toml': '[build]\nassets_inline_limit = 0\n',
    'index.html': `${HEAD}<img id="page" src="./pic.png"><img id="module"><p id="sheet"></p><script type="module" src="/main.js"></script>`,
    'main.js': `import pic from './pic.png'\nimport './look.css'\ndocument.getElementById('module').src = pic\nimport.meta.hot.accept()`,
    'look.css': '#sheet { background-image: url(./pic.png) }',
  },
  start: false,
  limit: 90_000,
}, async (app) => {
  const all = async (n) => {
    for (const selector of ['#page', '#module', '#sheet']) await wide(app, selector, n)
  }
  app.write('pic.png', png(1))
  await app.start()
  await app.load()
  await all(1)
  app.write('pic.png', png(2))
  await all(2)
  await restart(app)
  await app.connected(1)
  await sleep(500)
  await all(2)
  await restart(app, () => app.write('pic.png', png(3)))
  await all(3)
  app.write('pic.png', png(4))
  await all(4)
  await restart(app, () => app.remove('pic.png'))
  await app.connected(3)
  app.write('pic.png', png(5))
  await all(5)
  await app.stayed()
})

// ---- two tabs, and what is said to whom

test('a tab that finds out late that its browser cannot parse a module blames no other', {
  files: { 'main.js': SHOWING, 'a.js': value(1) },
}, async (app) => {
  await app.sees('#a', '1')
  const other = await app.tab()
  const late = (tab, ms) =>
    tab.page.route(/load\.js/, async (route) => {
      const response = await route.fetch()
      if (route.request().resourceType() === 'fetch') await sleep(ms)
      await route.fulfill({ response })
    })
  await late(app.first, 400)
  await late(other, 1500)
  app.write('a.js', `${value(2)}while (false) { () => { break } }`)
  await app.overlay('a.js')
  await sleep(2500)
  app.write('a.js', value(3))
  await app.sees('#a', '3')
  await app.noOverlay()
  await (await app.tab()).sees('#a', '3')
})

for (const script of ['/late.js', '/new/late.js']) {
  test(`the overlay of ${script}, which was never there, goes when it comes`, {
    files: { 'index.html': `${HEAD}<script type="module" src="${script}"></script>` },
    load: false,
  }, async (app) => {
    const tab = await app.tab({ blank: true })
    await tab.page.goto(app.url)
    await tab.overlay('late.js')
    await tab.connected(0)
    app.write(script.slice(1), `show('a', 'late')\nimport.meta.hot.accept()`)
    await tab.sees('#a', 'late')
    await tab.noOverlay()
  })
}

test('a file that is renamed makes no overlay while the page fetches data', {
  files: {
    'main.js': `globalThis.timer ??= setInterval(() => fetch('/data.json'), 20)\nimport { v } from './x.js'\nshow('a', v)\nimport.meta.hot.accept()`,
    'x.js': value(1),
    'public/data.json': '{}',
  },
}, async (app) => {
  await app.sees('#a', '1')
  await app.page.evaluate(() => {
    globalThis.overlays = 0
    const isOne = (node) => /overlay/.test(node.localName)
    new MutationObserver((all) => all.forEach(({ addedNodes }) => (overlays += [...addedNodes].filter(isOne).length))).observe(document, {
      childList: true,
      subtree: true,
    })
  })
  for (let n = 0; n < 4; n++) {
    const [from, to] = n % 2 ? ['z.js', 'x.js'] : ['x.js', 'z.js']
    fs.renameSync(app.path(from), app.path(to))
    await sleep(60)
    app.write('main.js', fs.readFileSync(app.path('main.js'), 'utf8').replace(from, to).replace(/show\('a', v.*\)/, `show('a', v + '.${n}')`))
    await app.sees('#a', `1.${n}`)
    await sleep(600)
  }
  assert.equal(await app.page.evaluate(() => overlays), 0)
})

test('the fix of a module that hangs goes through at once over a restart, too', {
  files: { 'main.js': `import './a.js'`, 'a.js': `show('a', 1)\nimport.meta.hot.accept()` },
  load: false,
}, async (app) => {
  const tab = await app.tab({ blank: true })
  // On this page a wait of ten seconds never ends.
  await tab.page.addInitScript(() => {
    const { setTimeout } = globalThis
    // @ts-expect-error: it lacks what Node adds to it, which no page uses.
    globalThis.setTimeout = (call, ms, ...rest) => (ms === 10_000 ? 0 : setTimeout(call, ms, ...rest))
  })
  await tab.load()
  app.write('a.js', `show('a', 'hangs')\nawait new Promise(() => {})\nimport.meta.hot.accept()`)
  await tab.sees('#a', 'hangs')
  await restart(app, () => app.write('a.js', `show('a', 2)\nimport.meta.hot.accept()`))
  await tab.sees('#a', '2')
})

test('an announced edit that touches the settings is one update', {
  files: {
    'rekindle.toml': `[define]\n__C__ = '"c1"'\n`,
    'main.js': `import { v } from './a.js'\nshow('a', v + __C__)\nimport.meta.hot.accept()`,
    'a.js': value(1),
  },
}, async (app) => {
  const edit = (...words) => execFileSync(program, ['edit', ...words], { cwd: app.root, stdio: ['ignore', 'pipe', 'ignore'] }).toString().trim()
  await app.sees('#a', '1c1')
  const id = edit('begin')
  app.write('rekindle.toml', `[define]\n__C__ = '"c2"'\n`)
  app.write('a.js', 'export const v = ;')
  await sleep(1500) // Time enough for the update that must not come.
  assert.deepEqual([await app.first.text('#a'), await app.first.overlayText()], ['1c1', null])
  app.write('a.js', value(2))
  edit('commit', id)
  await app.sees('#a', '2c2')
  await app.noOverlay()
})

lineTest('a page that was saved twelve times while its tab was cut off is patched', {
  files: { 'index.html': `${HEAD}<h1>0</h1><script type="module" src="/main.js"></script>`, 'main.js': SHOWING, 'a.js': value(1) },
}, async (app, line) => {
  await app.sees('#a', '1')
  line.cut()
  for (let n = 1; n <= 12; n++) {
    await app.edit('index.html', `<h1>${n - 1}`, `<h1>${n}`)
    await sleep(150) // So that each is a save of its own.
  }
  line.mend()
  await app.sees('h1', '12')
  await app.stayed()
})

test('of very many mistakes those that are left are told with their reason', {
  files: {
    'main.js': `${Array.from({ length: 30 }, (_, n) => `import './m${n}.js'`).join('\n')}\nimport.meta.hot.accept()`,
    ...Object.fromEntries(Array.from({ length: 30 }, (_, n) => [`m${n}.js`, `import './gone.js'\n`])),
    'gone.js': '',
  },
}, async (app) => {
  app.remove('gone.js')
  await app.overlay('gone.js')
  for (let n = 0; n < 27; n++) app.write(`m${n}.js`, '')
  await app.overlay('m29.js')
  await app.overlay('cannot find `./gone.js`')
  app.write('gone.js', '')
  await app.noOverlay()
})

// ---- what the terminal says of a tab that comes back

lineTest('a tab that was cut off is told of with the files that it had missed', {
  files: {
    'index.html': `${HEAD}<script type="module" src="/main.js"></script>`,
    'other.html': `${HEAD}<script type="module" src="/other.js"></script>`,
    'main.js': SHOWING,
    'a.js': value(1),
    'other.js': `import { b } from './b.js'\nshow('b', b)\nimport.meta.hot.accept()`,
    'b.js': 'export const b = 1',
  },
}, async (app, line) => {
  const other = await app.tab({ blank: true })
  await other.page.goto(`http://localhost:${app.port}/other.html`)
  await other.sees('#b', '1')
  await app.sees('#a', '1')
  line.cut()
  await app.noticed('a.js', () => app.write('a.js', value(2)))
  app.write('b.js', 'export const b = 2')
  await other.sees('#b', '2')
  await until('the line about the other tab', () => assert.match(app.printed, /hot updated \/b\.js/))
  const before = app.printed.length
  line.mend()
  await app.sees('#a', '2')
  // The page gets both, though it runs only one of them.
  await until('the line about this tab', () => assert.match(app.printed.slice(before), /hot updated .*\/a\.js.* in 1 tab/))
})

lineTest('after a restart the terminal tells of a linked sheet only if it was edited', {
  files: {
    'index.html': `${HEAD}<link rel="stylesheet" href="/site.css"><script type="module" src="/main.js"></script>`,
    'site.css': '#a { color: rgb(1, 2, 3) }',
    'main.js': SHOWING,
    'a.js': value(1),
  },
}, async (app) => {
  await app.looks('#a', 'color', 'rgb(1, 2, 3)')
  let before = app.printed.length
  await restart(app)
  await app.connected(1)
  app.write('a.js', value(2))
  await app.sees('#a', '2')
  await until('the line about the edit', () => assert.match(app.printed.slice(before), /hot updated \/a\.js/))
  assert.doesNotMatch(app.printed.slice(before), /site\.css/)
  before = app.printed.length
  await restart(app, () => app.write('site.css', '#a { color: rgb(3, 2, 1) }'))
  await app.looks('#a', 'color', 'rgb(3, 2, 1)')
  await until('the line about the sheet', () => assert.match(app.printed.slice(before), /hot updated \/site\.css/))
})

lineTest('a page that was edited while the server was away is patched, however many texts other pages and saves have left', {
  files: {
    'index.html': `${HEAD}<h1>0</h1><script type="module" src="/main.js"></script>`,
    ...Object.fromEntries(Array.from({ length: 70 }, (_, at) => [`page${at}.html`, `<!doctype html><p>${at}</p>`])),
    'main.js': SHOWING,
    'a.js': value(1),
  },
}, async (app) => {
  await app.sees('#a', '1')
  for (let at = 0; at < 70; at++) await fetch(`http://localhost:${app.port}/page${at}.html`).then((answer) => answer.text())
  await sleep(500)
  await restart(app, () => app.write('index.html', fs.readFileSync(app.path('index.html'), 'utf8').replace('<h1>0', '<h1>1')))
  await app.sees('h1', '1')
  await app.stayed()
})

test('a page that cannot run yet shows its sheets as they are', {
  files: { 'main.js': `import './site.css'\nimport './part.js'`, 'part.js': `import './nowhere.js'`, 'site.css': '#a { color: rgb(1, 1, 1) }' },
}, async (app) => {
  await app.overlay('nowhere.js')
  await app.looks('#a', 'color', 'rgb(1, 1, 1)')
  app.write('site.css', '#a { color: rgb(2, 2, 2) }')
  await app.looks('#a', 'color', 'rgb(2, 2, 2)')
  app.write('nowhere.js', `show('a', 'runs')`)
  await app.sees('#a', 'runs')
  app.write('site.css', '#a { color: rgb(3, 3, 3) }')
  await app.looks('#a', 'color', 'rgb(3, 3, 3)')
  app.write('main.js', `import './part.js'`)
  await app.looks('#a', 'color', 'rgb(0, 0, 0)')
})

lineTest('after a restart, what two modules import that lack a file goes on', {
  files: {
    'index.html': `${HEAD}<script type="module" src="/main.js"></script>`,
    'main.js': `import './lost.js'\nimport './upper.js'\nimport.meta.hot.accept()`,
    'upper.js': `import './lost.js'\nimport './site.css'`,
    'lost.js': '',
    'site.css': '#a { color: rgb(1, 1, 1) }',
  },
}, async (app) => {
  await app.looks('#a', 'color', 'rgb(1, 1, 1)')
  app.remove('lost.js')
  await app.overlay('lost.js')
  await restart(app)
  await app.connected(1)
  app.write('site.css', '#a { color: rgb(2, 2, 2) }')
  await app.looks('#a', 'color', 'rgb(2, 2, 2)')
})

test('of modules that are saved together, those go on that have nothing to do with the one that throws', {
  files: {
    'main.js': `import './a.js'\nimport './b.js'`,
    'a.js': `show('a', 1)\nimport.meta.hot.accept()`,
    'b.js': `show('b', 1)\nimport.meta.hot.accept()`,
  },
}, async (app) => {
  await app.sees('#b', '1')
  app.write('a.js', `throw new Error('not today')\nimport.meta.hot.accept()`)
  app.write('b.js', `show('b', 2)\nimport.meta.hot.accept()`)
  await app.sees('#b', '2')
  await app.overlay('not today')
  app.write('b.js', `show('b', 3)\nimport.meta.hot.accept()`)
  await app.sees('#b', '3')
  await app.overlay('not today')
  assert.match(app.printed, /the page keeps running the old code of \/a\.js/)
  app.write('b.js', `throw new Error('nor tomorrow')`)
  await app.overlay('nor tomorrow')
  app.write('b.js', `show('b', 4)\nimport.meta.hot.accept()`)
  await app.sees('#b', '4')
  await app.overlay('not today')
  app.write('a.js', `show('a', 2)\nimport.meta.hot.accept()`)
  await app.sees('#a', '2')
  await app.noOverlay()
  await app.stayed()
})
