const title = 'Hello'
const hint = 'Change a line of src/counter.ts and save: the count stays.'

// The copy of this module that ran before an edit has left the count here.
let count: number = import.meta.hot?.data.count ?? 0

/** Draws a counter into `host`. */
export function mountCounter(host: HTMLElement): void {
  const heading = document.createElement('h1')
  heading.textContent = title
  const button = document.createElement('button')
  button.type = 'button'
  const note = document.createElement('p')
  note.textContent = hint

  const show = (): void => {
    button.textContent = `count is ${count}`
  }
  button.addEventListener('click', () => {
    count += 1
    show()
  })
  show()
  host.replaceChildren(heading, button, note)
}

if (import.meta.hot) {
  import.meta.hot.dispose((data) => {
    data.count = count
  })
}
