/**
 * Runs sequences of the model test from the command line, and shrinks those that fail.
 *
 *     node --experimental-vm-modules client/test/model/run.mjs --seed 1 --count 100 [--ops 12] [--trace] [--no-shrink]
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Driver } from './driver.mjs'
import { runSeed } from './seed.mjs'

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    count: { type: 'string', default: '1' },
    ops: { type: 'string' },
    trace: { type: 'boolean' },
    'no-shrink': { type: 'boolean' },
  },
})
const driver = new Driver()
const folder = mkdtempSync(join(tmpdir(), 'rekindle-model-'))
const sum = { passed: 0, failed: 0, checks: 0, reloads: 0, changes: 0 }
const began = Date.now()
try {
  for (let at = 0; at < Number(values.count); at++) {
    const result = await runSeed(driver, folder, Number(values.seed) + at, {
      ops: values.ops && Number(values.ops),
      trace: values.trace,
      shrinks: !values['no-shrink'],
    })
    sum[result.failure ? 'failed' : 'passed']++
    for (const name of ['checks', 'reloads', 'changes']) sum[name] += result.numbers?.[name] ?? 0
    if (result.failure) console.log(`${result.failure}\n`)
  }
} finally {
  driver.end()
  rmSync(folder, { recursive: true, force: true })
}
console.log(JSON.stringify({ ...sum, seconds: (Date.now() - began) / 1000 }))
process.exitCode = sum.failed > 0 ? 1 : 0
