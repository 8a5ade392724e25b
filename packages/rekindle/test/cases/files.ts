import './sheet.css'
import './sheet.scss'
import classes, { default as again } from './box.module.css'
import styl from './box.module.styl'
import inlined from './sheet.css?inline'
import picture from './picture.avif'
import film from './film.webm'
import font from './font.woff2'
import manifest from './app.webmanifest'
import text from './readme.md?raw'
import address from './readme.md?url'
import small from './picture.png?url&inline'
import large from './picture.png?no-inline'
import Count from './count?worker'
import Shared from './count?sharedworker&inline'
import workerAddress from './count?worker&url'
import init from './add.wasm?init'
import 'vite/modulepreload-polyfill'

const strings: string[] = [inlined, picture, film, font, manifest, text, address, small, large, workerAddress]
const names: (string | undefined)[] = [classes.title, again['sub-title'], styl.x]
const worker: Worker = new Count({ name: 'count' })
new Shared().port.postMessage(strings)
init({ env: {} }).then((instance) => instance.exports.add)
addEventListener('vite:preloadError', (event) => event.payload.message)
void [names, worker]

// @ts-expect-error an address is a string
const wrong: number = picture
// @ts-expect-error class names are read-only
classes.title = 'x'
// @ts-expect-error a worker constructor needs `new`
Count()
// @ts-expect-error styles have no exports
import { nothing } from './sheet.css'
void [wrong, nothing]
