/**
 * The templates of the npm package `create-vite`, as they come from npm: the page looks like the one that Vite serves from
 * the very same folder, and an edit of the main component keeps the state; what is built looks like what Vite builds. Nothing of them is in this repository; where npm
 * cannot be reached, the tests fail and say so.
 */
import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, before } from 'node:test'
import { promisify } from 'node:util'
import { freePort, test, until } from './harness.mjs'
import { build, serve } from './output.mjs'

const run = promisify(execFile)
const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
const folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'rekindle-templates-')))
const templates = path.join(folder, 'package')

before(async () => {
  await run(npm, ['pack', 'create-vite@9', '--silent'], { cwd: folder })
  const [archive] = fs.readdirSync(folder).filter((name) => name.endsWith('.tgz'))
  await run('tar', ['-xzf', archive], { cwd: folder })
})
after(() => fs.rmSync(folder, { recursive: true, force: true }))

/** `keeps`: an edit of `file` keeps the count. The others have no module that accepts, so that it reloads, as on Vite. */
const cases = [
  { name: 'react-ts', file: 'src/App.tsx', keeps: true },
  { name: 'react', file: 'src/App.jsx', keeps: true },
  { name: 'preact-ts', file: 'src/app.tsx', keeps: true },
  { name: 'lit-ts', file: 'src/my-element.ts', style: 'src/index.css' },
  { name: 'vanilla-ts', file: 'src/main.ts', style: 'src/style.css' },
  { name: 'vanilla', file: 'src/main.js', style: 'src/style.css' },
]

for (const { name, file, keeps, style } of cases) {
  test(`${name}: the page is Vite’s, and ${keeps ? 'an edit keeps the count' : 'an edit of a style keeps the count'}`, {
    start: false,
    limit: 150_000,
  }, async (app) => {
    fs.cpSync(path.join(templates, `template-${name}`), app.root, { recursive: true })
    await run(npm, ['install', '--no-audit', '--no-fund', '--prefer-offline'], { cwd: app.root })
    const theirs = await onVite(app, (url) => shot(app, url))
    await app.start()
    const ours = await shot(app, app.url)
    assert.ok((await difference(app, ours, theirs)) < 0.0005, 'the two pages look alike')

    await app.load()
    await app.page.click('button.counter')
    await counts(app, /ount is 1$/i)
    if (style) {
      fs.appendFileSync(app.path(style), '\nbody { outline-color: rgb(1, 2, 3) }\n')
      await app.looks('body', 'outline-color', 'rgb(1, 2, 3)')
      await counts(app, /ount is 1$/i)
      await app.stayed()
    }
    await app.edit(file, 'Your questions, answered', 'Your answers, questioned')
    if (!keeps) await app.reloaded()
    await until('the new text', () => app.page.getByText('Your answers, questioned').waitFor({ timeout: 500 }))
    if (keeps) {
      await counts(app, /ount is 1$/i)
      await app.stayed()
    }
    assert.deepEqual(app.errors, [])
  })
}

for (const name of ['vanilla-ts', 'react-ts', 'preact-ts', 'lit-ts']) {
  test(`${name}: the build is Vite’s in a browser`, { start: false, limit: 150_000 }, async (app) => {
    fs.cpSync(path.join(templates, `template-${name}`), app.root, { recursive: true })
    await run(npm, ['install', '--no-audit', '--no-fund', '--prefer-offline'], { cwd: app.root })
    // First: Vite leaves a page behind, which is one more of the project for us.
    assert.equal((await build(app, '--out-dir', 'ours')).code, 0)
    await run(process.execPath, [app.path('node_modules/vite/bin/vite.js'), 'build', '--outDir', 'theirs'], { cwd: app.root })
    const hosts = await Promise.all(['theirs', 'ours'].map((folder) => serve(app.path(folder))))
    const [theirs, ours] = [await shot(app, hosts[0].url), await shot(app, hosts[1].url)]
    assert.ok((await difference(app, ours, theirs)) < 0.0005, 'the two pages look alike')
    const tab = await app.tab({ blank: true })
    await tab.page.goto(hosts[1].url)
    await tab.page.click('button.counter')
    await until('the counter to count', async () => assert.match((await tab.page.textContent('button.counter')).trim(), /ount is 1$/i))
    assert.deepEqual(app.tabs.flatMap((tab) => tab.errors), [])
    for (const host of hosts) host.stop()
  })
}

async function counts(app, text) {
  await until(`the counter to read ${text}`, async () => assert.match((await app.page.textContent('button.counter')).trim(), text))
}

/** Runs Vite in the fixture's folder while `look` looks at it. */
async function onVite(app, look) {
  const port = await freePort()
  const program = app.path('node_modules/vite/bin/vite.js')
  const vite = spawn(process.execPath, [program, '--port', String(port), '--strictPort', '--host', '127.0.0.1'], { cwd: app.root, stdio: 'ignore' })
  try {
    const url = `http://127.0.0.1:${port}/`
    await until('Vite to answer', () => fetch(url, { headers: { accept: 'text/html' } }))
    return await look(url)
  } finally {
    vite.kill('SIGKILL')
  }
}

/** A page of its own, drawn once everything is there. */
async function shot(app, url) {
  const tab = await app.tab({ blank: true })
  await tab.page.setViewportSize({ width: 1000, height: 900 })
  await tab.page.goto(url)
  await tab.page.locator('button.counter').waitFor()
  await tab.page.waitForLoadState('networkidle')
  await tab.page.evaluate(() => Promise.all([document.fonts.ready, ...[...document.images].map((image) => image.decode().catch(() => {}))]))
  const picture = await tab.page.screenshot({ animations: 'disabled', caret: 'hide' })
  await tab.page.close()
  return picture
}

/** The share of pixels that differ, from 0 to 1. */
async function difference(app, ours, theirs) {
  const tab = await app.tab({ blank: true })
  const share = await tab.page.evaluate(async (pictures) => {
    const [a, b] = await Promise.all(pictures.map(async (text) => {
      const bitmap = await createImageBitmap(await (await fetch(`data:image/png;base64,${text}`)).blob())
      const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d')
      context.drawImage(bitmap, 0, 0)
      return context.getImageData(0, 0, bitmap.width, bitmap.height).data
    }))
    if (a.length !== b.length) return 1
    let differing = 0
    for (let at = 0; at < a.length; at += 4) if (a[at] !== b[at] || a[at + 1] !== b[at + 1] || a[at + 2] !== b[at + 2]) differing++
    return (differing * 4) / a.length
  }, [ours, theirs].map((picture) => picture.toString('base64')))
  await tab.page.close()
  return share
}
