/** `examples/hmr-api`: every panel does what it says. */
import assert from 'node:assert/strict'
import { test } from './harness.mjs'

function panelTest(title, body) {
  test(title, { example: 'hmr-api' }, async (app) => {
    await body(app)
    await app.stayed()
    assert.deepEqual(app.errors, [])
  })
}

/** The newest line of a panel's log. */
const last = (id) => `#${id} li:first-child`

panelTest('all panels are there and nothing is reported', async (app) => {
  await app.sees('#guard output', 'Good morning')
  await app.sees('#self-accept output', '1')
  await app.sees('#accept-one output', 'Hello from greeting.ts')
  await app.sees('#accept-many output', 'left · right')
  await app.sees('#prune output', 'the visitor is here')
  await app.sees('#data output', '1')
  await app.sees('#invalidate output', '■')
})

panelTest('guard: an edit nobody accepts goes on to the module that does', async (app) => {
  await app.edit('src/guard.ts', 'Good morning', 'Good evening')
  await app.sees('#guard output', 'Good evening')
  await app.sees('#data output', '1')
})

panelTest('self-accept: the callback gets the new copy', async (app) => {
  await app.edit('src/self-accept.ts', 'count = 1', 'count = 2')
  await app.sees(last('self-accept'), 'updated: count is now 2')
  await app.sees('#self-accept output', '2')
})

panelTest('accept one: the importer is told and not run again', async (app) => {
  await app.edit('src/greeting.ts', 'Hello from', 'Greetings from')
  await app.sees('#accept-one output', 'Greetings from greeting.ts')
  assert.equal(await app.page.locator('#accept-one li').filter({ hasText: 'accept-one.ts ran' }).count(), 1)
})

panelTest('accept many: only the saved one is in the list', async (app) => {
  await app.edit('src/left.ts', `'left'`, `'port'`)
  await app.sees('#accept-many output', 'port · right')
  await app.sees(last('accept-many'), 'new: left.ts')
  await app.edit('src/right.ts', `'right'`, `'starboard'`)
  await app.sees('#accept-many output', 'port · starboard')
  await app.sees(last('accept-many'), 'new: right.ts')
})

panelTest('dispose: the old timer stops before the new one starts', async (app) => {
  await app.sees('#dispose output', '1')
  await app.edit('src/dispose.ts', 'step = 1', 'step = 100')
  await app.sees(last('dispose'), 'timer started with step 100')
  await app.sees('#dispose li:nth-child(2)', /^timer stopped at \d+$/)
  await app.sees('#dispose output', /^10\d$/)
})

panelTest('prune: the visitor leaves and comes back', async (app) => {
  await app.edit('src/prune.ts', `import './visitor'\n`, '')
  await app.sees(last('prune'), 'visitor.ts left: nothing imports it any more')
  await app.sees('#prune output', '')
  await app.edit('src/prune.ts', `import { panel } from './panel'\n`, `import { panel } from './panel'\nimport './visitor'\n`)
  await app.sees('#prune output', 'the visitor is here')
})

panelTest('data: the number of runs is kept', async (app) => {
  await app.edit('src/data.ts', 'run number', 'this is run')
  await app.sees(last('data'), 'this is run 2')
  await app.edit('src/data.ts', 'this is run', 'run')
  await app.sees(last('data'), 'run 3')
})

panelTest('invalidate: a colour is taken, a number of sides is handed on', async (app) => {
  await app.edit('src/shape.ts', 'orangered', 'rgb(0, 128, 0)')
  await app.looks('#invalidate output', 'color', 'rgb(0, 128, 0)')
  await app.sees('#invalidate output', '■')
  await app.edit('src/shape.ts', 'sides = 4', 'sides = 6')
  await app.sees('#invalidate output', '⬢')
  await app.sees(last('invalidate'), 'invalidate.ts drew 6 sides')
})

panelTest('built-in events: an update is announced before and after', async (app) => {
  await app.edit('src/data.ts', 'run number', 'run')
  await app.sees(last('events'), 'afterUpdate: /src/data.ts')
  await app.sees('#events li:nth-child(2)', 'beforeUpdate: /src/data.ts')
})

panelTest('custom events: the answer to one tab, the news to all', async (app) => {
  const other = await app.tab()
  await app.page.fill('#custom input', 'Grace')
  await app.page.click('#custom button')
  await app.sees('#custom output', 'Hello Grace, you are number 1')
  await app.sees(last('custom'), 'Grace said hello; 1 so far')
  await other.sees(last('custom'), 'Grace said hello; 1 so far')
  assert.equal(await other.text('#custom output'), '')
})

panelTest('styles change in place', async (app) => {
  await app.edit('src/style.css', '--accent: orangered', '--accent: rgb(0, 0, 255)')
  await app.looks('#data output', 'color', 'rgb(0, 0, 255)')
})
