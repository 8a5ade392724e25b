/**
 * Modules that this browser cannot parse although the compiler could. One such module makes a whole script of modules fail.
 *
 *     script of 40 modules → SyntaxError at 812:9 → the server is told, and knows the module
 *     → its scripts leave that module out, and the page's script is loaded again: it runs, and the overlay names file and line
 *
 * A browser says where it stopped only to `window.onerror`, and only for scripts of the document.
 */
import type { UnreadableReport } from '../../core/messages'

/** The most modules that are left out of one load. */
const MOST_ATTEMPTS = 20
/** Milliseconds in which the server is expected to confirm a report. */
const PATIENCE = 3000
/** Milliseconds in which the browser reports a script that it cannot parse. */
const SETTLES = 1000

export class Rescue {
  private waiting: (() => void)[] = []
  private attempts = 0
  private hasStarted = false

  constructor(
    /** The beginning of the addresses of such scripts. */
    private readonly prefix: string,
    private readonly tell: (report: UnreadableReport) => void,
  ) {
    if (typeof document === 'undefined') return
    addEventListener('error', (event) => void this.noticed(event))
  }

  /** The server has confirmed a report. */
  settled(): void {
    for (const done of this.waiting.splice(0)) done()
  }

  /** Imports a script of the server, without the modules that this browser cannot parse. */
  async load(address: () => string): Promise<unknown> {
    for (let attempt = 0;; attempt++) {
      const asked = address()
      try {
        return await import(asked)
      } catch (error) {
        const canAsk = error instanceof SyntaxError && typeof document !== 'undefined' && attempt < MOST_ATTEMPTS
        if (!canAsk || !(await this.findIn(asked))) throw error
      }
    }
  }

  /** Finds the scripts that the one at `address` imports and that cannot be parsed. False if there is none. */
  private async findIn(address: string): Promise<boolean> {
    const text = await (await fetch(address)).text()
    const scripts = [...text.matchAll(/^import"([^"]+)";$/gm)].map(([, script]) => script!).filter((script) => script.startsWith(this.prefix))
    const checked = await Promise.all(scripts.map((script) => this.check(script)))
    return checked.includes(true)
  }

  /** Whether a script cannot be parsed. If so, runs it by an element, so that the `error` listener learns the place. */
  private async check(script: string): Promise<boolean> {
    const isBad = await import(script).then(() => false, (error: unknown) => error instanceof SyntaxError)
    if (!isBad) return false
    const told = this.next()
    const element = document.createElement('script')
    element.type = 'module'
    element.src = script
    document.head.append(element)
    setTimeout(() => this.settled(), SETTLES)
    await told
    element.remove()
    return true
  }

  private async noticed({ error, filename, lineno, colno, message }: ErrorEvent): Promise<void> {
    const isOurs = filename && new URL(filename, location.href).pathname.startsWith(this.prefix)
    // An error that was thrown by running code has frames in its stack; an error of the parser has none.
    const isUnread = error instanceof SyntaxError && !/:\d+:\d+/.test(error.stack ?? '')
    if (!isOurs || !isUnread) return
    const isOfStart = this.waiting.length === 0
    const told = this.next()
    this.tell({ type: 'unreadable', script: filename, line: lineno, column: colno, message: message.replace(/^(Uncaught )?SyntaxError: /, '') })
    setTimeout(() => this.settled(), PATIENCE)
    await told
    if (isOfStart) await this.restart()
  }

  private next(): Promise<void> {
    return new Promise((done) => this.waiting.push(done))
  }

  /** The page's own script has not run. It is loaded again, now that the server leaves the module out. */
  private async restart(): Promise<void> {
    const own = [...document.scripts].find(({ src }) => src.includes('@rekindle/page.js?'))
    if (!own || this.hasStarted || this.attempts >= MOST_ATTEMPTS) return
    try {
      await import(`${own.src}&again=${++this.attempts}`)
      this.hasStarted = true
    } catch (error) {
      // Another module cannot be parsed. `findIn` runs its script by an element, so that the `error` listener learns the place.
      if (!(error instanceof SyntaxError) || !(await this.findIn(`${own.src}&again=${this.attempts}`))) return globalThis.reportError(error)
      await this.restart()
    }
  }
}
