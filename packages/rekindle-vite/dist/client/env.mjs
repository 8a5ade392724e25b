export * from 'vite-original/dist/client/env.mjs'
