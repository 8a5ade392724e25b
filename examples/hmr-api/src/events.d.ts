import 'vite/types/customEvent.d.ts'

declare module 'vite/types/customEvent.d.ts' {
  interface CustomEventMap {
    /** Sent by a tab: a visitor says hello. */
    'greet:hello': { name: string }
    /** Sent to the tab that said hello. */
    'greet:answer': { text: string }
    /** Sent to every tab: who said hello, and how many have done so. */
    'greet:seen': { name: string; greeted: number }
  }
}
