import './style.css'
import { mount } from './counter'

document.title = 'counter'
mount(document.querySelector<HTMLElement>('#counter')!)

// Running this file again only mounts again: an edit need not go further, and the count is not in here.
import.meta.hot?.accept()
