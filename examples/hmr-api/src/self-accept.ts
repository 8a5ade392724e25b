import { panel } from './panel'

export const count = 1

const { show, log } = panel('self-accept')
show(count)

if (import.meta.hot) {
  import.meta.hot.accept((newModule) => {
    // `newModule` is undefined if the new version threw while it ran.
    if (newModule) log(`updated: count is now ${newModule.count}`)
  })
}
