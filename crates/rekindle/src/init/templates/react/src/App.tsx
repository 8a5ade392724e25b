import { useState } from 'react'

export function App() {
  const [count, setCount] = useState(0)
  return (
    <>
      <h1>Hello</h1>
      <button type="button" onClick={() => setCount(count + 1)}>
        count is {count}
      </button>
      <p>Change a line of src/App.tsx and save: the count stays.</p>
    </>
  )
}
