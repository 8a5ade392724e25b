/**
 * The error overlay: one custom element over the page, with everything in its shadow root.
 *
 * Shows message, `file:line:column` (a click opens the editor), code frame, advice and stack. Escape and a click
 * outside close it; the fix does too.
 */
import type { Diagnostic } from './messages'

/** What the overlay shows of one error. */
export interface OverlayError extends Diagnostic {
  stack?: string
  /** Where in the original sources the stack leads, once the server has told. */
  title?: string
}

const STYLE = `
:host { position: fixed; inset: 0; z-index: 2147483647; display: block; font: 14px/1.5 ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; direction: ltr; text-align: left }
.backdrop { position: absolute; inset: 0; overflow: auto; background: rgb(0 0 0 / 0.66); padding: 5vh 16px }
.window { box-sizing: border-box; max-width: 960px; margin: 0 auto; padding: 24px 28px; border-radius: 8px; border-top: 6px solid #ff5a36; background: #17181c; color: #d8dae0; box-shadow: 0 16px 48px rgb(0 0 0 / 0.5) }
section + section { margin-top: 24px; padding-top: 20px; border-top: 1px solid #33353d }
.title { color: #9a9daa; margin: 0 0 4px }
.message { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; color: #ff8a70; font-size: 16px; font-weight: 600 }
.file { display: inline-block; margin-top: 8px; padding: 0; border: 0; background: none; font: inherit; color: #6cc7f5; text-decoration: underline; cursor: pointer }
pre { margin: 14px 0 0; padding: 12px 14px; overflow: auto; border-radius: 6px; background: #0e0f12; color: #e6e2d3 }
.help { margin: 12px 0 0; color: #9fdc8c; white-space: pre-wrap }
.stack { color: #8b8e9a; background: none; padding: 0 }
.tip { margin: 24px 0 0; padding-top: 14px; border-top: 1px solid #33353d; color: #7d808c; font-size: 12px }
kbd { padding: 1px 6px; border: 1px solid #4a4d57; border-radius: 4px }
`

const NAME = 'rekindle-error-overlay'

/** Opens a place in the developer's editor. */
type Opener = (place: string) => void

let open: Opener = () => {}

export function setEditorOpener(opener: Opener): void {
  open = opener
}

// Workers have no elements; the class is still exported there.
const Base: typeof HTMLElement = typeof HTMLElement === 'undefined' ? (class {} as typeof HTMLElement) : HTMLElement

export class ErrorOverlay extends Base {
  private readonly onKey = (event: KeyboardEvent) => {
    if (event.key === 'Escape' || event.code === 'Escape') this.close()
  }

  constructor(errors: OverlayError[] = []) {
    super()
    const root = this.attachShadow({ mode: 'open' })
    const style = document.createElement('style')
    style.textContent = STYLE
    const window = element('div', 'window')
    window.addEventListener('click', (event) => event.stopPropagation())
    window.setAttribute('role', 'alertdialog')
    for (const error of errors) window.append(section(error))
    window.append(tip())
    const backdrop = element('div', 'backdrop')
    backdrop.append(window)
    backdrop.addEventListener('click', () => this.close())
    root.append(style, backdrop)
    document.addEventListener('keydown', this.onKey)
  }

  close(): void {
    document.removeEventListener('keydown', this.onKey)
    this.remove()
  }
}

/** Shows `errors`, in the place of an overlay that is there. */
export function showOverlay(errors: OverlayError[]): void {
  hideOverlay()
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

function section(error: OverlayError): HTMLElement {
  const section = element('section', 'error')
  if (error.title) section.append(element('p', 'title', error.title))
  section.append(element('p', 'message', error.message))
  if (error.file) section.append(fileLink(error))
  if (error.frame) section.append(element('pre', 'frame', error.frame))
  if (error.help) section.append(element('p', 'help', error.help))
  if (error.stack) section.append(element('pre', 'stack', error.stack))
  return section
}

function fileLink({ file, place }: OverlayError): HTMLElement {
  const where = place ? `${file}:${place.line}:${place.column}` : file!
  const button = element('button', 'file', where)
  button.addEventListener('click', () => open(where))
  return button
}

function tip(): HTMLElement {
  const tip = element('p', 'tip', 'Fix the source and the page goes on by itself. Close this with ')
  tip.append(element('kbd', '', 'Esc'))
  return tip
}

function element(tag: string, className: string, text = ''): HTMLElement {
  const element = document.createElement(tag)
  element.className = className
  element.textContent = text
  return element
}
