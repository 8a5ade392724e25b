/**
 * The model test (`model/run.mjs`): random projects and sequences, each tab held against a fresh one. The same sixty each
 * time, so that what fails here is what a change did; other seeds are for `node e2e/model/run.mjs --seed N --count N`.
 *
 * A ratchet, as long as not every sequence goes well: `model/known.txt` lists the seeds that fail. A seed that is not in it and fails
 * twice, the second time alone, is a failure.
 */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import { test } from 'node:test'
import { defaults, run } from './model/run.mjs'

const COUNT = 60
const list = fs.readFileSync(new URL('model/known.txt', import.meta.url), 'utf8')
const known = new Set([...list.matchAll(/^seed (\d+):/gm)].map(([, seed]) => Number(seed)))

test(`${COUNT} random sequences: every tab ends as a tab that is opened then`, async () => {
  const options = { ...defaults, ops: 8, shrink: 0, say: () => {} }
  const { done, failed, broke } = await run({ ...options, count: COUNT, jobs: 2 })
  assert.equal(broke.length, 0, JSON.stringify(broke))
  assert.equal(done, COUNT)
  const told = []
  for (const { seed } of failed.filter(({ seed }) => !known.has(seed))) {
    const again = await run({ ...options, seed, count: 1, jobs: 1, say: (text) => told.push(text) })
    assert.equal(again.failed.length, 0, `\n${told.join('\n')}`)
  }
})
