/** The page's own file is away for a while: tabs go on with what they have, and take it again. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import { test } from './harness.mjs'

const MAIN = `show('a', 'one')\nimport.meta.hot.accept()`
const pause = (ms) => new Promise((done) => setTimeout(done, ms))

/** Writes by renaming: a file that is written in place is empty for a moment, on a busy computer for long. */
function replace(app, name, text) {
  fs.writeFileSync(app.path(`${name}.new`), text)
  fs.renameSync(app.path(`${name}.new`), app.path(name))
}

/** Puts a named pipe where a file was; gives back the file's text. */
function makePipe(app, name) {
  const text = fs.readFileSync(app.path(name), 'utf8')
  fs.rmSync(app.path(name))
  execFileSync('mkfifo', [app.path(name)])
  return text
}

/** The tab takes edits and was never loaded anew. */
async function goesOn(app, from = 'one', to = 'two') {
  await app.edit('main.js', from, to)
  await app.sees('#a', to)
  await app.stayed()
}

for (const away of [45, 200, 1000]) {
  test(`index.html is away for ${away} ms and comes back as it was`, { files: { 'main.js': MAIN } }, async (app) => {
    await app.sees('#a', 'one')
    const text = fs.readFileSync(app.path('index.html'), 'utf8')
    fs.rmSync(app.path('index.html'))
    await pause(away)
    replace(app, 'index.html', text)
    if (away > 500) await app.prints('fixed')
    await app.noOverlay()
    await goesOn(app)
  })
}

test('while index.html is gone the tab says so and takes edits', { files: { 'main.js': MAIN } }, async (app) => {
  await app.sees('#a', 'one')
  const text = fs.readFileSync(app.path('index.html'), 'utf8')
  fs.rmSync(app.path('index.html'))
  await app.overlay('the page index.html is gone')
  await goesOn(app)
  replace(app, 'index.html', text.replace('</body>', '<p id="new">new</p></body>'))
  await app.sees('#new', 'new')
  await app.noOverlay()
  await goesOn(app, 'two', 'three')
})

test('git checks a branch out that has no page, and the other one again', { files: { 'main.js': MAIN } }, async (app) => {
  await app.sees('#a', 'one')
  const git = (...words) =>
    execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.com', ...words], {
      cwd: app.root,
      stdio: 'pipe',
      env: { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' },
    })
  git('init', '--quiet', '--initial-branch=with')
  git('add', '.')
  git('commit', '--quiet', '--message', 'with')
  git('checkout', '--quiet', '-b', 'without')
  git('rm', '--quiet', 'index.html')
  git('commit', '--quiet', '--message', 'without')
  await app.overlay('the page index.html is gone')
  git('checkout', '--quiet', 'with')
  await app.noOverlay()
  await goesOn(app)
})

test('a named pipe stands where index.html was', { files: { 'main.js': MAIN } }, async (app) => {
  await app.sees('#a', 'one')
  const text = makePipe(app, 'index.html')
  await app.overlay('index.html')
  await app.prints('named pipe')
  fs.rmSync(app.path('index.html'))
  replace(app, 'index.html', text)
  await app.noOverlay()
  await goesOn(app)
})

test('a page that was told to be gone is gone for another reason, and back a moment later', { files: { 'main.js': MAIN } }, async (app) => {
  await app.sees('#a', 'one')
  const text = makePipe(app, 'index.html')
  await app.overlay('named pipe')
  fs.rmSync(app.path('index.html'))
  await new Promise((done) => setTimeout(done, 40))
  replace(app, 'index.html', text)
  await app.noOverlay()
  await goesOn(app)
})

test('the folder of a page is renamed and back', {
  files: {
    'main.js': MAIN,
    'docs/index.html':
      '<p id="a"></p><script>window.show = (id, text) => (document.getElementById(id).textContent = text)</script><script type="module" src="/main.js"></script>',
  },
  load: false,
}, async (app) => {
  await app.load('docs/')
  await app.sees('#a', 'one')
  fs.renameSync(app.path('docs'), app.path('texts'))
  await app.overlay('the page docs/index.html is gone')
  fs.renameSync(app.path('texts'), app.path('docs'))
  await app.noOverlay()
  await goesOn(app)
})

test('the page goes while the server is away', { files: { 'main.js': MAIN } }, async (app) => {
  await app.sees('#a', 'one')
  const text = fs.readFileSync(app.path('index.html'), 'utf8')
  await app.stop('SIGKILL')
  fs.rmSync(app.path('index.html'))
  await app.start()
  await app.overlay('the page index.html is gone')
  replace(app, 'index.html', text)
  await app.noOverlay()
  await goesOn(app)
})

test('a tab that found no page shows it as soon as there is one', { files: { 'main.js': MAIN }, start: false }, async (app) => {
  const text = fs.readFileSync(app.path('index.html'), 'utf8')
  fs.rmSync(app.path('index.html'))
  await app.start()
  const tab = await app.tab({ blank: true })
  await tab.page.goto(app.url)
  assert.match(await tab.page.evaluate(() => document.body.innerText), /was not found/)
  replace(app, 'index.html', text)
  await tab.sees('#a', 'one')
})
