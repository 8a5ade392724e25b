import { panel } from './panel'

const { show, log } = panel('events')

if (import.meta.hot) {
  const hot = import.meta.hot

  hot.on('vite:beforeUpdate', ({ updates }) => log(`beforeUpdate: ${updates.map((update) => update.path).join(', ')}`))
  hot.on('vite:afterUpdate', ({ updates }) => {
    log(`afterUpdate: ${updates.map((update) => update.path).join(', ')}`)
    show(`last update at ${new Date().toLocaleTimeString()}`)
  })
  hot.on('vite:beforePrune', ({ paths }) => log(`beforePrune: ${paths.join(', ')}`))
  hot.on('vite:beforeFullReload', ({ path }) => log(`beforeFullReload: ${path ?? 'every page'}`))
  hot.on('vite:invalidate', ({ path, message }) => log(`invalidate: ${path}, ${message ?? 'no reason given'}`))
  hot.on('vite:error', ({ err }) => log(`error: ${err.message}`))
  hot.on('vite:ws:connect', () => log('ws:connect'))
  hot.on('vite:ws:disconnect', () => log('ws:disconnect'))
  hot.accept()
}
