/**
 * Modules that this browser cannot parse, though the compiler could: each takes the script with it in which it travels.
 *
 *     script of 40 modules → SyntaxError at 812:9 → the server is told, and knows the module
 *     → its scripts leave that module out, and the page is asked for anew: it runs, and the overlay names file and line
 *
 * A browser says where it stopped only to `window.onerror`, and only for scripts of the document.
 */
/** What the server is told: a script's address, line and column, counted from 1, and what the browser says. */
export interface Unreadable {
  type: 'unreadable'
  script: string
  line: number
  column: number
  message: string
}

/** Modules that one load may turn out to be without. */
const MOST_ATTEMPTS = 20
/** Milliseconds for the server to take note. */
const PATIENCE = 3000
/** Milliseconds in which a script that cannot be parsed says so. */
const SETTLES = 1000

export class Rescue {
  private waiting: (() => void)[] = []
  private attempts = 0
  private hasStarted = false

  constructor(
    /** What addresses of such scripts begin with. */
    private readonly prefix: string,
    private readonly tell: (report: Unreadable) => void,
  ) {
    if (typeof document === 'undefined') return
    addEventListener('error', (event) => void this.noticed(event))
  }

  /** The server has taken note. */
  settled(): void {
    for (const done of this.waiting.splice(0)) done()
  }

  /** Imports a script of the server, without the modules that this browser cannot parse. */
  async load(address: () => string): Promise<unknown> {
    for (let attempt = 0; ; attempt++) {
      const asked = address()
      try {
        return await import(asked)
      } catch (error) {
        const canAsk = error instanceof SyntaxError && typeof document !== 'undefined' && attempt < MOST_ATTEMPTS
        if (!canAsk || !(await this.findIn(asked))) throw error
      }
    }
  }

  /** Looks which of the scripts that one imports cannot be parsed. False if there is none. */
  private async findIn(address: string): Promise<boolean> {
    const text = await (await fetch(address)).text()
    const scripts = [...text.matchAll(/^import"([^"]+)";$/gm)].map(([, script]) => script!).filter((script) => script.startsWith(this.prefix))
    const checked = await Promise.all(scripts.map((script) => this.check(script)))
    return checked.includes(true)
  }

  /** Whether a script cannot be parsed; the listener below hears where. */
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
    // What runs has frames; what was never run has none.
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

  /** The page's own script has not run: it is asked for anew, now that the server knows. */
  private async restart(): Promise<void> {
    const own = [...document.scripts].find(({ src }) => src.includes('@rekindle/page.js?'))
    if (!own || this.hasStarted || this.attempts >= MOST_ATTEMPTS) return
    try {
      await import(`${own.src}&again=${++this.attempts}`)
      this.hasStarted = true
    } catch (error) {
      // The next of them; what it says comes to the listener through the script element.
      if (!(error instanceof SyntaxError) || !(await this.findIn(`${own.src}&again=${this.attempts}`))) return globalThis.reportError(error)
      await this.restart()
    }
  }
}
