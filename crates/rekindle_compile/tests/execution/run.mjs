/**
 * Runs one program and prints what it logs:
 *
 *     node run.mjs ours <folder>       its definitions, through the client's registry
 *     node run.mjs native <folder>     its sources, as Node's own ECMAScript modules
 */
import { inspect } from 'node:util'
import { pathToFileURL } from 'node:url'

const [, , mode, folder] = process.argv
const fileUrl = (name) => pathToFileURL(`${folder}/${name}`).href

const lines = []
const show = (value) => (typeof value === 'string' ? value : inspect(value))
globalThis.log = (...values) => lines.push(values.map(show).join(' '))
globalThis.later = (ms) => new Promise((done) => setTimeout(done, ms))
/** The messages of the engine's own errors and of ours differ only for what fails to link. */
const threw = (error) => log('threw', error instanceof SyntaxError ? 'SyntaxError' : String(error))
process.on('exit', () => process.stdout.write(lines.map((line) => `${line}\n`).join('')))

if (mode === 'native') {
  await import(fileUrl('main.js')).catch(threw)
} else {
  standInForABrowser()
  const { facade } = await import(fileUrl('out/client.mjs'))
  await import(fileUrl('out/definitions.mjs'))
  const manifest = { session: 's', seq: 1, segments: ['all'], env: { MODE: 'development' }, errors: {} }
  const [entry] = (await import(fileUrl('out/entry.mjs'))).default
  await facade(entry, manifest).catch(threw)
}

/** What the client asks of a page: an address, and a socket that never opens. */
function standInForABrowser() {
  globalThis.location = new URL('http://localhost:5173/')
  globalThis.WebSocket = class extends EventTarget {
    static OPEN = 1
    readyState = 0
  }
  globalThis.reportError = threw
  const { setInterval } = globalThis
  globalThis.setInterval = (...all) => setInterval(...all).unref()
  console.debug = () => {}
}
