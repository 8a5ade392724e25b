/** A module that cannot run, or does not arrive, holds up no other module; what an update could not finish is given up. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { program, test, until } from './harness.mjs'
import { lineTest } from './line-test.mjs'

/** Longer than the 10 s that an update waits for a definition that does not arrive. */
const LONG = 20_000
/** Shorter: an update that comes within this time has not waited. */
const SHORT = 8000

const NEVER = 'await new Promise(() => {})\n'
const accepting = (id, text) => `show('${id}', '${text}')\nimport.meta.hot.accept()`
const TWO = { 'main.js': `import './a.js'\nimport './b.js'`, 'a.js': accepting('a', 'one'), 'b.js': accepting('b', 'one') }

/** Writes files as one save. */
async function rekindleEdit(app, files) {
  const script = Object.entries(files).map(([name, text]) => `fs.writeFileSync(${JSON.stringify(app.path(name))}, ${JSON.stringify(text)})`)
  await promisify(execFile)(
    program,
    ['edit', '--', process.execPath, '--input-type=module', '-e', `import fs from 'node:fs'\n${script.join('\n')}`],
    { cwd: app.root },
  )
}

// ---- a top-level await that does not settle

test('a save that waits for ever is left behind after 10 s: other modules take their saves', { files: TWO }, async (app) => {
  await app.edit('a.js', `show('a', 'one')`, `console.log('waiting')\n${NEVER}show('a', 'never')`)
  await app.says('waiting')
  await app.edit('b.js', 'one', 'two')
  await app.sees('#b', 'two', LONG)
  await app.edit('b.js', 'two', 'three')
  await app.sees('#b', 'three', LONG)
  await app.edit('a.js', `console.log('waiting')\n${NEVER}show('a', 'never')`, `show('a', 'two')`)
  await app.sees('#a', 'two', LONG)
  await app.stayed()
})

test('the fix of a module that waits for ever goes through at once, and the copy that waited never goes on', { files: TWO }, async (app) => {
  const wait = `console.log('waiting')\nawait new Promise((go) => { window.go = go })\nshow('a', 'late')\nconsole.log('late')`
  await app.edit('a.js', `show('a', 'one')`, `import.meta.hot.dispose(() => console.log('disposed'))\n${wait}`)
  await app.says('waiting')
  app.write('a.js', accepting('a', 'two'))
  await app.sees('#a', 'two', SHORT)
  await app.says('waiting', 'disposed')
  await app.page.evaluate(() => window.go())
  await app.edit('b.js', 'one', 'two')
  await app.sees('#b', 'two')
  await app.sees('#a', 'two')
  assert.ok(!app.first.logs.includes('late'), app.first.logs.join())
  await app.stayed()
})

test('the same where the importer takes the update', {
  files: { 'main.js': `import { v } from './a.js'\nshow('a', v)\nimport.meta.hot.accept()`, 'a.js': `export const v = 'one'` },
}, async (app) => {
  await app.sees('#a', 'one')
  await app.edit('a.js', `export`, `console.log('waiting')\n${NEVER}export`)
  await app.says('waiting')
  app.write('a.js', `export const v = 'two'`)
  await app.sees('#a', 'two', SHORT)
  await app.stayed()
})

test('a page whose first load waits for ever comes up with the fix', {
  files: { ...TWO, 'a.js': `console.log('waiting')\n${NEVER}${accepting('a', 'one')}` },
}, async (app) => {
  await app.says('waiting')
  await app.edit('a.js', NEVER, '')
  await app.sees('#a', 'one', SHORT)
  await app.sees('#b', 'one')
})

/** On this page a wait of 1 s never ends, so an update that comes has not waited. */
async function withoutSeconds(app) {
  await app.page.addInitScript(() => {
    const { setTimeout } = window
    // @ts-expect-error: it lacks what Node adds to it, which no page uses.
    window.setTimeout = (work, ms, ...rest) => (ms > 500 && ms <= 1000 ? 0 : setTimeout(work, ms, ...rest))
  })
  await app.load()
}

test('the fix of a hanging module that accepts nothing itself goes through at once, as often as it hangs', {
  files: { 'main.js': `import './a.js'\nimport './b.js'\nimport.meta.hot.accept()`, 'a.js': `show('a', 'one')`, 'b.js': accepting('b', 'one') },
}, async (app) => {
  await withoutSeconds(app)
  for (let n = 1; n <= 3; n++) {
    app.write('a.js', `show('a', 'hangs ${n}')\n${NEVER}`)
    await app.sees('#a', `hangs ${n}`)
    app.write('a.js', `show('a', 'fixed ${n}')`)
    await app.sees('#a', `fixed ${n}`, SHORT)
  }
  await app.stayed()
})

test('the same for one that was imported by import(), whose promise comes with the fix', {
  files: {
    'main.js': `import('./lazy.js').then((lazy) => show('a', lazy.v))\nimport './b.js'\nimport.meta.hot.accept()`,
    'lazy.js': `show('c', 'hangs')\n${NEVER}export const v = 'one'`,
    'b.js': accepting('b', 'one'),
  },
}, async (app) => {
  await withoutSeconds(app)
  await app.sees('#c', 'hangs')
  await app.edit('b.js', 'one', 'two')
  await app.sees('#b', 'two')
  app.write('lazy.js', `export const v = 'fixed'`)
  await app.sees('#a', 'fixed', SHORT)
  await app.stayed()
})

/** `a.js` waits for what `dep.js` gives. */
const THROUGH_DEP = {
  'main.js': `import './a.js'\nimport './b.js'`,
  'dep.js': `export const wait = async () => 'one'`,
  'a.js': `import { wait } from './dep.js'\nconst text = await wait()\n${accepting('a', 'one').replace(`'one'`, 'text')}`,
  'b.js': accepting('b', 'one'),
}
const HANGING_DEP = `export const wait = () => new Promise(() => {})\nconsole.log('hangs')`

test('a module that hangs in what a dependency does is mended by the fix of that, at once', { files: THROUGH_DEP }, async (app) => {
  await app.sees('#a', 'one')
  app.write('dep.js', HANGING_DEP)
  await app.says('hangs')
  app.write('dep.js', `export const wait = async () => 'two'`)
  await app.sees('#a', 'two', SHORT)
  await app.stayed()
})

test('the same in two tabs', { files: THROUGH_DEP }, async (app) => {
  const second = await app.tab()
  await second.sees('#a', 'one')
  app.write('dep.js', HANGING_DEP)
  await app.says('hangs')
  await second.says('hangs')
  app.write('dep.js', `export const wait = async () => 'two'`)
  await app.sees('#a', 'two', SHORT)
  await second.sees('#a', 'two', SHORT)
})

test('the same in a worker', {
  files: {
    'main.js':
      `const worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' })\nworker.onmessage = ({ data }) => show(...data)`,
    'worker.js': `import './a.js'`,
    'dep.js': THROUGH_DEP['dep.js'],
    'a.js': `import { wait } from './dep.js'\nconst text = await wait()\npostMessage(['a', text])\nimport.meta.hot.accept()`,
  },
}, async (app) => {
  await app.sees('#a', 'one')
  app.write('dep.js', `export const wait = () => new Promise(() => {})\npostMessage(['b', 'hangs'])`)
  await app.sees('#b', 'hangs')
  app.write('dep.js', `export const wait = async () => 'two'`)
  await app.sees('#a', 'two', SHORT)
})

test('a dependency that takes its own save, below a module that hangs, does not give that up', {
  files: { 'main.js': `import './a.js'`, 'dep.js': accepting('b', 'one'), 'a.js': `import './dep.js'\n${accepting('a', 'one')}` },
}, async (app) => {
  await app.sees('#a', 'one')
  await app.edit('a.js', `show('a', 'one')`, `console.log('waiting')\nawait new Promise((go) => { window.go = go })\nshow('a', 'two')`)
  await app.says('waiting')
  await app.edit('dep.js', 'one', 'two')
  await app.page.evaluate(() => window.go())
  await app.sees('#a', 'two')
  await app.sees('#b', 'two')
  await app.stayed()
})

test('the fix of one module that hangs does not wait behind another one that hangs', { files: TWO }, async (app) => {
  const hanging = (id) => `show('${id}', 'hangs')\n${NEVER}${accepting(id, 'never')}`
  app.write('a.js', hanging('a'))
  await app.sees('#a', 'hangs')
  app.write('b.js', hanging('b'))
  await app.page.waitForTimeout(500) // It now waits in the queue for `a.js`; the fix will wait behind it.
  app.write('a.js', accepting('a', 'fixed'))
  await app.sees('#a', 'fixed', SHORT)
  app.write('b.js', accepting('b', 'fixed'))
  await app.sees('#b', 'fixed', SHORT)
  await app.stayed()
})

test('a save that nobody accepts reloads at once, though another module hangs', {
  files: { ...TWO, 'main.js': `${TWO['main.js']}\nimport './plain.js'`, 'plain.js': `show('c', 'one')` },
}, async (app) => {
  await app.edit('a.js', `show('a', 'one')`, `show('a', 'hangs')\n${NEVER}`)
  await app.sees('#a', 'hangs')
  await app.edit('plain.js', 'one', 'two')
  await app.sees('#c', 'two', SHORT)
  await app.reloaded()
})

// ---- a definition that does not arrive

/** The page's next edit of `main.js` needs `shared.js`, which the server has for another page and this tab has not. */
const NEEDING = {
  files: {
    'main.js': `import './b.js'\nshow('a', 'one')\nimport.meta.hot.accept()`,
    'b.js': accepting('b', 'one'),
    'other.html': `<script type="module" src="/other.js"></script>`,
    'other.js': `import { v } from './shared.js'\nimport './shared.css'\ndocument.title = v`,
    'shared.js': `export const v = 'shared'`,
    'shared.css': '#a { color: rgb(0, 0, 1) }',
  },
}
const LOAD = /@rekindle\/load/

async function openOther(app) {
  const other = await app.tab({ blank: true })
  await other.page.goto(new URL('/other.html', app.url).href)
  await until('the other page', async () => assert.equal(await other.page.title(), 'shared'))
}
const need = (app) => app.edit('main.js', `show('a', 'one')`, `import { v } from './shared.js'\nimport './shared.css'\nshow('a', v)`)

test('an answer that never comes holds up its own update alone', NEEDING, async (app) => {
  await openOther(app)
  let asked = 0
  const held = []
  await app.page.route(LOAD, (route) => {
    asked += 1
    held.push(route)
  })
  await need(app)
  await until('the page to ask for what is missing', () => assert.ok(asked > 0))
  await app.edit('b.js', 'one', 'two')
  await app.sees('#b', 'two', LONG)
  await app.edit('b.js', 'two', 'three')
  await app.sees('#b', 'three', LONG)
  await app.page.unroute(LOAD)
  await Promise.all(held.map((route) => route.continue().catch(() => {})))
  await app.sees('#a', 'shared', LONG)
  await app.looks('#a', 'color', 'rgb(0, 0, 1)')
  await app.stayed()
})

test('nor does one that is asked for when the next saves are in the queue already', NEEDING, async (app) => {
  await openOther(app)
  let asked = 0
  await app.page.route(LOAD, () => void (asked += 1))
  await app.edit('b.js', `show('b', 'one')`, `show('b', 'hangs')\n${NEVER}`)
  await app.sees('#b', 'hangs')
  await need(app)
  await app.page.waitForTimeout(500) // So that each save is a batch of its own.
  app.write('b.js', accepting('b', 'two'))
  await app.sees('#b', 'two', SHORT)
  await until('the page to ask for what is missing', () => assert.ok(asked > 0))
  await app.stayed()
})

test('an answer that comes late is taken when it comes, without another save', NEEDING, async (app) => {
  await openOther(app)
  const held = []
  await app.page.route(LOAD, (route) => void held.push(route))
  await need(app)
  await until('the page to ask for what is missing', () => assert.ok(held.length > 0))
  await app.page.waitForTimeout(11_000) // Beyond the limit: it is put aside.
  await app.page.unroute(LOAD)
  await Promise.all(held.map((route) => route.continue().catch(() => {})))
  await app.sees('#a', 'shared', LONG)
  await app.stayed()
})

for (const times of [1, 3]) {
  test(`a request that fails ${times === 1 ? 'once' : `${times} times`} is made again, without another save`, NEEDING, async (app) => {
    await openOther(app)
    let asked = 0
    await app.page.route(LOAD, (route) => (++asked <= times ? route.abort() : route.continue()))
    await need(app)
    await app.sees('#a', 'shared', LONG)
    await app.looks('#a', 'color', 'rgb(0, 0, 1)')
    await app.noOverlay()
    await app.stayed()
    assert.ok(asked > times)
  })
}

lineTest('an update whose requests all failed goes through when the connection is back, without another save', NEEDING, async (app, line) => {
  // The pause before it is tried again by itself never ends here.
  await app.page.addInitScript(() => {
    const { setTimeout } = window
    // @ts-expect-error: it lacks what Node adds to it, which no page uses.
    window.setTimeout = (work, ms, ...rest) => (window.paused?.has(ms) ? (window.pauses += 1, 0) : setTimeout(work, ms, ...rest))
  })
  await app.load()
  await openOther(app)
  await app.page.evaluate(() => void Object.assign(window, { paused: new Set([1000]), pauses: 0 }))
  await app.page.route(LOAD, (route) => route.abort())
  await need(app)
  await until('the page to give up for now', async () => assert.ok(await app.page.evaluate(() => window.pauses > 0)))
  await app.page.unroute(LOAD)
  await app.page.evaluate(() => window.paused.clear())
  await app.sees('#a', 'one')
  line.cut()
  line.mend()
  await app.sees('#a', 'shared')
  await app.looks('#a', 'color', 'rgb(0, 0, 1)')
  await app.noOverlay()
  await app.stayed()
})

// ---- a reload that the page cancels

const EDITOR = {
  files: {
    'main.js': `import './plain.js'\nimport './hot.js'\naddEventListener('beforeunload', (event) => event.preventDefault())`,
    'plain.js': `show('b', 'one')`,
    'hot.js': accepting('a', 'one'),
  },
}

/** Answers every "leave this page?" with `stay`, as long as it is on; `asked` counts. */
async function stayAtDialogs(app) {
  const answer = { stay: true, asked: 0 }
  app.page.on('dialog', (dialog) => {
    answer.asked += 1
    void (answer.stay ? dialog.dismiss() : dialog.accept()).catch(() => {})
  })
  await app.page.click('body') // Without it browsers do not ask.
  return answer
}

test('a reload that the user cancels: the page goes on taking updates, and tab and terminal say that a reload is due', EDITOR, async (app) => {
  const dialogs = await stayAtDialogs(app)
  await app.edit('plain.js', 'one', 'two')
  await until('the browser to ask', () => assert.ok(dialogs.asked > 0))
  await app.edit('hot.js', 'one', 'two')
  await app.sees('#a', 'two')
  await app.edit('hot.js', 'two', 'three')
  await app.sees('#a', 'three')
  await app.sees('#b', 'one')
  await app.stayed()
  await until('the tab to say so', () => assert.match(app.first.lines.join('\n'), /reload is due|reload .*due|due.* reload/i))
  await until('the terminal to say so', () => assert.match(app.printed, /due|cancelled|stays/i))
  dialogs.stay = false
  await app.page.reload()
  await app.sees('#b', 'two')
  await app.sees('#a', 'three')
})

test('a reload that was cancelled once is asked for again by the next save that needs one', EDITOR, async (app) => {
  const dialogs = await stayAtDialogs(app)
  await app.edit('plain.js', 'one', 'two')
  await until('the browser to ask', () => assert.ok(dialogs.asked > 0))
  await app.edit('hot.js', 'one', 'two')
  await app.sees('#a', 'two')
  dialogs.stay = false
  await app.edit('plain.js', 'two', 'three')
  await app.reloaded()
  await app.sees('#b', 'three')
  await app.sees('#a', 'two')
})

test('a reload that was cancelled does not hold up sheets and the fix of a mistake', {
  files: { ...EDITOR.files, 'main.js': `${EDITOR.files['main.js']}\nimport './look.css'`, 'look.css': '#a { color: rgb(0, 0, 1) }' },
}, async (app) => {
  const dialogs = await stayAtDialogs(app)
  await app.edit('plain.js', 'one', 'two')
  await until('the browser to ask', () => assert.ok(dialogs.asked > 0))
  await app.edit('look.css', '1)', '2)')
  await app.looks('#a', 'color', 'rgb(0, 0, 2)')
  app.write('hot.js', `show('a', `)
  await app.overlay('hot.js')
  app.write('hot.js', accepting('a', 'two'))
  await app.sees('#a', 'two')
  await app.noOverlay()
  await app.stayed()
})

test('a reload that was cancelled leaves alone what called for it, and takes the rest of the same save', {
  files: {
    ...EDITOR.files,
    'main.js': `${EDITOR.files['main.js']}\nimport './shared.js'`,
    'hot.js': `import { v } from './shared.js'\nshow('a', 'one ' + v)\nimport.meta.hot.accept()`,
    'shared.js': `export const v = 'old'`,
    'linked.css': '#a { color: rgb(0, 0, 1) }',
    'index.html':
      `<!doctype html><link rel="stylesheet" href="/linked.css"><p id="a"></p><p id="b"></p><script>show = (id, text) => { document.getElementById(id).textContent = text }</script><script type="module" src="/main.js"></script>`,
  },
}, async (app) => {
  const dialogs = await stayAtDialogs(app)
  await rekindleEdit(app, {
    'plain.js': `show('b', 'two')`,
    'shared.js': `export const v = 'new'`,
    'linked.css': '#a { color: rgb(0, 0, 2) }',
    'hot.js': `import { v } from './shared.js'\nshow('a', 'two ' + v)\nimport.meta.hot.accept()`,
  })
  await until('the browser to ask', () => assert.ok(dialogs.asked > 0))
  await app.sees('#a', 'two old')
  await app.looks('#a', 'color', 'rgb(0, 0, 2)')
  await app.sees('#b', 'one')
  await app.stayed()
  assert.equal(dialogs.asked, 1)
})

const ASKING_FRAMES = {
  'an iframe': (frame) => frame(''),
  'an iframe in an iframe': (frame) => frame(frame('').replaceAll('&', '&amp;').replaceAll('"', '&quot;')),
  'an iframe of another origin': (frame) => frame('').replace('<iframe', '<iframe sandbox="allow-scripts allow-modals"'),
}

for (const [where, page] of Object.entries(ASKING_FRAMES)) {
  test(`a reload that ${where} cancels does not leave the tab deaf`, {
    files: {
      'main.js': `import './plain.js'\nimport './hot.js'`,
      'plain.js': `show('b', 'one')`,
      'hot.js': accepting('a', 'one'),
      'index.html': `<!doctype html><p id="a"></p><p id="b"></p>${
        page((inner) =>
          `<iframe srcdoc="<button>x</button>${inner}<script>onbeforeunload = (event) => { event.preventDefault(); return 'no' }</script>"></iframe>`
        )
      }<script>show = (id, text) => { document.getElementById(id).textContent = text }</script><script type="module" src="/main.js"></script>`,
    },
  }, async (app) => {
    const dialogs = await stayAtDialogs(app)
    await app.page.frames().at(-1).click('button')
    await app.edit('plain.js', 'one', 'two')
    await until('the browser to ask', () => assert.ok(dialogs.asked > 0))
    await app.edit('hot.js', 'one', 'two')
    await app.sees('#a', 'two', SHORT)
    await app.stayed()
    dialogs.stay = false
    await app.edit('plain.js', 'two', 'three')
    await app.reloaded()
    await app.sees('#b', 'three')
  })
}

test('a page that takes long to be left takes updates meanwhile, and says after it why it went', {
  files: { 'main.js': `import './plain.js'\nimport './hot.js'`, 'plain.js': `show('b', 'one')`, 'hot.js': accepting('a', 'one') },
}, async (app) => {
  let go
  await app.page.route(app.url, async (route) => {
    await new Promise((done) => (go = done))
    await route.continue()
  })
  await app.edit('plain.js', 'one', 'two')
  await until('the page to be asked for', () => assert.ok(go))
  await app.edit('hot.js', 'one', 'two')
  await until('the update', () => assert.match(app.first.lines.join('\n'), /hot updated: \/hot\.js/), SHORT)
  go()
  await app.reloaded()
  await app.sees('#b', 'two')
  await app.sees('#a', 'two')
  await until('the reason', () => assert.match(app.first.lines.join('\n'), /page reloaded, because nothing accepts \/plain\.js/))
})

test('a crashed page that stays asks again for its own fix only', {
  files: {
    ...EDITOR.files,
    'main.js': `${EDITOR.files['main.js']}\nthrow new Error('not today')`,
    'look.css': '#a { color: rgb(0, 0, 1) }',
    'other.js': `import './look.css'\n${accepting('c', 'one')}`,
    'index.html':
      `<!doctype html><p id="a"></p><p id="b"></p><p id="c"></p><script>show = (id, text) => { document.getElementById(id).textContent = text }</script><script type="module" src="/main.js"></script><script type="module" src="/other.js"></script>`,
  },
}, async (app) => {
  const dialogs = await stayAtDialogs(app)
  await app.edit('main.js', 'not today', 'not now')
  await until('the browser to ask', () => assert.equal(dialogs.asked, 1))
  await app.edit('look.css', '1)', '2)')
  await app.looks('#a', 'color', 'rgb(0, 0, 2)')
  await app.edit('other.js', `'one'`, `'two'`)
  await app.sees('#c', 'two')
  assert.equal(dialogs.asked, 1)
  dialogs.stay = false
  await app.edit('main.js', `\nthrow new Error('not now')`, '')
  await app.reloaded()
  await app.noOverlay()
})

const OWNERS = {
  Worker: {
    make: `const port = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' })`,
    worker: `onmessage = () => postMessage('one')`,
  },
  SharedWorker: {
    make: `const { port } = new SharedWorker(new URL('./worker.js', import.meta.url), { type: 'module' })`,
    worker: `onconnect = ({ ports: [port] }) => { port.onmessage = () => port.postMessage('one') }`,
  },
}

for (const [kind, { make, worker }] of Object.entries(OWNERS)) {
  test(`a ${kind} that had called for a reload which was cancelled is started anew, with what was posted meanwhile`, {
    files: {
      'main.js':
        `addEventListener('beforeunload', (event) => event.preventDefault())\n${make}\nport.onmessage = ({ data }) => show('a', data)\nwindow.ask = () => port.postMessage('who?')\nwindow.ask()`,
      'worker.js': worker,
    },
  }, async (app) => {
    await app.sees('#a', 'one')
    const dialogs = await stayAtDialogs(app)
    await app.edit('worker.js', 'one', 'two')
    await until('the browser to ask', () => assert.ok(dialogs.asked > 0))
    await app.page.evaluate(() => window.ask())
    await app.sees('#a', 'two')
    await app.stayed()
    await app.edit('worker.js', 'two', 'three')
    await until('the browser to ask again', () => assert.ok(dialogs.asked > 1))
    await app.page.evaluate(() => window.ask())
    await app.sees('#a', 'three')
  })
}

// ---- an update that is put back

const LIVE = `window.live = (window.live ?? 0) + 1\nimport.meta.hot.dispose(() => { window.live -= 1 })`

test('copies that ran in an update which threw are let go, each once', {
  files: {
    'main.js': `import './x.js'\nimport './y.js'\nimport.meta.hot.accept()`,
    'x.js': `import { d } from './d.js'\n${LIVE}\nshow('a', d)`,
    'y.js': `import { d } from './d.js'\nif (d > 1) throw new Error('not today')\nshow('b', d)`,
    'd.js': 'export const d = 1',
  },
}, async (app) => {
  const live = () => app.page.evaluate(() => window.live)
  await app.sees('#b', '1')
  for (let d = 2; d <= 6; d++) {
    await app.noticed('d.js', () => app.write('d.js', `export const d = ${d}`))
    await app.overlay('not today')
    assert.equal(await live(), 1, `after ${d - 1} saves that threw`)
  }
  app.write('y.js', `import { d } from './d.js'\nshow('b', d)`)
  await app.sees('#b', '6')
  await app.noOverlay()
  assert.equal(await live(), 1)
  await app.stayed()
})

test('a module that came along for the first time in an update which threw is let go', {
  files: {
    'main.js': `import './y.js'\nshow('a', 'one')\nimport.meta.hot.accept()`,
    'y.js': `show('b', 'one')`,
    'new.js':
      `window.heard = 0\nconst hear = () => { window.heard += 1 }\naddEventListener('poke', hear)\nimport.meta.hot.dispose(() => removeEventListener('poke', hear))`,
  },
}, async (app) => {
  await app.sees('#b', 'one')
  await app.edit('y.js', `show('b', 'one')`, `import './new.js'\nthrow new Error('not today')`)
  await app.overlay('not today')
  await app.page.evaluate(() => void dispatchEvent(new Event('poke')))
  assert.equal(await app.page.evaluate(() => window.heard), 0, 'the listener of the copy that was taken back')
  await app.edit('y.js', `throw new Error('not today')`, `show('b', 'two')`)
  await app.sees('#b', 'two')
  await app.page.evaluate(() => void dispatchEvent(new Event('poke')))
  assert.equal(await app.page.evaluate(() => window.heard), 1)
  await app.stayed()
})

// ---- updates that are handed on

const HANDING_ON = 'import.meta.hot.accept(() => import.meta.hot.invalidate())'

test('two modules that hand their update on, one importing the other, saved at once: the page stays', {
  files: {
    'main.js': `import { x } from './x.js'\nshow('a', x)\nimport.meta.hot.accept()`,
    'x.js': `import { y } from './y.js'\nexport const x = 'x1 ' + y\n${HANDING_ON}`,
    'y.js': `export const y = 'y1'\n${HANDING_ON}`,
  },
}, async (app) => {
  await app.sees('#a', 'x1 y1')
  for (const n of [2, 3]) {
    app.write('x.js', `import { y } from './y.js'\nexport const x = 'x${n} ' + y\n${HANDING_ON}`)
    app.write('y.js', `export const y = 'y${n}'\n${HANDING_ON}`)
    await app.sees('#a', `x${n} y${n}`)
  }
  await app.stayed()
  assert.ok(!app.printed.includes('circular import invalidate'), app.printed)
})

test('three of them in a row below one that accepts a dependency', {
  files: {
    'main.js': `import { x } from './x.js'\nshow('a', x)\nimport.meta.hot.accept('./x.js', (next) => show('a', next.x))`,
    'x.js': `import { y } from './y.js'\nexport const x = 'x1 ' + y\n${HANDING_ON}`,
    'y.js': `import { z } from './z.js'\nexport const y = 'y1 ' + z\n${HANDING_ON}`,
    'z.js': `export const z = 'z1'\n${HANDING_ON}`,
  },
}, async (app) => {
  await app.sees('#a', 'x1 y1 z1')
  for (const name of ['x', 'y', 'z']) await app.edit(`${name}.js`, `'${name}1`, `'${name}2`)
  await app.sees('#a', 'x2 y2 z2')
  await app.stayed()
})
