import './style.css'
import { mountCounter } from './counter'

const app = document.querySelector<HTMLElement>('#app')
if (app) mountCounter(app)

// An edit of what this file imports need not reload the page: running this file again mounts the counter anew.
if (import.meta.hot) import.meta.hot.accept()
