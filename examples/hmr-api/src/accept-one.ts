import { greet } from './greeting'
import { panel } from './panel'

const { show, log } = panel('accept-one')
show(greet())
log('accept-one.ts ran')

if (import.meta.hot) {
  import.meta.hot.accept('./greeting', (newGreeting) => {
    if (!newGreeting) return
    show(newGreeting.greet())
    log('greeting.ts was replaced')
  })
}
