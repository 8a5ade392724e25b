import { panel } from './panel'

const { section, show, log } = panel('custom')
const form = section.querySelector('form')!

if (import.meta.hot) {
  const hot = import.meta.hot

  hot.on('greet:answer', ({ text }) => show(text))
  hot.on('greet:seen', ({ name, greeted }) => log(`${name} said hello; ${greeted} so far`))

  form.onsubmit = (event) => {
    event.preventDefault()
    hot.send('greet:hello', { name: form.querySelector('input')!.value })
  }
  hot.accept()
}
