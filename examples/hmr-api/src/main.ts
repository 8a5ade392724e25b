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

// What no module below accepts ends here: this file runs again, and so does what the edit passed on its way.
import.meta.hot?.accept()
