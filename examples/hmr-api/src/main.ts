import './guard'
import './self-accept'
import './accept-one'
import './accept-many'
import './dispose'
import './prune'
import './data'
import './invalidate'
import './builtin'
import './custom'

const data = import.meta.hot?.data ?? {}
data.loaded ??= new Date()
document.querySelector('#age')!.textContent = `as it was loaded at ${data.loaded.toLocaleTimeString()}`

// An update that no imported module accepts stops here: this file runs again, and with it the modules between it and
// the edited one.
import.meta.hot?.accept()
