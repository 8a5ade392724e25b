/**
 * The model test without a browser: sequences of what happens to projects and tabs, through the real compiler, graph, wire and client.
 * `cargo xtask test --only model`; one seed by hand: see `run.mjs`. `REKINDLE_MODEL_SEQUENCES` says how many.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'

const BLOCK = 50
const wished = process.env.REKINDLE_MODEL_SEQUENCES ?? '2000'
// A run without any test would pass.
if (!/^[1-9]\d{0,6}$/.test(wished)) throw new Error(`REKINDLE_MODEL_SEQUENCES must be a number of sequences, not "${wished}"`)
const SEQUENCES = Number(wished)

/**
 * Pages live briefly: optimising their code does not pay, and V8's helper threads would take CPU time from the loop's process.
 */
const SHORT_LIVED = ['--no-opt', '--single-threaded', '--max-semi-space-size=32']

const program = fileURLToPath(new URL('run.mjs', import.meta.url))

/** Runs `count` seeds from `seed` on; returns those that fail, and the output. */
function run(seed, count, ...more) {
  const args = ['--experimental-vm-modules', '--no-warnings', ...SHORT_LIVED, program, '--seed', String(seed), '--count', String(count), ...more]
  return new Promise((done, fail) => {
    execFile(process.execPath, args, { maxBuffer: 1 << 28 }, (_, stdout, stderr) => {
      const text = stdout + stderr
      if (!/^\{"passed":/m.test(text)) return fail(new Error(`it did not come to its end:\n${text}`))
      done({ failed: [...text.matchAll(/^seed (\d+):/gm)].map(([, failed]) => Number(failed)), text })
    })
  })
}

// Each block in a process of its own, so that the memory of closed tabs' realms is released.
describe('every tab shows what a fresh tab shows', { concurrency: Math.min(2, availableParallelism()) }, () => {
  for (let seed = 1; seed <= SEQUENCES; seed += BLOCK) {
    test(`in the sequences of the seeds ${seed} to ${Math.min(seed + BLOCK - 1, SEQUENCES)}`, async () => {
      const { failed, text } = await run(seed, Math.min(BLOCK, SEQUENCES - seed + 1), '--no-shrink')
      // Failed seeds run once more, now shrunk for the report.
      const short = await Promise.all(failed.map((one) => run(one, 1)))
      assert.equal(failed.length, 0, [...short.map((result) => result.text), text].join('\n'))
    })
  }
})
