import { word as leftWord } from './left'
import { panel } from './panel'
import { word as rightWord } from './right'

const { show, log } = panel('accept-many')
const words = { left: leftWord, right: rightWord }
draw()

if (import.meta.hot) {
  import.meta.hot.accept(['./left', './right'], ([newLeft, newRight]) => {
    if (newLeft) words.left = newLeft.word
    if (newRight) words.right = newRight.word
    draw()
    log(`new: ${[newLeft && 'left.ts', newRight && 'right.ts'].filter(Boolean).join(' and ')}`)
  })
}

function draw(): void {
  show(`${words.left} · ${words.right}`)
}
