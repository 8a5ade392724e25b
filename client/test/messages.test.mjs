/**
 * The messages between server and tab are the same in TypeScript and in Rust: both read the samples in `messages.json`. Here the
 * compiler checks that each sample is of the type that `core/messages.ts` has for it, and that there is one of every type.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'

const client = path.join(import.meta.dirname, '..')
const tsc = path.join(client, '../e2e/node_modules/typescript/bin/tsc')
const json = fs.readFileSync(path.join(import.meta.dirname, 'messages.json'), 'utf8').trim()

/**
 * A TypeScript program with the samples as a literal: in an imported JSON file each string has the type `string`, so `type`
 * would tell nothing apart.
 */
const programOf = (samples) => `
import type { ClientMessage, ServerMessage } from ${JSON.stringify(path.join(client, 'src/core/messages'))}
type Samples<M extends { type: string }> = { [T in M['type']]: [Extract<M, { type: T }>, ...Extract<M, { type: T }>[]] }
export const samples = ${samples} satisfies { fromServer: Samples<ServerMessage>; fromTab: Samples<ClientMessage> }
type Batch = Extract<ServerMessage, { type: 'batch' }>
type ServerReload = NonNullable<Batch['reload']>['kind']
type SampleBatch = (typeof samples)['fromServer']['batch'][number]
type MissingReload = Exclude<ServerReload, Extract<SampleBatch, { reload: object }>['reload']['kind']>
export const hasAllReloads: [MissingReload] extends [never] ? true : MissingReload = true
type Applied = Extract<ClientMessage, { type: 'applied' }>
type MissingResult = Exclude<Applied['result'], (typeof samples)['fromTab']['applied'][number]['result']>
export const hasAllResults: [MissingResult] extends [never] ? true : MissingResult = true
`

/** The samples with a change. */
function changed(change) {
  const samples = JSON.parse(json)
  change(samples)
  return JSON.stringify(samples)
}

test('each message of the samples is one that the types know, there is one of every type, and a mistake in them is found', () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rekindle-messages-'))
  const programs = {
    samples: json,
    'field-missing': changed(({ fromServer }) => delete fromServer.welcome[0].seq),
    'field-unknown': changed(({ fromTab }) => (fromTab.hello[0].color = 'red')),
    'type-missing': changed(({ fromServer }) => delete fromServer.connected),
    'reload-missing': changed(({ fromServer }) => fromServer.batch.shift()),
    'reload-unknown': changed(({ fromServer }) => (fromServer.batch[0].reload.kind = 'whim')),
    'result-missing': changed(({ fromTab }) => fromTab.applied.pop()),
  }
  try {
    for (const [name, samples] of Object.entries(programs)) fs.writeFileSync(path.join(folder, `${name}.ts`), programOf(samples))
    fs.writeFileSync(path.join(folder, 'tsconfig.json'), JSON.stringify({ extends: path.join(client, 'tsconfig.json'), include: ['*.ts'] }))
    const { stdout } = spawnSync(process.execPath, [tsc, '-p', folder, '--pretty', 'false'], { cwd: folder, encoding: 'utf8' })
    const errorsIn = (name) => stdout.split(/\n(?=\S)/).filter((error) => error.startsWith(`${name}.ts(`)).join('\n')
    assert.equal(errorsIn('samples'), '')
    assert.match(errorsIn('field-missing'), /'seq' is missing/)
    assert.match(errorsIn('field-unknown'), /color.* does not exist/)
    assert.match(errorsIn('type-missing'), /'connected' is missing/)
    assert.match(errorsIn('reload-missing'), /"framework-changed"/)
    assert.match(errorsIn('reload-unknown'), /"whim"/)
    assert.match(errorsIn('result-missing'), /"waiting"/)
  } finally {
    fs.rmSync(folder, { recursive: true })
  }
})
