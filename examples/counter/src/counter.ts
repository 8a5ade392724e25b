/**
 * A counter that outlives its own code: save this file and the page shows the new text, at the count it had.
 *
 * Before a new copy of the module runs, the old one leaves the count and its place on the page in `hot.data`, where
 * the new one finds them.
 */
const title = 'Count on it'
const hint = 'Change a line of src/counter.ts, save, and keep counting.'
const step = 1

let count: number = import.meta.hot?.data.count ?? 0

/** Draws the counter into `host`, in the place of what was there. */
export function mount(host: HTMLElement): void {
  const heading = element('h1', title)
  const value = element('output', String(count))
  const less = button(`− ${step}`, () => change(-step))
  const more = button(`+ ${step}`, () => change(step))
  const note = element('p', hint)
  host.replaceChildren(heading, value, less, more, note)

  function change(by: number): void {
    count += by
    value.textContent = String(count)
  }

  import.meta.hot?.dispose((data) => {
    data.count = count
    data.host = host
  })
}

function button(text: string, press: () => void): HTMLButtonElement {
  const made = element('button', text)
  made.addEventListener('click', press)
  return made
}

function element<Name extends keyof HTMLElementTagNameMap>(name: Name, text: string): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name)
  made.textContent = text
  return made
}

if (import.meta.hot) {
  const { host } = import.meta.hot.data
  if (host) mount(host)
  import.meta.hot.accept()
}
