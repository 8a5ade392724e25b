import { panel } from './panel'

export const count = 1

const { show, log } = panel('self-accept')
show(count)

if (import.meta.hot) {
  import.meta.hot.accept((newModule) => {
    // Missing if the new copy could not be run.
    if (newModule) log(`updated: count is now ${newModule.count}`)
  })
}
