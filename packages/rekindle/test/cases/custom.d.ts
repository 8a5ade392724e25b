import 'vite/types/customEvent.d.ts'

declare module 'vite/types/customEvent.d.ts' {
  interface CustomEventMap {
    'chat:line': { from: string; text: string }
    'chat:leave': undefined
  }
}
