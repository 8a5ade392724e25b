export * from 'vite-original/module-runner'
