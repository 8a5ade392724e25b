import { panel } from './panel'

const greeting = 'Good morning'
const { show, log } = panel('guard')
show(greeting)

if (import.meta.hot) {
  // A build leaves this block out.
  log('guard.ts ran; import.meta.hot is there')
}
