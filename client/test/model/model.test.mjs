/**
 * The model test without a browser: 2,000 sequences of what happens to projects and tabs, through the real compiler, graph, wire
 * and client. `cargo xtask test --only model`; one seed by hand: see `run.mjs`.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'

const BLOCK = 100
const SEQUENCES = 2000

const program = fileURLToPath(new URL('run.mjs', import.meta.url))

function runBlock(seed) {
  const args = ['--experimental-vm-modules', '--no-warnings', program, '--seed', String(seed), '--count', String(BLOCK)]
  return new Promise((done) => {
    execFile(process.execPath, args, { maxBuffer: 1 << 28 }, (error, stdout, stderr) => done({ isGood: !error, text: stdout + stderr }))
  })
}

// Each block in a process of its own: realms of ended tabs are given back to the system.
describe('every tab shows what a fresh tab shows', { concurrency: Math.min(2, availableParallelism()) }, () => {
  for (let seed = 1; seed <= SEQUENCES; seed += BLOCK) {
    test(`in the sequences of the seeds ${seed} to ${seed + BLOCK - 1}`, async () => {
      const { isGood, text } = await runBlock(seed)
      assert.ok(isGood, text)
    })
  }
})
