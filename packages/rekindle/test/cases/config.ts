import { defineConfig, loadEnv, mergeConfig, version } from 'vite'
import type { ConfigEnv, Plugin, PluginOption, UserConfig } from 'vite'

const mine: Plugin = { name: 'mine', transform: (code: string) => code }
const plugins: PluginOption[] = [mine, false, [mine, null]]

export const plain = defineConfig({
  base: '/app/',
  plugins,
  resolve: { alias: { '@': '/src' }, dedupe: ['react'] },
  server: { port: 3000, host: true, proxy: { '/api': { target: 'http://localhost:1', rewrite: (path) => path.replace(/^\/api/, '') } } },
  preview: { port: 4000, strictPort: true },
  build: { outDir: 'out', sourcemap: true },
  test: { environment: 'jsdom' },
})

export const called = defineConfig(({ mode, command }: ConfigEnv) => ({
  define: { MODE: JSON.stringify(loadEnv(mode, '.', '').VITE_MODE), IS_BUILD: command === 'build', V: version },
}))

export const later = defineConfig(async () => mergeConfig({ base: '/' }, plain) satisfies UserConfig)

// @ts-expect-error a port is a number
defineConfig({ server: { port: '3000' } })
// @ts-expect-error `cors` is a boolean or options
defineConfig({ server: { cors: 7 } })
// @ts-expect-error no setting has this name
defineConfig({ server: { prot: 3 } })
// @ts-expect-error no setting has this name
defineConfig({ build: { outdir: 'out' } })
// @ts-expect-error no setting has this name
defineConfig({ resolve: { aliases: {} } })
defineConfig({
  server: { fs: { deny: ['x'] }, warmup: { clientFiles: ['a'] } },
  build: { rollupOptions: { input: 'a.html', output: { manualChunks: {} } } },
})
