/** No update is lost, whatever happens to the connection, the server or the page's own load while files are saved. */
import assert from 'node:assert/strict'
import { test, until } from './harness.mjs'
import { lineTest, restart } from './line-test.mjs'

const SHOWING = `import { v } from './a.js'\nshow('a', v)\nimport.meta.hot.accept()`
const STYLED = { 'main.js': `import './look.css'\nshow('a', 'up')\nimport.meta.hot.accept()`, 'look.css': '#a { color: rgb(0, 0, 1) }' }
const LINKED = (head = '', body = '') =>
  `<!doctype html><head><link rel="icon" href="data:,">${head}</head><body><p id="a"></p>${body}<script>show = (id, text) => { document.getElementById(id).textContent = text }</script><script type="module" src="/main.js"></script></body>`
const value = (n) => `export const v = ${n}`
const colour = (n) => `#a { color: rgb(0, 0, ${n}) }`

/** Saves, and waits until the server has taken it in, so that the next save is a batch of its own. */
const save = (app, name, text) => app.noticed(name, () => app.write(name, text))

// ---- the connection was away

for (const saves of [1, 2, 3]) {
  lineTest(`a tab that was cut off for ${saves} save${saves > 1 ? 's' : ''} catches up, once, and goes on`, {
    files: { 'main.js': SHOWING, 'a.js': value(1) },
  }, async (app, line) => {
    await app.sees('#a', '1')
    let heard = 0
    app.page.on('websocket', (socket) => socket.on('framereceived', () => (heard += 1)))
    line.cut()
    for (let n = 1; n <= saves; n++) await save(app, 'a.js', value(10 + n))
    line.mend()
    await app.sees('#a', String(10 + saves))
    await save(app, 'a.js', value(99))
    await app.sees('#a', '99')
    await app.stayed()
    assert.ok(heard < 30, `${heard} messages for ${saves + 1} saves: the tab asks again and again`)
  })
}

lineTest('a sheet that was saved twice while the tab was cut off has its last colour', { files: STYLED }, async (app, line) => {
  line.cut()
  await save(app, 'look.css', colour(2))
  await save(app, 'look.css', colour(3))
  line.mend()
  await app.looks('#a', 'color', 'rgb(0, 0, 3)')
  await save(app, 'look.css', colour(4))
  await app.looks('#a', 'color', 'rgb(0, 0, 4)')
  await app.stayed()
})

lineTest(
  'two tabs that were cut off for different numbers of saves both catch up',
  { files: { 'main.js': SHOWING, 'a.js': value(1) } },
  async (app, line) => {
    line.cut()
    await save(app, 'a.js', value(2))
    line.mend()
    const other = await app.tab()
    line.cut()
    await save(app, 'a.js', value(3))
    await save(app, 'a.js', value(4))
    line.mend()
    for (const tab of [app.first, other]) await tab.sees('#a', '4')
    await app.stayed()
    await other.stayed()
  },
)

lineTest(
  'a connection that hangs half-open is found dead, and what was saved meanwhile comes',
  { files: { 'main.js': SHOWING, 'a.js': value(1) } },
  async (app, line) => {
    await app.sees('#a', '1')
    const witness = await app.tab({ blank: true }) // Not over the line: while all tabs are silent, the terminal waits for one.
    await witness.page.goto(`http://localhost:${app.port}/`)
    await witness.sees('#a', '1')
    line.freezeSockets()
    await save(app, 'a.js', value(2))
    await save(app, 'a.js', value(3))
    await app.page.evaluate(() => void document.dispatchEvent(new Event('visibilitychange'))) // A look at the tab tries the connection out.
    await app.sees('#a', '3', 20_000)
    await save(app, 'a.js', value(4))
    await app.sees('#a', '4')
    await app.stayed()
  },
)

lineTest('a good save and then a broken one while the tab was away: it runs the good one, and the undo costs nothing', {
  files: { 'main.js': SHOWING, 'a.js': value(1) },
}, async (app, line) => {
  line.cut()
  await save(app, 'a.js', value(2))
  await save(app, 'a.js', `${value(2)} }}}`)
  line.mend()
  await app.overlay('a.js')
  await app.sees('#a', '2')
  app.write('a.js', value(2))
  await app.noOverlay()
  await app.sees('#a', '2')
  await app.stayed()
})

lineTest(
  'a good save and then one whose import is missing, while the tab was away',
  { files: { 'main.js': SHOWING, 'a.js': value(1) } },
  async (app, line) => {
    line.cut()
    await save(app, 'a.js', value(2))
    await save(app, 'a.js', `import './nowhere.js'\n${value(3)}`)
    line.mend()
    await app.overlay('./nowhere.js')
    await app.sees('#a', '2')
    app.write('nowhere.js', '')
    await app.sees('#a', '3')
    await app.noOverlay()
    await app.stayed()
  },
)

lineTest('a good sheet and then a broken one while the tab was away: the good one is worn', { files: STYLED }, async (app, line) => {
  line.cut()
  await save(app, 'look.css', colour(2))
  await save(app, 'look.css', `@import './nowhere.css';\n${colour(3)}`)
  line.mend()
  await app.overlay('nowhere.css')
  await app.looks('#a', 'color', 'rgb(0, 0, 2)')
  app.write('look.css', colour(2))
  await app.noOverlay()
  await app.looks('#a', 'color', 'rgb(0, 0, 2)')
  await app.stayed()
})

// ---- the server was started anew

lineTest('numbers of an earlier start count for nothing: a save that a tab missed after a restart comes', {
  files: { 'main.js': SHOWING, 'a.js': value(1) },
}, async (app, line) => {
  for (let n = 2; n <= 6; n++) await save(app, 'a.js', value(n))
  await app.sees('#a', '6')
  await restart(app)
  await app.connected(1)
  await save(app, 'a.js', value(7))
  await app.sees('#a', '7')
  line.cut()
  await save(app, 'a.js', value(8))
  line.mend()
  await app.sees('#a', '8')
  await app.stayed()
})

lineTest('the same for a sheet, with two restarts', { files: STYLED }, async (app, line) => {
  for (let n = 2; n <= 6; n++) await save(app, 'look.css', colour(n))
  await app.looks('#a', 'color', 'rgb(0, 0, 6)')
  await restart(app)
  await app.connected(1)
  await restart(app)
  await app.connected(2)
  await save(app, 'look.css', colour(7))
  await app.looks('#a', 'color', 'rgb(0, 0, 7)')
  line.cut()
  await save(app, 'look.css', colour(8))
  line.mend()
  await app.looks('#a', 'color', 'rgb(0, 0, 8)')
  await app.stayed()
})

/** `main.js` brings `lazy.js` by `import()` and accepts. */
const LAZY = {
  'main.js':
    `import './part.js'\nimport { b } from './b.js'\nimport('./lazy.js').then(() => show('b', 'there'), () => show('b', 'failed'))\nshow('c', b)\nimport.meta.hot.accept()`,
  'part.js': '',
  'b.js': `export const b = 'b1'`,
  'lazy.js': `import { b } from './b.js'\nshow('a', 'lazy1 ' + b)\nimport.meta.hot.accept()`,
}

test('a module that was gone before a restart is brought by import() when it is back', { files: LAZY }, async (app) => {
  await app.sees('#b', 'there')
  app.remove('lazy.js')
  await app.sees('#b', 'failed')
  await restart(app)
  await app.connected(1)
  app.write('lazy.js', LAZY['lazy.js'])
  await app.sees('#b', 'there')
  await app.stayed()
})

test('a lazy module that is edited while the server is away', { files: LAZY }, async (app) => {
  await app.sees('#a', 'lazy1 b1')
  await restart(app, () => app.edit('lazy.js', 'lazy1', 'lazy2'))
  await app.sees('#a', 'lazy2 b1')
  await app.edit('b.js', 'b1', 'b2')
  await app.sees('#a', 'lazy2 b2')
  await app.stayed()
})

test('the entry is broken when the server starts anew: what the tab runs below it is not gone, and takes its edits', { files: LAZY }, async (app) => {
  await app.sees('#a', 'lazy1 b1')
  app.remove('part.js')
  await app.overlay('part.js')
  await restart(app)
  await app.connected(1)
  await app.edit('lazy.js', 'lazy1', 'lazy2')
  await app.edit('main.js', `import './part.js'\n`, '')
  await app.sees('#a', 'lazy2 b1')
  await app.noOverlay()
  await app.edit('b.js', 'b1', 'b2')
  await app.sees('#a', 'lazy2 b2')
  await app.sees('#c', 'b2')
  await app.stayed()
})

const GLOB = {
  'main.js': `import { shown } from './list.js'\nshown.then((text) => show('a', text))\nimport.meta.hot.accept()`,
  'list.js':
    `const pages = import.meta.glob('./pages/*.js')\nexport const shown = Promise.all(Object.values(pages).map((load) => load())).then((all) => all.map(({ v }) => v).join())`,
  'pages/one.js': `export const v = 'one1'`,
  'pages/two.js': `export const v = 'two1'`,
}
const BROKEN = {
  'its importer was gone': { breaks: (app) => app.remove('list.js'), mends: (app) => app.write('list.js', GLOB['list.js']) },
  'its importer could not be read': { breaks: (app) => app.write('list.js', 'const = ;'), mends: (app) => app.write('list.js', GLOB['list.js']) },
  'the entry could not be read': { breaks: (app) => app.write('main.js', 'const = ;'), mends: (app) => app.write('main.js', GLOB['main.js']) },
}
for (const [what, { breaks, mends }] of Object.entries(BROKEN)) {
  test(`what a glob brings is edited while the server is away, and again while ${what}`, { files: GLOB }, async (app) => {
    await app.sees('#a', 'one1,two1')
    await restart(app, () => (app.write('pages/one.js', `export const v = 'one2'`), breaks(app)))
    await app.connected(1)
    app.write('pages/two.js', `export const v = 'two2'`)
    await new Promise((done) => setTimeout(done, 300))
    mends(app)
    await app.sees('#a', 'one2,two2')
    await app.edit('pages/two.js', 'two2', 'two3')
    await app.sees('#a', 'one2,two3')
    await app.noOverlay()
    await app.stayed()
  })
}

for (const [what, name] of [['the entry', 'main.js'], ['a module', 'a.js']]) {
  test(
    `${what} that was gone when the server died, and is another one when it is back`,
    { files: { 'main.js': SHOWING, 'a.js': value(1) } },
    async (app) => {
      await app.sees('#a', '1')
      app.remove(name)
      await app.overlay(name)
      await restart(app, () => app.write(name, name === 'main.js' ? SHOWING.replace('v)', `'v' + v)`) : value(2)))
      await app.sees('#a', name === 'main.js' ? 'v1' : '2')
      await app.noOverlay()
      app.write('a.js', value(7))
      await app.sees('#a', name === 'main.js' ? 'v7' : '7')
    },
  )
}

test('a page that was edited while the server was away is patched when it is back', {
  files: {
    'index.html':
      `<!doctype html><head><title>one</title><link rel="icon" href="data:,"></head><body><h1>one</h1><p id="a"></p><script>show = (id, text) => { document.getElementById(id).textContent = text }</script><script type="module" src="/main.js"></script></body>`,
    'main.js': SHOWING,
    'a.js': value(1),
  },
}, async (app) => {
  await app.sees('#a', '1')
  await restart(app, () => app.edit('index.html', '<h1>one', '<h1 class="new">two', '<title>one', '<title>two'))
  await app.sees('h1', 'two')
  assert.equal(await app.page.title(), 'two')
  assert.equal(await app.page.getAttribute('h1', 'class'), 'new')
  await app.stayed()
  assert.ok(!app.printed.includes('its scripts have changed'), app.printed)
})

test('a sheet whose link came by an edit of the page is edited while the server is away', {
  files: { 'index.html': LINKED(), 'main.js': `${SHOWING}\nimport.meta.hot.accept('./a.js', () => {})`, 'a.js': value(1), 'site.css': colour(1) },
}, async (app) => {
  await app.sees('#a', '1')
  await app.edit('index.html', '</head>', '<link rel="stylesheet" href="/site.css"></head>')
  await app.looks('#a', 'color', 'rgb(0, 0, 1)')
  await restart(app, () => app.write('site.css', colour(2)))
  await app.looks('#a', 'color', 'rgb(0, 0, 2)')
  await app.edit('site.css', '2)', '3)')
  await app.looks('#a', 'color', 'rgb(0, 0, 3)')
  await restart(app, () => app.write('site.css', colour(4)))
  await app.looks('#a', 'color', 'rgb(0, 0, 4)')
  await app.stayed()
})

test('a link that comes by an edit of the page leads to a sheet with a mistake: it is told, and heals', {
  files: {
    'index.html': LINKED(),
    'main.js': `${SHOWING}\nimport.meta.hot.accept('./a.js', () => {})`,
    'a.js': value(1),
    'site.css': `@import './part.css';\n${colour(1)}`,
    'part.css': `@import './nowhere.css';`,
  },
}, async (app) => {
  await app.sees('#a', '1')
  await app.edit('index.html', '</head>', '<link rel="stylesheet" href="/site.css"></head>')
  await app.overlay('cannot find `./nowhere.css`')
  await app.prints('cannot find `./nowhere.css`')
  await app.edit('part.css', `@import './nowhere.css';`, '')
  await app.noOverlay()
  await app.looks('#a', 'color', 'rgb(0, 0, 1)')
  await app.stayed()
})

test('a page and one of its modules, both edited while the server was away', {
  files: {
    'index.html':
      `<!doctype html><head><link rel="icon" href="data:,"></head><body><h1>one</h1><p id="a"></p><script>show = (id, text) => { document.getElementById(id).textContent = text }</script><script type="module" src="/main.js"></script></body>`,
    'main.js': SHOWING,
    'a.js': value(1),
  },
}, async (app) => {
  await app.sees('#a', '1')
  await restart(app, async () => {
    await app.edit('index.html', '<h1>one', '<h1>two')
    app.write('a.js', value(2))
  })
  await app.sees('h1', 'two')
  await app.sees('#a', '2')
  await app.stayed()
})

// ---- the page was still loading

const SEGMENTS = /@rekindle\/s\//
const PAGE_SCRIPT = /@rekindle\/page/

/**
 * Opens the page in a new tab and holds back what it asks for by `address`; `letGo` of what it gives lets it come. With
 * `answered`, the server has answered when it is held, and the answer comes later, as over a slow line.
 */
async function openHalf(app, address, { answered }) {
  const tab = await app.tab({ blank: true })
  let letGo
  const gate = new Promise((open) => (letGo = open))
  let held = 0
  await tab.page.route(address, async (route) => {
    const response = answered ? await route.fetch() : undefined
    held += 1
    await gate
    await (answered ? route.fulfill({ response }) : route.continue()).catch(() => {}) // The page may have left.
  })
  const socket = tab.page.waitForEvent('websocket', { timeout: 2000 }).catch(() => {}) // It may wait until the page has started.
  await tab.page.goto(app.url, { waitUntil: 'commit' })
  await until(`the page to ask for ${address}`, () => assert.ok(held > 0))
  await socket
  return { tab, letGo }
}

for (const [how, main] of [['which accepts', SHOWING], ['which accepts nothing', SHOWING.replace('import.meta.hot.accept()', '')]]) {
  for (const saves of [1, 2]) {
    test(`${saves} save${saves > 1 ? 's' : ''} between the page's answer and its modules: main.js, ${how}, shows the last`, {
      files: { 'main.js': main, 'a.js': value(1) },
      load: false,
    }, async (app) => {
      const { tab, letGo } = await openHalf(app, SEGMENTS, { answered: true })
      for (let n = 2; n <= saves + 1; n++) await save(app, 'a.js', value(n))
      letGo()
      await tab.sees('#a', String(saves + 1))
      await save(app, 'a.js', value(9))
      await tab.sees('#a', '9')
    })
  }
}

test('a reload with a save on its way: format on save', { files: { 'main.js': SHOWING, 'a.js': value(1) } }, async (app) => {
  await app.sees('#a', '1')
  let letGo
  const gate = new Promise((open) => (letGo = open))
  let held = 0
  await app.page.route(SEGMENTS, async (route) => {
    const response = await route.fetch()
    held += 1
    await gate
    await route.fulfill({ response })
  })
  await app.page.reload({ waitUntil: 'commit' })
  await until('the page to ask for its modules', () => assert.ok(held > 0))
  await app.page.waitForTimeout(300) // The tab's connection, if it opens one this early; no signal of that reaches us.
  await save(app, 'a.js', value(2))
  letGo()
  await app.sees('#a', '2')
})

test("a sheet of a module, saved between the page's answer and its modules", { files: STYLED, load: false }, async (app) => {
  const { tab, letGo } = await openHalf(app, SEGMENTS, { answered: true })
  await save(app, 'look.css', colour(2))
  letGo()
  await tab.looks('#a', 'color', 'rgb(0, 0, 2)')
})

test("a linked sheet that is saved between the page's text and its script is worn", {
  files: { 'index.html': LINKED('<link rel="stylesheet" href="/site.css">'), 'main.js': SHOWING, 'a.js': value(1), 'site.css': colour(1) },
  load: false,
}, async (app) => {
  const { tab, letGo } = await openHalf(app, PAGE_SCRIPT, { answered: false })
  await tab.looks('#a', 'color', 'rgb(0, 0, 1)')
  await save(app, 'site.css', colour(2))
  letGo()
  await tab.sees('#a', '1')
  await tab.looks('#a', 'color', 'rgb(0, 0, 2)')
})

test(
  "a sheet that came with the page's text and is imported no more when its script comes is taken off",
  { files: STYLED, load: false },
  async (app) => {
    const { tab, letGo } = await openHalf(app, PAGE_SCRIPT, { answered: false })
    await tab.looks('#a', 'color', 'rgb(0, 0, 1)')
    await save(app, 'main.js', `show('a', 'bare')\nimport.meta.hot.accept()`)
    letGo()
    await tab.sees('#a', 'bare')
    await tab.looks('#a', 'color', 'rgb(0, 0, 0)')
  },
)

test("the text of a page that is saved between the page's text and its script is shown", {
  files: { 'index.html': LINKED('', '<h1>one</h1>'), 'main.js': SHOWING, 'a.js': value(1) },
  load: false,
}, async (app) => {
  const { tab, letGo } = await openHalf(app, PAGE_SCRIPT, { answered: false })
  await app.edit('index.html', '<h1>one', '<h1>two')
  await tab.page.waitForTimeout(300) // The server reports nothing about a page that no tab has yet.
  letGo()
  await tab.sees('h1', 'two')
  await tab.sees('#a', '1')
})

for (const saves of [1, 2, 3]) {
  lineTest(`${saves} save${saves > 1 ? 's' : ''} between the page's start and its first word to the server`, {
    files: { 'main.js': SHOWING, 'a.js': value(1) },
    load: false,
  }, async (app, line) => {
    line.cutSockets()
    const tab = await app.tab({ blank: true })
    await tab.page.goto(app.url)
    await tab.sees('#a', '1')
    for (let n = 2; n <= saves + 1; n++) await save(app, 'a.js', value(n))
    line.mend()
    await tab.sees('#a', String(saves + 1))
    await save(app, 'a.js', value(9))
    await tab.sees('#a', '9')
  })
}

test(
  'saves all the time while pages load: each page ends at the last one',
  { files: { 'main.js': SHOWING, 'a.js': value(0) }, load: false },
  async (app) => {
    let n = 0
    for (let load = 0; load < 6; load++) {
      const tab = await app.tab({ blank: true })
      const typing = setInterval(() => app.write('a.js', value(++n)), 60)
      await tab.page.goto(app.url).finally(() => clearInterval(typing))
      await tab.sees('#a', String(n))
      await tab.page.close()
    }
  },
)

test("the server dies between a page's text and its script: the page comes up when it is back", {
  files: { 'main.js': SHOWING, 'a.js': value(1) },
  load: false,
}, async (app) => {
  const { tab, letGo } = await openHalf(app, PAGE_SCRIPT, { answered: false })
  await app.stop('SIGKILL')
  const failed = tab.page.waitForEvent('requestfailed')
  letGo()
  await failed
  app.write('a.js', value(2))
  await app.start()
  await tab.sees('#a', '2')
  await until('the reason', () => assert.match(tab.lines.join('\n'), /page reloaded, because its script could not be loaded before/))
})

test("a tab that reloaded while the server was away is the browser's: its next try has the last save", {
  files: { 'main.js': SHOWING.replace('import.meta.hot.accept()', ''), 'a.js': value(1) },
}, async (app) => {
  await app.sees('#a', '1')
  await app.stop('SIGKILL')
  await app.page.reload().catch(() => {}) // The browser's own error page.
  app.write('a.js', value(2))
  await app.start()
  await until('the browser to try again', () => app.load()) // Its own try may be under way, which ends ours.
  await app.sees('#a', '2')
  await app.edit('a.js', '2', '3')
  await app.sees('#a', '3')
})

test('a page whose client script did not come, because the server went away, starts when the server is back', {
  files: { 'main.js': `show('a', 'one')\nimport.meta.hot.accept()` },
}, async (app) => {
  const tab = await app.tab({ blank: true })
  let cut = 0
  await tab.page.route('**/@rekindle/client.js', (route) => (cut++ < 2 ? route.abort() : route.continue()))
  await tab.page.goto(app.url)
  await tab.sees('#a', 'one')
  await app.edit('main.js', 'one', 'two')
  await tab.sees('#a', 'two')
})

/** A page that starts a worker of either kind and posts to it at once. */
const hiring = (made) =>
  `const worker = new ${made}(new URL('./w.js', import.meta.url), { type: 'module' })
  const end = worker.port ?? worker
  end.onmessage = ({ data }) => show('a', data)
  end.postMessage('posted')`
const ANSWERING = `const answer = (end) => (end.onmessage = ({ data }) => end.postMessage(data + ' and heard'))
  if (typeof postMessage === 'function') answer(globalThis)
  else onconnect = ({ ports }) => answer(ports[0])`

for (const made of ['Worker', 'SharedWorker']) {
  test(`a ${made} whose scripts did not come starts when the server is back, and has what was posted`, {
    files: {
      'main.js': hiring(made),
      'w.js': ANSWERING,
    },
    load: false,
  }, async (app) => {
    const tab = await app.tab({ blank: true })
    let isCut = true
    await app.context.route(/worker_file/, (route) => (isCut ? route.abort() : route.continue()))
    await tab.load()
    isCut = false
    await app.stop('SIGKILL')
    await app.start()
    await tab.sees('#a', 'posted and heard')
  })
}

const HIRE = `const worker = new Worker(new URL('./w.js', import.meta.url), { type: 'module' })
  worker.onmessage = ({ data }) => show('a', data)
  setInterval(() => worker.postMessage('?'), 50)`

test('what an update could not run, since it was gone, runs when it is back as it was', {
  files: {
    'main.js': `import './way.js'\nimport './other.js'\nimport.meta.hot.accept()`,
    'way.js': `import './lazy.js'`,
    'lazy.js': `import('./part.js').then(({ part }) => show('a', part))\nimport.meta.hot.accept()`,
    'other.js': `import('./part.js').then(({ part }) => show('b', part))`,
    'part.js': `export const part = 'one'`,
  },
}, async (app) => {
  await app.sees('#a', 'one')
  // In the sources that the server knows, nothing imports lazy.js.
  await restart(app, () => (app.remove('way.js'), app.write('other-way.js', `import './lazy.js'`)))
  await app.overlay('./way.js')
  await app.edit('part.js', 'one', 'two')
  await app.sees('#b', 'two')
  await app.edit('main.js', './way.js', './other-way.js')
  await app.sees('#a', 'two')
  await app.noOverlay()
  await app.stayed()
})

test('a worker whose maker was gone over a restart takes edits again when it is back', {
  files: {
    'main.js': `import './hire.js'\nimport.meta.hot.accept()`,
    'hire.js': HIRE,
    'w.js': `import { v } from './a.js'\nonmessage = () => postMessage('w1 ' + v)`,
    'a.js': value(1),
  },
}, async (app) => {
  await app.sees('#a', 'w1 1')
  await restart(app, () => (app.remove('hire.js'), app.write('a.js', value(2))))
  await app.connected(1)
  app.write('hire.js', HIRE)
  await app.sees('#a', 'w1 2')
  await app.edit('w.js', 'w1', 'w2')
  await app.sees('#a', 'w2 2')
  await app.stayed()
})

for (const made of ['Worker', 'SharedWorker']) {
  const files = {
    'main.js': `import './late.js'\nimport './hire.js'`,
    'late.js': '',
    'hire.js': hiring(made),
    'w.js': ANSWERING,
  }
  test(`a ${made} whose file is not there when it is made starts when it is`, { files, load: false }, async (app) => {
    app.write('late.js', 'const = ;')
    await app.load()
    await app.overlay('late.js')
    await restart(app, () => app.remove('w.js'))
    await app.connected(1)
    const asked = app.page.waitForResponse((answer) => answer.url().includes('worker_file') && answer.status() === 404)
    app.write('late.js', '')
    await asked
    app.write('w.js', files['w.js'])
    await app.sees('#a', 'posted and heard')
    await app.noOverlay()
  })
}

for (const which of ['first', 'edited']) {
  test(`the ${which} text of a linked sheet does not come, because the server is away, and comes when it is back`, {
    files: {
      'index.html':
        '<!doctype html><link rel="icon" href="data:,"><link rel="stylesheet" href="/site.css"><p id="a"></p><script type="module" src="/main.js"></script>',
      'site.css': 'p { order: 1 }',
      'main.js': 'import.meta.hot.accept()',
    },
    load: false,
  }, async (app) => {
    const tab = await app.tab({ blank: true })
    let isCut = which === 'first'
    await app.context.route('**/site.css*', (route) => (isCut ? route.abort() : route.continue()))
    await tab.load()
    if (!isCut) {
      await tab.looks('p', 'order', '1')
      isCut = true
      app.write('site.css', 'p { order: 2 }')
      await app.prints('hot updated /site.css')
      assert.equal(await tab.page.evaluate(() => document.querySelectorAll('link[rel=stylesheet]').length), 1)
      await tab.looks('p', 'order', '1')
    }
    isCut = false
    await app.stop('SIGKILL')
    await app.start()
    await tab.looks('p', 'order', which === 'first' ? '1' : '2')
    await tab.stayed()
  })
}

test('a copy of a linked sheet that does not come is overtaken by the next one', {
  files: {
    'index.html':
      '<!doctype html><link rel="icon" href="data:,"><link rel="stylesheet" href="/site.css"><p id="a"></p><script type="module" src="/main.js"></script>',
    'site.css': 'p { order: 1 }',
    'main.js': 'import.meta.hot.accept()',
  },
}, async (app) => {
  await app.looks('p', 'order', '1')
  const held = []
  let isHolding = true
  await app.page.route('**/site.css*', (route) => (isHolding ? void held.push(route) : route.continue()))
  app.write('site.css', 'p { order: 2 }')
  await until('the first copy to be asked for', () => assert.equal(held.length, 1))
  held[0].abort()
  await until('whether the server answers to be asked', () => assert.equal(held.length, 2))
  isHolding = false
  app.write('site.css', 'p { order: 3 }')
  await app.looks('p', 'order', '3')
  held[1].abort()
  await app.edit('site.css', '3', '4')
  await app.looks('p', 'order', '4')
  await until('one sheet to be left', async () => assert.equal(await app.page.evaluate(() => document.styleSheets.length), 1))
})
