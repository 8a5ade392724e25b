import { panel } from './panel'

export const colour = 'orangered'
export const sides = 4

const { section, log } = panel('invalidate')

/** Gives the panel's shape its colour. */
export function paint(): void {
  section.querySelector('output')!.style.color = colour
}

if (import.meta.hot) {
  import.meta.hot.accept((newShape) => {
    if (!newShape) return
    if (newShape.sides === sides) {
      newShape.paint()
      log(`shape.ts took the colour ${newShape.colour} itself`)
    } else {
      log('shape.ts cannot draw: its importers must')
      import.meta.hot?.invalidate('another number of sides')
    }
  })
}
