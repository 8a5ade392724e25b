/**
 * Makes the pictures of README.md: `examples/counter` before and after an edit, beside the lines that are edited.
 *
 *     node e2e/screenshots.mjs          writes docs/images/before.png and docs/images/after.png
 */
import { spawn } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'
import { freePort } from './line.mjs'

const repository = fileURLToPath(new URL('..', import.meta.url))
const program = process.env.REKINDLE_BIN ?? path.join(repository, 'target/release/rekindle')
const root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'rekindle-pictures-')))
const file = path.join(root, 'src/counter.ts')
fs.cpSync(path.join(repository, 'examples/counter'), root, { recursive: true })

const port = await freePort()
const server = spawn(program, ['dev', root, '--port', String(port), '--strict-port'], { stdio: ['ignore', 'pipe', 'inherit'] })
let printed = ''
server.stdout.on('data', (text) => (printed += text))
await until('localhost')
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', chromiumSandbox: false })
try {
  const page = await browser.newPage({ viewport: { width: 400, height: 400 }, deviceScaleFactor: 2, colorScheme: 'light' })
  await page.goto(`http://localhost:${port}/`)
  for (let time = 0; time < 3; time++) await page.click('text=+ 1')
  await picture('before', page, [])
  const text = fs.readFileSync(file, 'utf8').replace(`'Count on it'`, `'Still counting'`).replace('step = 1', 'step = 5')
  fs.writeFileSync(file, text)
  await page.waitForSelector('text=Still counting')
  await until('hot updated')
  await picture('after', page, ['title', 'step'])
} finally {
  await browser.close()
  server.kill()
  fs.rmSync(root, { recursive: true })
}

async function until(text) {
  while (!printed.includes(text)) await new Promise((done) => setTimeout(done, 20))
}

/** The first constants of the file and what the terminal says on the left, the page on the right. Edited lines are marked. */
async function picture(name, page, edited) {
  await page.mouse.move(0, 0)
  const shot = (await page.screenshot()).toString('base64')
  const lines = fs.readFileSync(file, 'utf8').split('\n').filter((line) => /^const (title|step)|^let count/.test(line))
  const escaped = (line) => line.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
  const code = lines.map((line) => `<div class="${edited.some((word) => line.startsWith(`const ${word}`)) ? 'edited' : ''}">${escaped(line)}</div>`)
    .join('')
  const terminal = printed.trim().split('\n').at(-1).trim()
  const whole = await browser.newPage({ viewport: { width: 800, height: 300 }, deviceScaleFactor: 1, colorScheme: 'light' })
  await whole.setContent(`<style>
    body { margin: 0; height: 300px; display: grid; grid-template-columns: 500px 300px; background: #fff; font-family: sans-serif }
    section { padding: 20px; background: #24262b; color: #e6e6e6; overflow: hidden }
    header { color: #9aa0a8; font-size: 13px; margin-bottom: 14px }
    pre { margin: 0; font: 13.5px/2 "DejaVu Sans Mono", monospace }
    pre + header { margin-top: 28px; padding-top: 20px; border-top: 1px solid #3a3d44 }
    .edited { background: #35523a; margin: 0 -20px; padding: 0 20px }
    img { width: 300px; height: 300px; display: block }
  </style><section><header>src/counter.ts</header><pre>${code}</pre><header>terminal</header><pre>${terminal}</pre></section><img src="data:image/png;base64,${shot}">`)
  await whole.screenshot({ path: path.join(repository, `docs/images/${name}.png`) })
  await whole.close()
}
