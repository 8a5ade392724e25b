import { panel } from './panel'

const step = 1

const { show, log } = panel('dispose')
let value: number = import.meta.hot?.data.value ?? 0
const timer = setInterval(() => show(value += step), 1000)
show(value)
log(`timer started with step ${step}`)

if (import.meta.hot) {
  import.meta.hot.dispose((data) => {
    clearInterval(timer)
    data.value = value
    log(`timer stopped at ${value}`)
  })
  import.meta.hot.accept()
}
