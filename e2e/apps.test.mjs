/**
 * Three applications written with real libraries, each of more than 300 modules with its packages: a router and a component
 * library, charts and a data library, a second component library. They load, take an edit and log no errors.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { test, until } from './harness.mjs'

const run = promisify(execFile)
const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'

const html = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>app</title><link rel="icon" href="data:,"></head>
<body><div id="root"></div><script type="module" src="/src/main.tsx"></script></body></html>`
const main = (imports, app) =>
  `import { createRoot } from 'react-dom/client'
${imports}
createRoot(document.getElementById('root')!).render(${app})
`
const counter = `import { useState } from 'react'
export function Counter() {
  const [n, setN] = useState(0)
  return <button id="count" onClick={() => setN(n + 1)}>clicked {n}</button>
}
`

const apps = [
  {
    name: 'MUI and React Router',
    packages: ['react@19', 'react-dom@19', 'react-router@7', '@mui/material@7', '@mui/icons-material@7', '@emotion/react@11', '@emotion/styled@11'],
    files: {
      'src/main.tsx': main(
        `import { BrowserRouter } from 'react-router'\nimport { CssBaseline } from '@mui/material'\nimport App from './App'`,
        '<BrowserRouter><CssBaseline /><App /></BrowserRouter>',
      ),
      'src/App.tsx': `import { Link, Route, Routes } from 'react-router'
import { AppBar, Avatar, Button, Card, CardContent, Checkbox, Chip, Container, Dialog, Drawer, List, ListItem, Slider, Switch, Table, TableBody, TableCell, TableRow, Tabs, Tab, TextField, Toolbar, Tooltip, Typography } from '@mui/material'
import { Add, Delete, Menu } from '@mui/icons-material'
import { Counter } from './Counter'
export default function App() {
  return <Container>
    <AppBar position="static"><Toolbar><Menu /><Typography variant="h6">Console</Typography><Button color="inherit" component={Link} to="/about" id="about">About</Button></Toolbar></AppBar>
    <Counter />
    <Routes>
      <Route path="/" element={<Card><CardContent id="text">Home of it<Chip label="chip" icon={<Add />} /><Avatar><Delete /></Avatar><Switch /><Checkbox /><Slider defaultValue={3} /></CardContent></Card>} />
      <Route path="/about" element={<List id="text"><ListItem>About it</ListItem><TextField label="field" /><Tabs value={0}><Tab label="one" /></Tabs></List>} />
    </Routes>
    <Table><TableBody><TableRow><TableCell>cell</TableCell></TableRow></TableBody></Table>
    <Tooltip title="tip"><span>tip</span></Tooltip><Drawer open={false} /><Dialog open={false}>x</Dialog>
  </Container>
}
`,
    },
    async look(app) {
      await app.sees('h6', 'Console')
      await app.page.click('#about')
      await app.sees('#text', /About it/)
    },
    edit: ['src/App.tsx', 'Console', 'Control'],
    sees: ['h6', 'Control'],
  },
  {
    name: 'Recharts, TanStack Query and Zustand',
    packages: ['react@19', 'react-dom@19', 'recharts@3', 'react-is@19', '@tanstack/react-query@5', 'zustand@5', 'date-fns@4'],
    files: {
      'src/main.tsx': main(
        `import { QueryClient, QueryClientProvider } from '@tanstack/react-query'\nimport App from './App'`,
        '<QueryClientProvider client={new QueryClient()}><App /></QueryClientProvider>',
      ),
      'src/store.ts': `import { create } from 'zustand'\nexport const useBears = create<{ bears: number }>(() => ({ bears: 3 }))\n`,
      'src/App.tsx': `import { useQuery } from '@tanstack/react-query'
import { Area, AreaChart, Bar, BarChart, CartesianGrid, Legend, Line, LineChart, Pie, PieChart, Tooltip, XAxis, YAxis } from 'recharts'
import * as dates from 'date-fns'
import { Counter } from './Counter'
import { useBears } from './store'
export default function App() {
  const { data = [] } = useQuery({ queryKey: ['rows'], queryFn: async () => [1, 4, 2, 8].map((value, at) => ({ at, value })) })
  const bears = useBears((state) => state.bears)
  return <main>
    <h1>Charts of {dates.format(new Date(2026, 0, 2), 'yyyy')} with {bears} bears</h1>
    <Counter />
    <LineChart width={300} height={120} data={data}><XAxis dataKey="at" /><YAxis /><Tooltip /><Legend /><CartesianGrid /><Line dataKey="value" isAnimationActive={false} /></LineChart>
    <BarChart width={300} height={120} data={data}><Bar dataKey="value" isAnimationActive={false} /></BarChart>
    <AreaChart width={300} height={120} data={data}><Area dataKey="value" isAnimationActive={false} /></AreaChart>
    <PieChart width={120} height={120}><Pie data={data} dataKey="value" isAnimationActive={false} /></PieChart>
  </main>
}
`,
    },
    async look(app) {
      await app.sees('h1', 'Charts of 2026 with 3 bears')
      await until('bars', async () => assert.equal(await app.page.locator('.recharts-bar-rectangle').count(), 4))
    },
    edit: ['src/App.tsx', 'Charts of', 'Graphs of'],
    sees: ['h1', 'Graphs of 2026 with 3 bears'],
  },
  {
    name: 'Ant Design',
    packages: ['react@19', 'react-dom@19', 'antd@6', 'dayjs@1'],
    files: {
      'src/main.tsx': main(`import App from './App'`, '<App />'),
      'src/App.tsx':
        `import { Button, Calendar, Card, Checkbox, DatePicker, Form, Input, Menu, Select, Slider, Steps, Switch, Table, Tabs, Tag, Tree, Typography } from 'antd'
import dayjs from 'dayjs'
import { Counter } from './Counter'
export default function App() {
  return <Card title={<h1>Desk of {dayjs('2026-01-02').format('YYYY')}</h1>}>
    <Counter />
    <Form><Form.Item label="name"><Input /></Form.Item><Form.Item><Select options={[{ value: 'a', label: 'A' }]} /></Form.Item></Form>
    <DatePicker /><Slider /><Switch /><Checkbox /><Tag color="blue">tag</Tag><Button type="primary">go</Button>
    <Table rowKey="id" columns={[{ title: 'Id', dataIndex: 'id' }]} dataSource={[{ id: 1 }, { id: 2 }]} pagination={false} />
    <Tabs items={[{ key: '1', label: 'one', children: 'first' }]} /><Tree treeData={[{ key: 'r', title: 'root' }]} />
    <Menu items={[{ key: 'm', label: 'menu' }]} /><Steps items={[{ title: 'step' }]} /><Typography.Text>text</Typography.Text><Calendar fullscreen={false} />
  </Card>
}
`,
    },
    async look(app) {
      await app.sees('h1', 'Desk of 2026')
      await until('rows', async () => assert.equal(await app.page.locator('tbody .ant-table-row').count(), 2))
    },
    edit: ['src/App.tsx', 'Desk of', 'Table of'],
    sees: ['h1', 'Table of 2026'],
  },
]

for (const { name, packages, files, look, edit, sees } of apps) {
  test(`${name}: loads, takes edits, says nothing`, {
    limit: 180_000,
    start: false,
    files: { 'package.json': '{ "private": true, "type": "module" }', 'index.html': html, 'src/Counter.tsx': counter, ...files },
  }, async (app) => {
    await run(npm, ['install', '--no-audit', '--no-fund', '--prefer-offline', ...packages], { cwd: app.root })
    await app.start()
    await app.load()
    await look(app)
    assert.ok((await modulesOf(app)) > 300, `${await modulesOf(app)} modules`)
    await app.page.click('#count')
    await app.sees('#count', 'clicked 1')
    await app.edit(...edit)
    await app.sees(...sees)
    await app.edit('src/Counter.tsx', 'clicked', 'pressed')
    await app.sees('#count', 'pressed 1')
    await app.stayed()
    assert.deepEqual(app.errors, [])
  })
}

/** How many definitions the page was sent. */
async function modulesOf(app) {
  const text = async (address) => (await fetch(new URL(address, app.url))).text()
  const segments = (await text('/@rekindle/page.js?path=/index.html')).match(/\/@rekindle\/s\/\w+\.js/g)
  const scripts = await Promise.all(segments.map(text))
  return scripts.reduce((sum, script) => sum + (script.match(/^\$d\(/gm)?.length ?? 0), 0)
}
