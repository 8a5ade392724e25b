/**
 * The model test (`model/run.mjs`): random projects and sequences, each tab held against a fresh one. The same sixty each
 * time, so that what fails here is what a change did; other seeds are for `node e2e/model/run.mjs --seed N --count N`.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defaults, run } from './model/run.mjs'

const COUNT = 60

test(`${COUNT} random sequences: every tab ends as a tab that is opened then`, async () => {
  const told = []
  const { done, failed, broke } = await run({ ...defaults, count: COUNT, ops: 8, jobs: 2, shrink: 60, say: (text) => told.push(text) })
  assert.equal(failed.length + broke.length, 0, `\n${told.join('\n')}`)
  assert.equal(done, COUNT)
})
