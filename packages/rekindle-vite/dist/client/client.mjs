export * from 'vite-original/dist/client/client.mjs'
