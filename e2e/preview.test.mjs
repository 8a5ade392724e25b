/** `rekindle preview`: a finished build in a browser, as a static host serves it. */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import http from 'node:http'
import { program, test, until } from './harness.mjs'

const page = (script, text = '') =>
  `<!doctype html><title>built</title><link rel="icon" href="data:,"><p id="a">${text}</p><script type="module" src="${script}"></script>`
const BUILT = {
  'dist/index.html': page('/assets/main-1.js'),
  'dist/assets/main-1.js': `document.getElementById('a').textContent = 'one ' + location.pathname\n// ${'padding '.repeat(300)}`,
  'dist/about.html': page('/assets/main-1.js'),
  'dist/docs/index.html': '<!doctype html><link rel="icon" href="data:,"><p id="a">docs</p><img src="./dot.svg">',
  'dist/docs/dot.svg': '<svg xmlns="http://www.w3.org/2000/svg" width="3" height="3"/>',
  'src/secret.ts': 'not in the build',
}

/** @param {any} options */
const preview = (title, options, body) => {
  const { files = BUILT, limit } = options
  test(title, { files, limit, start: false, load: false }, async (app) => {
    app.command = [program, 'preview', app.root]
    await body(app)
  })
}

preview('pages of a build open, and addresses of the application get its page', {}, async (app) => {
  await app.start()
  const tab = await app.tab({ blank: true })
  const shows = async (where, text) => {
    await tab.page.goto(new URL(where, app.url).href)
    await tab.sees('#a', text)
  }
  await shows('/', 'one /')
  await shows('/about', 'one /about')
  await shows('/users/7', 'one /users/7')
  await shows('/docs', 'docs')
  assert.equal(new URL(tab.page.url()).pathname, '/docs/')
  assert.equal(await tab.page.evaluate(() => document.images[0].decode().then(() => document.images[0].width)), 3)
  assert.deepEqual(tab.errors, [])
  assert.equal((await get(app, '/src/secret.ts')).status, 404)
})

preview('code may ask for addresses of the application, maps are JSON, and odd names are names', {
  files: { ...BUILT, 'dist/assets/main-1.js.map': '{}', 'dist/a?b c#.txt': 'odd' },
}, async (app) => {
  await app.start()
  const type = async (target) => {
    const { status, headers } = await get(app, target, { accept: '*/*' })
    return `${status} ${headers['content-type']}`
  }
  assert.equal(await type('/users/7'), '200 text/html; charset=utf-8')
  assert.match(await type('/users/7.js'), /^404/)
  assert.equal(await type('/assets/main-1.js.map'), '200 application/json')
  assert.equal(await type('/a%3Fb%20c%23.txt'), '200 text/plain; charset=utf-8')
})

preview('a new build in the place of the old one is there at the next load', {}, async (app) => {
  await app.start()
  const tab = await app.tab({ blank: true })
  await tab.page.goto(app.url)
  await tab.sees('#a', 'one /')
  app.write('next/index.html', page('/assets/main-2.js'))
  app.write('next/assets/main-2.js', `document.getElementById('a').textContent = 'two'`)
  fs.renameSync(app.path('dist'), app.path('old'))
  fs.renameSync(app.path('next'), app.path('dist'))
  await tab.page.reload()
  await tab.sees('#a', 'two')
})

preview('base, another folder and headers come from the settings, the port from a flag', {
  files: {
    'rekindle.toml': `base = "/app/"\n[build]\nout_dir = "out"\n[preview]\nheaders = { X-From = "preview" }\n`,
    'out/index.html': page('/app/main.js'),
    'out/main.js': `document.getElementById('a').textContent = import.meta.url`,
  },
}, async (app) => {
  await app.start()
  const tab = await app.tab({ blank: true })
  await tab.page.goto(app.url)
  await tab.sees('#a', new RegExp('/app/main.js$'))
  const answer = await get(app, '/app/main.js')
  assert.equal(answer.headers['x-from'], 'preview')
})

preview('its proxy passes requests on', {
  files: { 'dist/index.html': page('/main.js'), 'dist/main.js': `document.getElementById('a').textContent = await (await fetch('/api/x')).text()` },
}, async (app) => {
  const other = http.createServer((request, answer) => answer.end(`asked for ${request.url}`))
  await new Promise((done) => other.listen(0, 'localhost', () => done(undefined)))
  try {
    app.write('rekindle.toml', `[preview.proxy]\n"/api" = "http://localhost:${other.address().port}"\n`)
    await app.start()
    const tab = await app.tab({ blank: true })
    await tab.page.goto(app.url)
    await tab.sees('#a', 'asked for /api/x')
  } finally {
    other.close()
  }
})

preview('without a build it says so and ends', { files: { 'index.html': '' } }, async (app) => {
  await app.spawn()
  assert.equal((await app.ends()).code, 1)
  await until('the advice', () => assert.match(app.printed, /there is no build in .*dist\n.*rekindle build/))
})

function get(app, target, headers = {}) {
  return new Promise((done, fail) => {
    http.get(new URL(target, app.url), { headers }, (answer) => {
      answer.resume().on('end', () => done({ status: answer.statusCode, headers: answer.headers }))
    }).on('error', fail)
  })
}
