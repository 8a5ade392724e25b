import { panel } from './panel'
import './visitor'

panel('prune').log('prune.ts ran')

import.meta.hot?.accept()
