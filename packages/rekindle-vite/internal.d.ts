export * from 'vite-original/internal'
