export * from 'vite-original'
