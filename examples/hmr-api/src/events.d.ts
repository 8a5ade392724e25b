import 'vite/types/customEvent.d.ts'

declare module 'vite/types/customEvent.d.ts' {
  interface CustomEventMap {
    /** From a tab: somebody says hello. */
    'greet:hello': { name: string }
    /** To that tab. */
    'greet:answer': { text: string }
    /** To every tab. */
    'greet:seen': { name: string; greeted: number }
  }
}
