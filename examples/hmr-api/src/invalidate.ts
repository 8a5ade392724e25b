import { panel } from './panel'
import { paint, sides } from './shape'

const { show, log } = panel('invalidate')
const shapes: Record<number, string> = { 3: '▲', 4: '■', 5: '⬟', 6: '⬢' }
show(shapes[sides] ?? '●')
paint()
log(`invalidate.ts drew ${sides} sides`)

import.meta.hot?.accept()
