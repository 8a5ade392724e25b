/**
 * The error overlay: a modal dialog above everything, including the application's own dialogs, in a shadow root of its own.
 *
 * It shows one error at a time: message, `file:line:column` (a click opens the editor), code frame, advice and stack. Escape, the
 * button and a click outside close it, and so does the save that mends the error. While it is open the page gets no input; when it
 * is closed, the element that had the focus has it again.
 */
import type { Diagnostic } from '../../core/messages'

/** What the overlay shows of one error. */
export interface OverlayError extends Diagnostic {
  title?: string
  /** The stack of the running code, or of the sources once the server has sent their places. */
  stack?: string
  /** The server has been asked for the place in the sources. */
  isTraced?: boolean
}

const STYLE = `
:host {
  display: contents !important;
  --page: rgb(0 0 0 / 0.55); --back: #fff; --text: #23252c; --dim: #676b78; --line: #dfe1e7; --code: #f5f6f8; --code-text: #23252c;
  --error: #c3290b; --link: #0b62a8; --help: #17702a; --mark: #e2421f;
}
@media (prefers-color-scheme: dark) {
  :host {
    --page: rgb(0 0 0 / 0.66); --back: #17181c; --text: #d8dae0; --dim: #9a9daa; --line: #33353d; --code: #0e0f12; --code-text: #e6e2d3;
    --error: #ff8a70; --link: #6cc7f5; --help: #9fdc8c; --mark: #ff5a36;
  }
}
dialog {
  box-sizing: border-box; position: fixed; inset: 0; width: 100%; height: 100%; max-width: none; max-height: none; margin: 0; padding: 5vh 16px; border: 0; outline: 0;
  overflow: auto; background: var(--page); color: var(--text); direction: ltr; text-align: left;
  font: 14px/1.5 ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
}
dialog::backdrop { background: none }
.window { box-sizing: border-box; max-width: 960px; margin: 0 auto; padding: 16px 28px 24px; border-radius: 8px; border-top: 6px solid var(--mark); background: var(--back); box-shadow: 0 16px 48px rgb(0 0 0 / 0.5) }
header { display: flex; gap: 8px; align-items: center; margin: 0 -8px 12px 0 }
header .count { margin-right: auto; color: var(--dim) }
button { padding: 2px 8px; border: 1px solid var(--line); border-radius: 4px; background: none; color: inherit; font: inherit; cursor: pointer }
button:hover { background: var(--code) }
button:focus-visible { outline: 2px solid var(--link) }
button:disabled { opacity: 0.4; cursor: default }
.title { color: var(--dim); margin: 0 0 4px }
.message { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; color: var(--error); font-size: 16px; font-weight: 600 }
.file { display: inline-block; margin-top: 8px; padding: 0; border: 0; color: var(--link); text-decoration: underline; text-align: left; overflow-wrap: anywhere }
pre { margin: 14px 0 0; padding: 12px 14px; overflow: auto; border-radius: 6px; background: var(--code); color: var(--code-text); font: inherit }
.help { margin: 12px 0 0; color: var(--help); white-space: pre-wrap }
.stack { margin-top: 14px; color: var(--dim); white-space: pre-wrap; overflow-wrap: anywhere }
summary { cursor: pointer }
.note { margin: 8px 0 0; color: var(--error) }
.tip { margin: 24px 0 0; padding-top: 14px; border-top: 1px solid var(--line); color: var(--dim); font-size: 12px }
kbd { padding: 1px 6px; border: 1px solid var(--line); border-radius: 4px; font: inherit }
[hidden] { display: none }
`

const NAME = 'rekindle-error-overlay'

/** Opens a place in the developer's editor; gives the reason if that is impossible, or null. */
type Opener = (place: string) => Promise<string | null>

let open: Opener = async () => null

export function setEditorOpener(opener: Opener): void {
  open = opener
}

// In workers there are no elements. The class is exported there all the same, since workers run this script, too.
const Base: typeof HTMLElement = typeof HTMLElement === 'undefined' ? (class {} as typeof HTMLElement) : HTMLElement

export class ErrorOverlay extends Base {
  private readonly dialog = document.createElement('dialog')
  private readonly counted = element('span', 'count')
  private readonly back = button('‹', 'previous error', () => this.turn(this.at - 1))
  private readonly next = button('›', 'next error', () => this.turn(this.at + 1))
  private readonly window = element('div', 'window')
  private errors: OverlayError[] = []
  private at = 0

  constructor(errors: OverlayError[] = []) {
    super()
    const root = this.attachShadow({ mode: 'open' })
    dress(root)
    const header = element('header', '')
    const copy = button('copy', 'copy the error as text', () => void copyText(textOf(this.errors[this.at])))
    header.append(this.counted, this.back, this.next, copy, button('✕', 'close', () => this.close()))
    this.window.append(header)
    this.dialog.append(this.window)
    this.dialog.tabIndex = -1
    this.dialog.setAttribute('autofocus', '') // The dialog has the focus and not one of its buttons, so that a key that is being typed presses none.
    this.dialog.setAttribute('aria-label', 'error in the page')
    this.dialog.addEventListener('click', ({ target }) => target === this.dialog && this.close())
    this.dialog.addEventListener('cancel', (event) => {
      event.preventDefault()
      this.close()
    })
    root.append(this.dialog)
    this.show(errors)
  }

  /** Shows these errors instead. The number of the one that is shown stays the same. */
  show(errors: OverlayError[]): void {
    this.errors = errors
    for (const old of [...this.window.children].slice(1)) old.remove()
    this.window.append(...errors.map(section), tip())
    this.turn(this.at)
  }

  private turn(to: number): void {
    const last = Math.max(this.errors.length - 1, 0)
    this.at = Math.min(Math.max(to, 0), last)
    const sections = [...this.window.children].filter(({ localName }) => localName === 'section') as HTMLElement[]
    sections.forEach((section, at) => (section.hidden = at !== this.at))
    this.counted.textContent = last > 0 ? `${this.at + 1} of ${last + 1}` : ''
    this.back.hidden = this.next.hidden = last === 0
    this.back.disabled = this.at === 0
    this.next.disabled = this.at === last
  }

  /** Puts the overlay in front of everything, also of a dialog that the application has opened since. */
  raise(): void {
    if (!this.isConnected || (this.dialog.open && !document.querySelector('dialog:modal'))) return
    this.dialog.close()
    this.dialog.showModal()
  }

  connectedCallback(): void {
    addEventListener('keydown', this.onKey, true)
    this.raise()
  }

  disconnectedCallback(): void {
    removeEventListener('keydown', this.onKey, true)
  }

  close(): void {
    if (this.dialog.open) this.dialog.close() // The browser gives the focus back.
    this.remove()
  }

  // This listener comes before those of the page, so that the same key does not close a dialog of the page as well.
  private readonly onKey = (event: KeyboardEvent) => {
    const { key } = event
    if (key === 'Escape') this.close()
    else if (key === 'ArrowLeft' || key === 'ArrowRight') this.turn(this.at + (key === 'ArrowLeft' ? -1 : 1))
    else return
    event.preventDefault()
    event.stopImmediatePropagation()
  }
}

/** Shows `errors` in the overlay that is open, or in a new one. */
export function showOverlay(errors: OverlayError[]): void {
  const shown = document.querySelector<ErrorOverlay>(NAME)
  if (shown) {
    shown.show(errors)
    return shown.raise()
  }
  if (!customElements.get(NAME)) customElements.define(NAME, ErrorOverlay)
  const overlay = new ErrorOverlay(errors)
  if (document.body) document.body.append(overlay)
  else document.addEventListener('DOMContentLoaded', () => document.body.append(overlay), { once: true })
}

export function hideOverlay(): void {
  if (typeof document === 'undefined') return
  for (const overlay of document.querySelectorAll<ErrorOverlay>(NAME)) overlay.close()
}

export function isOverlayOpen(): boolean {
  return typeof document !== 'undefined' && document.querySelector(NAME) !== null
}

/** Adopts the sheet: a policy of the page may forbid inline styles, but not adopted sheets. */
function dress(root: ShadowRoot): void {
  const sheet = new CSSStyleSheet()
  sheet.replaceSync(STYLE)
  root.adoptedStyleSheets = [sheet]
}

function section(error: OverlayError): HTMLElement {
  const section = element('section', 'error')
  if (error.title) section.append(element('p', 'title', error.title))
  section.append(element('p', 'message', error.message))
  if (error.file) section.append(...fileLink(error))
  if (error.frame) section.append(element('pre', 'frame', error.frame))
  if (error.help) section.append(element('p', 'help', error.help))
  if (error.isTraced) section.append(element('p', 'title', 'looking up the place in the sources …'))
  else if (error.stack) section.append(stack(error.stack))
  return section
}

function locationOf({ file, place }: OverlayError): string {
  return place ? `${file}:${place.line}:${place.column}` : file!
}

function fileLink(error: OverlayError): HTMLElement[] {
  const note = element('p', 'note')
  note.setAttribute('role', 'status')
  const link = element('button', 'file', locationOf(error))
  link.addEventListener('click', async () => {
    note.textContent = (await open(locationOf(error))) ?? ''
  })
  return [link, note]
}

/** Folds the frames of packages, because the project's own frames are the ones to act on. */
function stack(text: string): HTMLElement {
  const stack = element('div', 'stack')
  let folded: string[] = []
  const fold = (): void => {
    if (folded.length === 0) return
    const details = document.createElement('details')
    details.append(element('summary', '', `${folded.length} ${folded.length === 1 ? 'frame' : 'frames'} of packages`), folded.join('\n'))
    stack.append(details)
    folded = []
  }
  for (const line of text.split('\n')) {
    if (/[/(]node_modules\//.test(line)) folded.push(line)
    else {
      fold()
      stack.append(element('div', '', line))
    }
  }
  fold()
  return stack
}

function textOf(error: OverlayError | undefined): string {
  if (!error) return ''
  const parts = [error.title, error.message, error.file && `  at ${locationOf(error)}`, error.frame, error.help, error.stack]
  return parts.filter(Boolean).join('\n\n')
}

async function copyText(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text)
  } catch {
    // Pages over plain http from another machine have no clipboard API. The older way copies the selection of a text field.
    const field = document.createElement('textarea')
    field.value = text
    document.querySelector(NAME)?.shadowRoot?.querySelector('.window')?.append(field)
    field.select()
    document.execCommand('copy')
    field.remove()
  }
}

function tip(): HTMLElement {
  const tip = element('p', 'tip', 'The page goes on by itself once the source is fixed. Close this with ')
  tip.append(element('kbd', '', 'Esc'))
  return tip
}

function button(text: string, name: string, act: () => void): HTMLButtonElement {
  const button = element('button', '', text) as HTMLButtonElement
  button.setAttribute('type', 'button')
  button.setAttribute('aria-label', name)
  button.setAttribute('title', name)
  button.addEventListener('click', act)
  return button
}

function element(tag: string, className: string, text = ''): HTMLElement {
  const element = document.createElement(tag)
  element.className = className
  element.textContent = text
  return element
}
