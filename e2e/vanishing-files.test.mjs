/** Files that are renamed, deleted, or away for a moment, with edits of what is around them: editors, formatters and git do that. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import { program, test } from './harness.mjs'
import { lineTest } from './line-test.mjs'

/** `main.js` shows what `x.js` makes of `y.js`, and accepts. */
const CHAIN = {
  'main.js': `import { x } from './x.js'\nshow('a', x)\nimport.meta.hot.accept()`,
  'x.js': `import { y } from './y.js'\nexport const x = 'x' + y`,
  'y.js': 'export const y = 1',
}
const pause = (ms) => new Promise((done) => setTimeout(done, ms))

/** Writes by renaming: a file that is written in place is empty for a moment, on a busy computer for long. */
function replace(app, name, text) {
  fs.writeFileSync(app.path(`${name}.new`), text)
  fs.renameSync(app.path(`${name}.new`), app.path(name))
}

function git(app, ...words) {
  const identity = ['-c', 'user.name=t', '-c', 'user.email=t@example.com', '-c', 'commit.gpgsign=false', '-c', 'core.hooksPath=/dev/null']
  execFileSync('git', [...identity, ...words], {
    cwd: app.root,
    stdio: 'pipe',
    env: { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' },
  })
}

/** Two branches, `one` with the files as they are and `two` after `change`; `one` is checked out. */
function branches(app, change) {
  git(app, 'init', '--quiet', '--initial-branch=one')
  git(app, 'add', '.')
  git(app, 'commit', '--quiet', '--message', 'one')
  git(app, 'checkout', '--quiet', '-b', 'two')
  change()
  git(app, 'add', '.')
  git(app, 'commit', '--quiet', '--message', 'two')
  git(app, 'checkout', '--quiet', 'one')
}

/** What every test here ends with: the page follows further edits, and nothing is reported. */
async function goesOn(app, file, from, to, shown) {
  await app.noOverlay()
  await app.edit(file, from, to)
  await app.sees('#a', shown)
  await app.stayed()
}

// ---- renamed, and what it imports edited

test('a module is renamed, its importer follows, and what it imports is edited, all at once', { files: CHAIN }, async (app) => {
  await app.sees('#a', 'x1')
  fs.renameSync(app.path('x.js'), app.path('z.js'))
  replace(app, 'main.js', CHAIN['main.js'].replace('./x.js', './z.js'))
  replace(app, 'y.js', 'export const y = 2')
  await app.sees('#a', 'x2')
  await goesOn(app, 'y.js', '2', '3', 'x3')
})

test('the same by a checkout of another branch, and back', { files: CHAIN, start: false }, async (app) => {
  branches(app, () => {
    git(app, 'mv', 'x.js', 'z.js')
    app.write('main.js', CHAIN['main.js'].replace('./x.js', './z.js'))
    app.write('y.js', 'export const y = 2')
  })
  await app.start()
  await app.load()
  await app.sees('#a', 'x1')
  git(app, 'checkout', '--quiet', 'two')
  await app.sees('#a', 'x2')
  await app.noOverlay()
  git(app, 'checkout', '--quiet', 'one')
  await app.sees('#a', 'x1')
  await goesOn(app, 'y.js', '1', '3', 'x3')
})

test('the same in three steps, with an error in between', { files: CHAIN }, async (app) => {
  await app.sees('#a', 'x1')
  await app.noticed('x.js', () => fs.renameSync(app.path('x.js'), app.path('z.js')))
  await app.overlay('x.js')
  await app.noticed('y.js', () => app.write('y.js', 'export const y = 2'))
  await app.edit('main.js', './x.js', './z.js')
  await app.sees('#a', 'x2')
  await goesOn(app, 'y.js', '2', '3', 'x3')
})

test('a folder is renamed, its importer follows, and a JSON file that the folder imports is edited', {
  files: {
    'main.js': `import { x } from './parts/x.js'\nshow('a', x)\nimport.meta.hot.accept()`,
    'parts/x.js': `import { y } from '../y.json'\nimport './x.css'\nexport const x = 'x' + y`,
    'parts/x.css': '#a { color: rgb(0, 0, 1) }',
    'y.json': '{ "y": 1 }',
  },
}, async (app) => {
  await app.sees('#a', 'x1')
  fs.renameSync(app.path('parts'), app.path('pieces'))
  await app.edit('main.js', './parts', './pieces')
  app.write('y.json', '{ "y": 2 }')
  await app.sees('#a', 'x2')
  await app.edit('pieces/x.css', '1)', '2)')
  await app.looks('#a', 'color', 'rgb(0, 0, 2)')
  await goesOn(app, 'y.json', '2', '3', 'x3')
})

test('a module is deleted and no longer imported, and what it imported is edited, in one save', {
  files: { ...CHAIN, 'main.js': `import { x } from './x.js'\nimport { y } from './y.js'\nshow('a', x + y)\nimport.meta.hot.accept()` },
}, async (app) => {
  await app.sees('#a', 'x11')
  app.remove('x.js')
  app.write('main.js', `import { y } from './y.js'\nshow('a', y)\nimport.meta.hot.accept()`)
  app.write('y.js', 'export const y = 2')
  await app.sees('#a', '2')
  await goesOn(app, 'y.js', '2', '3', '3')
})

test('the overlay of deleted files goes with the checkout that needs them no more', {
  files: {
    'main.js': `import { x } from './x.js'\nshow('a', x)\nimport.meta.hot.accept()`,
    'x.js': `import { y } from './y.js'\nexport const x = 'x' + y\nimport.meta.hot.accept(() => import.meta.hot.invalidate())`,
    'y.js': 'export const y = 1',
  },
}, async (app) => {
  await app.sees('#a', 'x1')
  app.remove('y.js')
  await app.overlay('y.js')
  app.remove('x.js')
  app.write('z.js', `export const x = 'z'`)
  await app.edit('main.js', './x.js', './z.js')
  await app.sees('#a', 'z')
  await goesOn(app, 'z.js', `'z'`, `'zz'`, 'zz')
})

lineTest('a file behind `export *` is renamed while two tabs are cut off: both follow', {
  files: {
    'main.js': `import { v } from './all.js'\nshow('a', v)\nimport.meta.hot.accept()`,
    'all.js': `export * from './one.js'`,
    'one.js': 'export const v = 1',
  },
}, async (app, line) => {
  const other = await app.tab()
  line.cut()
  await app.noticed('one.js', () => fs.renameSync(app.path('one.js'), app.path('uno.js')))
  await app.noticed('all.js', () => app.edit('all.js', './one.js', './uno.js'))
  await app.noticed('uno.js', () => app.edit('uno.js', '1', '2'))
  line.mend()
  for (const tab of [app.first, other]) {
    await tab.sees('#a', '2')
    await tab.noOverlay()
    await tab.stayed()
  }
  await app.edit('uno.js', '2', '3')
  for (const tab of [app.first, other]) await tab.sees('#a', '3')
})

// ---- away for a moment

const ENTRY = `show('a', 'one')\nimport.meta.hot.accept()`
const pageWith = (...entries) =>
  `<!doctype html><head><link rel="icon" href="data:,"></head><body><p id="a"></p><p id="b"></p>
<script>show = (id, text) => { document.getElementById(id).textContent = text }</script>
${entries.map((entry) => `<script type="module" src="${entry}"></script>`).join('\n')}</body>`

for (const gap of [0, 45, 200]) {
  for (const [how, others] of [['the only entry', []], ['one of two entries', ['/src/second.js']]]) {
    test(`${how} is away for ${gap} ms: open tabs go on, and pages that are loaded later run it`, {
      files: { 'index.html': pageWith('/src/main.js', ...others), 'src/main.js': ENTRY, 'src/second.js': `show('b', 'second')` },
    }, async (app) => {
      await app.sees('#a', 'one')
      app.remove('src/main.js')
      await pause(gap)
      app.write('src/main.js', ENTRY.replace('one', 'two'))
      await app.sees('#a', 'two')
      await app.noOverlay()
      await app.load()
      const fresh = await app.tab()
      for (const tab of [app.first, fresh]) {
        await tab.sees('#a', 'two')
        await tab.noOverlay()
      }
      await app.edit('src/main.js', 'two', 'three')
      for (const tab of [app.first, fresh]) {
        await tab.sees('#a', 'three')
        await tab.stayed()
      }
    })
  }
}

const AWAY_FOR_A_MOMENT = {
  'an entry': ['main.js'],
  'an imported module': ['a.js'],
  'a linked sheet': ['site.css'],
  'a folder that a glob matches': ['found'],
  'an env file': ['.env'],
}

for (const [what, [name]] of Object.entries(AWAY_FOR_A_MOMENT)) {
  test(`${what} is moved away and back within a moment: nobody is told`, {
    files: {
      'index.html': `${pageWith('/main.js').replace('</head>', '<link rel="stylesheet" href="/site.css"></head>')}`,
      'main.js': `import { a } from './a.js'
import all from './all.js'
globalThis.runs = (globalThis.runs ?? 0) + 1
show('a', a + all + import.meta.env.VITE_X)
import.meta.hot.accept()`,
      'a.js': `export const a = 'a'`,
      'all.js': `export default Object.keys(import.meta.glob('./found/*.js', { eager: true })).length`,
      'found/one.js': 'export const one = 1',
      'site.css': 'p { color: rgb(1, 2, 3) }',
      '.env': 'VITE_X=x',
    },
  }, async (app) => {
    await app.sees('#a', 'a1x')
    await pause(1200) // Files that are younger are looked at once more.
    const before = app.printed.length
    await app.first.page.evaluate(() => {
      globalThis.runs = 0
      globalThis.overlays = 0
      new MutationObserver((changes) =>
        changes.forEach(({ addedNodes }) =>
          addedNodes.forEach((node) => {
            if (/overlay/.test(node.localName)) overlays++
          })
        )
      ).observe(document, { childList: true, subtree: true })
    })
    fs.renameSync(app.path(name), app.path('../away'))
    await pause(70)
    fs.renameSync(app.path('../away'), app.path(name))
    await pause(1000)
    assert.deepEqual(await app.first.page.evaluate(() => [runs, overlays]), [0, 0])
    assert.doesNotMatch(app.printed.slice(before), /error|fixed|hot updated/)
    await app.stayed()
  })
}

test(
  'an entry that git stashes away and brings back',
  { files: { 'index.html': pageWith('/src/main.js'), 'src/keep.js': '' }, start: false },
  async (app) => {
    git(app, 'init', '--quiet')
    git(app, 'add', '.')
    git(app, 'commit', '--quiet', '--message', 'without')
    app.write('src/main.js', ENTRY)
    git(app, 'add', '.')
    await app.start()
    await app.load()
    await app.sees('#a', 'one')
    await app.noticed('main.js', () => git(app, 'stash', '--quiet'))
    git(app, 'stash', 'pop', '--quiet', '--index')
    const fresh = await app.tab()
    await fresh.sees('#a', 'one')
    await fresh.noOverlay()
  },
)

test('an entry that is a style sheet is away for 200 ms', {
  files: {
    'index.html': pageWith('/src/main.js').replace('</head>', '<link rel="stylesheet" href="/src/site.css"></head>'),
    'src/main.js': ENTRY,
    'src/site.css': '#a { color: rgb(0, 0, 1) }',
  },
}, async (app) => {
  await app.looks('#a', 'color', 'rgb(0, 0, 1)')
  app.remove('src/site.css')
  await pause(200)
  app.write('src/site.css', '#a { color: rgb(0, 0, 2) }')
  await app.looks('#a', 'color', 'rgb(0, 0, 2)')
  const fresh = await app.tab()
  await fresh.looks('#a', 'color', 'rgb(0, 0, 2)')
  for (const tab of [app.first, fresh]) await tab.noOverlay()
})

test('a file that was imported before it existed, in a folder that was away and came back', {
  files: { 'main.js': ENTRY, 'src/a/x.js': `export const x = 1` },
}, async (app) => {
  await app.edit('main.js', `show('a', 'one')`, `import { x } from './src/a/x.js'\nimport later from './src/a/later.json'\nshow('a', x + later.n)`)
  await app.overlay('later.json')
  fs.renameSync(app.path('src/a'), app.path('src/a_away'))
  await app.overlay('x.js')
  fs.renameSync(app.path('src/a_away'), app.path('src/a'))
  app.write('src/a/later.json', '{ "n": 1 }')
  await app.sees('#a', '2')
  await goesOn(app, 'src/a/later.json', '1', '2', '3')
})

// ---- there, and not to be read

/** Permissions mean nothing to root, so the server then runs as another user. */
function asSomebody(app) {
  if (process.getuid() !== 0) return
  const give = (path) => fs.chownSync(path, 65534, 65534)
  for (const name of ['.', ...fs.readdirSync(app.root, { recursive: true })]) give(app.path(String(name)))
  app.command = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', program, 'dev', app.root]
}

for (const [what, name, mode] of [['a folder', 'locked', 0o755], ['a file', 'locked/x.js', 0o644]]) {
  test(`${what} that could not be read is read when it may be`, {
    files: { 'main.js': `import { x } from './locked/x.js'\nshow('a', x)\nimport.meta.hot.accept()`, 'locked/x.js': 'export const x = 1' },
    start: false,
  }, async (app) => {
    asSomebody(app)
    fs.chmodSync(app.path(name), 0)
    try {
      await app.start()
      const tab = await app.tab({ blank: true })
      await tab.page.goto(app.url)
      await tab.overlay('x.js')
      fs.chmodSync(app.path(name), mode)
      await tab.sees('#a', '1')
      await tab.noOverlay()
    } finally {
      fs.chmodSync(app.path(name), mode) // Otherwise the folder could not be removed.
    }
  })
}

test('a sheet that was gone when the page was loaded comes back in two saves, the first of which is broken', {
  files: {
    'main.js': `import names from './m.module.css'\nshow('a', Object.keys(names))\nimport.meta.hot.accept()`,
    'm.module.css': '.box { order: 1 }',
  },
}, async (app) => {
  await app.sees('#a', 'box')
  app.remove('m.module.css')
  await app.overlay('cannot find')
  await app.page.goto(app.url)
  await app.overlay('cannot find')
  replace(app, 'm.module.css', `@import './nowhere.css';`)
  await pause(30)
  replace(app, 'm.module.css', '.box { order: 1 }\n.more { order: 2 }')
  await app.sees('#a', 'box,more')
  await app.noOverlay()
})

test('a sheet that was never well is mended, and written again, while a file that went is waited for', {
  files: {
    'index.html':
      `<!doctype html><link rel="icon" href="data:,"><script>show = (id, text) => { document.getElementById(id).textContent = String(text) }</script><p id="a"></p><link rel="stylesheet" href="/site.css"><script type="module" src="/main.js"></script>`,
    'main.js': `import('./gone.js')\nshow('a', 1)\nimport.meta.hot.accept()`,
    'gone.js': '',
    'site.css': `@import './nowhere.css';`,
  },
}, async (app) => {
  await app.overlay('nowhere.css')
  const mended = '#a { color: rgb(1, 2, 3) }'
  fs.rmSync(app.path('gone.js'))
  replace(app, 'site.css', mended)
  await pause(40)
  replace(app, 'site.css', mended)
  replace(app, 'main.js', `show('a', 2)\nimport.meta.hot.accept()`)
  await app.sees('#a', '2')
  await app.looks('#a', 'color', 'rgb(1, 2, 3)')
  await app.noOverlay()
})
