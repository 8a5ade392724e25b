import './style.css'
import { mount } from './counter'

document.title = 'counter'
mount(document.querySelector<HTMLElement>('#counter')!)

// Running this file again only mounts the counter again and loses nothing, since counter.ts holds the count; so this
// module accepts its own updates.
import.meta.hot?.accept()
