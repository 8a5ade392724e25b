/** `examples/counter`: what the README promises of it. */
import assert from 'node:assert/strict'
import { test } from './harness.mjs'

const counter = { example: 'counter' }

async function countTo(app, number) {
  for (let i = 0; i < number; i++) await app.page.click('button:last-of-type')
  await app.sees('output', String(number))
}

test('the count survives an edit of the counter, and of the page around it', counter, async (app) => {
  await countTo(app, 3)
  await app.edit('src/counter.ts', 'Count on it', 'Still counting')
  await app.sees('h1', 'Still counting')
  await app.sees('output', '3')
  await app.edit('src/counter.ts', 'step = 1', 'step = 5')
  await app.sees('button:last-of-type', '+ 5')
  await app.page.click('button:last-of-type')
  await app.sees('output', '8')
  await app.edit('src/main.ts', `title = 'counter'`, `title = 'eight'`)
  await app.page.waitForFunction(() => document.title === 'eight')
  await app.sees('output', '8')
  await app.stayed()
  assert.deepEqual(app.errors, [])
})

test('a new colour leaves the count alone', counter, async (app) => {
  await countTo(app, 2)
  await app.edit('src/style.css', '--accent: orangered', '--accent: rgb(0, 0, 255)')
  await app.looks('output', 'color', 'rgb(0, 0, 255)')
  await app.sees('output', '2')
  await app.stayed()
})

test('a broken save of the counter is shown and costs nothing', counter, async (app) => {
  await countTo(app, 4)
  await app.edit('src/counter.ts', 'const step = 1', 'const step = (')
  await app.overlay('counter.ts')
  await app.page.keyboard.press('Escape')
  await app.page.click('button:last-of-type')
  await app.sees('output', '5')
  await app.edit('src/counter.ts', 'const step = (', 'const step = 10')
  await app.sees('button:last-of-type', '+ 10')
  await app.noOverlay()
  await app.sees('output', '5')
  await app.stayed()
})
