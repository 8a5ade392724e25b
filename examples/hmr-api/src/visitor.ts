import { panel } from './panel'

const { show, log } = panel('prune')
show('the visitor is here')
log('visitor.ts came')

if (import.meta.hot) {
  import.meta.hot.prune(() => {
    show('')
    log('visitor.ts left: nothing imports it any more')
  })
}
