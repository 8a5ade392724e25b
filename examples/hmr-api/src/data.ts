import { panel } from './panel'

const { show, log } = panel('data')
let runs = 1

if (import.meta.hot) {
  // Set properties of `data`; the object itself cannot be replaced.
  import.meta.hot.data.runs = (import.meta.hot.data.runs || 0) + 1
  runs = import.meta.hot.data.runs
  import.meta.hot.accept()
}

show(runs)
log(`run number ${runs}`)
