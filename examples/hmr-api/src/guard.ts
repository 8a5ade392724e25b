import { panel } from './panel'

const greeting = 'Good morning'
const { show, log } = panel('guard')
show(greeting)

if (import.meta.hot) {
  // A production build removes this block.
  log('guard.ts ran; import.meta.hot is there')
}
