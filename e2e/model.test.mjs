/**
 * The model test (`model/run.mjs`): random projects and sequences, each tab held against a fresh one. The same sixty each
 * time, so that what fails here is what a change did; other seeds are for `node e2e/model/run.mjs --seed N --count N`.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defaults, run } from './model/run.mjs'

const COUNT = 60

test(`${COUNT} random sequences: every tab ends as a tab that is opened then`, async () => {
  const options = { ...defaults, shrink: 0, say: () => {} }
  const { done, failed, broke } = await run({ ...options, count: COUNT, jobs: 2 })
  assert.equal(broke.length, 0, JSON.stringify(broke))
  assert.equal(done, COUNT)
  // On a busy machine a browser may starve: what fails is told in any case, and counts if it fails once more alone.
  const told = []
  for (const { seed, difference } of failed) {
    console.log(`seed ${seed}: ${difference}`)
    for (let time = 0; time < 2; time++) await run({ ...options, seed, count: 1, jobs: 1, say: (text) => told.push(text) })
  }
  assert.equal(told.length, 0, `\n${told.join('\n')}`)
})
