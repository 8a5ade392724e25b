/**
 * Type-checks `cases/` against this package as projects see it: as `vite` and as `rekindle`, linked and copied, under
 * each way of resolving modules. A line that must not compile has `@ts-expect-error` above it, which is itself an
 * error as soon as the line compiles.
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'

const cases = fileURLToPath(new URL('cases', import.meta.url))
const kit = fileURLToPath(new URL('..', import.meta.url))
const compilers = fileURLToPath(new URL('../../../e2e/node_modules', import.meta.url))

const projects = []
after(() => projects.forEach((root) => fs.rmSync(root, { recursive: true, force: true })))

check('called vite, resolved for a bundler', { name: 'vite', resolution: 'bundler' })
check('called rekindle, resolved for a bundler', { name: 'rekindle', resolution: 'bundler' })
check('called vite, copied as npm does', { name: 'vite', resolution: 'bundler', installed: 'copied' })
check('called vite, resolved as Node does', { name: 'vite', resolution: 'nodenext', module: 'nodenext' })
check('called rekindle, resolved as Node 16 does', { name: 'rekindle', resolution: 'node16', module: 'node16' })
check('called vite, with TypeScript 5', { name: 'vite', resolution: 'bundler', compiler: 'typescript-classic' })
check('called vite, resolved the classic way', { name: 'vite', resolution: 'node10', compiler: 'typescript-classic' })
check('called rekindle, resolved the classic way', { name: 'rekindle', resolution: 'node10', compiler: 'typescript-classic' })

test('without the DOM library the API is there all the same', async () => {
  const root = project({ name: 'vite', resolution: 'bundler', lib: ['es2022'], skipLibCheck: true })
  keepOnly(root, ['hot.ts', 'dep.ts', 'meta.ts', 'env.d.ts'])
  assert.equal(await tsc(root), '')
})

test('strictImportMetaEnv makes an undeclared variable an error', async () => {
  const root = project({ name: 'vite', resolution: 'bundler' })
  keepOnly(root, ['env.d.ts'])
  write(root, 'strict.d.ts', `interface ViteTypeOptions { strictImportMetaEnv: unknown }`)
  write(
    root,
    'main.ts',
    `
    const title: string = import.meta.env.VITE_TITLE
    // @ts-expect-error not declared
    const other = import.meta.env.VITE_OTHER
    export {}`,
  )
  assert.equal(await tsc(root), '')
})

test('a reference directive does what the types option does', async () => {
  const root = project({ name: 'vite', resolution: 'bundler', types: [] })
  keepOnly(root, ['hot.ts', 'dep.ts'])
  write(root, 'vite-env.d.ts', `/// <reference types="vite/client" />`)
  assert.equal(await tsc(root), '')
})

test('types/import-meta brings import.meta without the file imports', async () => {
  const root = project({ name: 'vite', resolution: 'bundler', types: ['vite/types/import-meta.d.ts'] })
  keepOnly(root, ['hot.ts', 'dep.ts'])
  write(
    root,
    'main.ts',
    `
    // @ts-expect-error only vite/client declares files
    import url from './picture.png'
    void url`,
  )
  assert.equal(await tsc(root), '')
})

for (const example of ['counter', 'hmr-api']) {
  test(`examples/${example} type-checks in its place`, async () => {
    assert.equal(await tsc(path.join(kit, '../../examples', example)), '')
  })
}

function check(title, settings) {
  test(title, async () => assert.equal(await tsc(project(settings), settings.compiler), ''))
}

/** A temporary project with the cases in it and this package installed as `name`. */
function project(
  { name, resolution, module = 'esnext', installed = 'linked', types = [`${name}/client`], lib = ['es2022', 'dom'], skipLibCheck = false },
) {
  const root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'rekindle-types-')))
  projects.push(root)
  const compilerOptions = { strict: true, noEmit: true, target: 'es2022', module, moduleResolution: resolution, types, lib, skipLibCheck }
  write(root, 'tsconfig.json', JSON.stringify({ compilerOptions }))
  write(root, 'package.json', '{ "type": "module" }')
  for (const file of fs.readdirSync(cases)) {
    write(root, file, fs.readFileSync(path.join(cases, file), 'utf8').replaceAll(/'vite(?=[/'])/g, `'${name}`))
  }
  const place = path.join(root, 'node_modules', name)
  fs.mkdirSync(path.dirname(place))
  if (installed === 'linked') fs.symlinkSync(path.resolve(kit), place, 'junction')
  else copyPublished(place)
  return root
}

/** What `npm publish` would pack. */
function copyPublished(place) {
  const { files } = JSON.parse(fs.readFileSync(path.join(kit, 'package.json'), 'utf8'))
  for (const file of ['package.json', ...files]) fs.cpSync(path.join(kit, file), path.join(place, file), { recursive: true })
}

function keepOnly(root, names) {
  for (const file of fs.readdirSync(root)) {
    if (file.endsWith('.ts') && !names.includes(file)) fs.rmSync(path.join(root, file))
  }
}

function write(root, name, text) {
  fs.writeFileSync(path.join(root, name), text)
}

/** What the compiler says about a project; nothing if all is well. */
function tsc(root, compiler = 'typescript') {
  const { bin } = JSON.parse(fs.readFileSync(path.join(compilers, compiler, 'package.json'), 'utf8'))
  const program = path.join(compilers, compiler, bin.tsc)
  return new Promise((done, fail) => {
    const child = spawn(process.execPath, [program, '-p', root, '--noEmit', '--pretty', 'false'], { cwd: root })
    let said = ''
    child.stdout.on('data', (chunk) => (said += chunk))
    child.stderr.on('data', (chunk) => (said += chunk))
    child.on('error', fail)
    child.on('close', (code) => done(code === 0 ? said : said || `tsc ended with ${code}`))
  })
}
