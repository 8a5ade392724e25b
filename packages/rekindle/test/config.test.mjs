/** What a `vite.config.*` imports, as Node runs it. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { build, defineConfig, loadEnv, mergeConfig, normalizePath, version } from '../index.js'

// What is tested reads the environment: a test must not depend on what the shell has set.
for (const name of Object.keys(process.env)) if (/^(VITE_|REKINDLE_|SEC)/i.test(name)) delete process.env[name]

test('defineConfig gives back what it gets', () => {
  const config = () => ({ base: '/' })
  assert.equal(defineConfig(config), config)
})

test('loadEnv reads the files of a mode in their order, and the process wins', () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rekindle-env-'))
  const write = (name, text) => fs.writeFileSync(path.join(folder, name), text)
  try {
    write('.env', 'VITE_A=a\nVITE_B=${VITE_A}-b\nVITE_C=$NONE\nVITE_D=${NONE:-d}\nVITE_E=\\$x\nSECRET=s\nVITE_LOOP=$VITE_LOOP\nVITE_P=file')
    write('.env.staging', 'VITE_A=staged')
    process.env.VITE_P = 'process'
    const read = { VITE_A: 'staged', VITE_B: 'staged-b', VITE_C: '', VITE_D: 'd', VITE_E: '$x', VITE_LOOP: '', VITE_P: 'process' }
    assert.deepEqual({ ...loadEnv('staging', folder) }, read)
    assert.equal(loadEnv('staging', folder, ['SEC']).SECRET, 's')
    assert.throws(() => loadEnv('local', folder), /local/)
  } finally {
    delete process.env.VITE_P
    fs.rmSync(folder, { recursive: true })
  }
})

test('loadEnv leaves out what is no file, and names it', { skip: process.platform === 'win32' && 'there are no pipes in folders' }, () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rekindle-env-'))
  try {
    fs.writeFileSync(path.join(folder, '.env'), 'VITE_A=a')
    fs.mkdirSync(path.join(folder, '.env.development'))
    assert.equal(spawnSync('mkfifo', [path.join(folder, '.env.local')]).status, 0)
    const script = `import { loadEnv } from ${JSON.stringify(new URL('../index.js', import.meta.url))}
      console.log(JSON.stringify(loadEnv('development', ${JSON.stringify(folder)})))`
    // In another process with a time limit: opening the pipe would block this one for ever.
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8', timeout: 30_000 })
    assert.equal(stdout, '{"VITE_A":"a"}\n')
    assert.match(stderr, /\.env\.local is a named pipe, not a file, and is left out\n.*\.env\.development is a folder/)
  } finally {
    fs.rmSync(folder, { recursive: true })
  }
})

test('mergeConfig joins tables and lists, and puts later aliases first', () => {
  /** @type {any} */
  const one = { base: '/a/', plugins: [1], server: { port: 1, host: true }, resolve: { alias: { '@': '/a' } } }
  /** @type {any} */
  const two = { base: '/b/', plugins: 2, server: { port: 2 }, resolve: { alias: [{ find: '@', replacement: '/b' }] }, nothing: undefined }
  assert.deepEqual(mergeConfig(one, two), {
    base: '/b/',
    plugins: [1, 2],
    server: { port: 2, host: true },
    resolve: { alias: [{ find: '@', replacement: '/b' }, { find: '@', replacement: '/a' }] },
    nothing: undefined,
  })
  assert.throws(() => mergeConfig(() => ({}), {}), /call those/)
})

test('what needs Vite itself says so', () => {
  assert.throws(() => build(), /no build\(\) for Node/)
  assert.match(version, /^\d+\.\d+\.\d+$/)
  assert.equal(normalizePath('a/./b/../c'), 'a/c')
})
