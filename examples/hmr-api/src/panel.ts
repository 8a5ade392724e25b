/** The panel that a module writes to. It belongs to the page, so it stays when the module is replaced. */
export interface Panel {
  section: HTMLElement
  /** Puts `text` where the panel shows its present state. */
  show(text: string | number): void
  /** Adds a line to the panel's log. */
  log(text: string): void
}

export function panel(id: string): Panel {
  const section = document.getElementById(id)!
  const output = section.querySelector('output')!
  const lines = section.querySelector('ol')!
  return {
    section,
    show(text) {
      output.textContent = String(text)
    },
    log(text) {
      const line = document.createElement('li')
      line.textContent = text
      lines.prepend(line)
    },
  }
}
