/** React Fast Refresh, with a stand-in for React's renderer: which component replaces which, and which roots render again. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'

const { ReactRefresh } = await import(pathToFileURL(process.env.REKINDLE_CLIENT).href)

/** A stand-in for React's renderer: it calls the DevTools hook and records what it is asked to do. */
class Renderer {
  asked = []
  familyOf = null

  constructor(globals) {
    this.hook = globals.__REACT_DEVTOOLS_GLOBAL_HOOK__
    this.id = this.hook.inject({
      scheduleRefresh: (root, { updatedFamilies, staleFamilies }) =>
        this.asked.push({
          root: root.name,
          kept: [...updatedFamilies].map(({ current }) => current),
          anew: [...staleFamilies].map(({ current }) => current),
        }),
      scheduleRoot: (root, element) => this.asked.push({ root: root.name, element }),
      setRefreshHandler: (familyOf) => (this.familyOf = familyOf),
    })
  }

  /** Renders `element` into a root; null takes it away. */
  render(root, element, failed = false) {
    this.hook.onScheduleFiberRoot(this.id, root, element)
    root.current = { alternate: root.current ?? null, memoizedState: { element: failed ? null : element } }
    this.hook.onCommitFiberRoot(this.id, root, 0, failed)
  }

  takeAsked() {
    return this.asked.splice(0)
  }
}

function begin() {
  const globals = {}
  const refresh = new ReactRefresh(globals)
  return { globals, refresh, react: new Renderer(globals) }
}

test('the next component of a name succeeds the one before, in every root that shows something', () => {
  const { refresh, react } = begin()
  const [first, second] = [function View() {}, function View() {}]
  const [one, two, gone] = [{ name: 'one' }, { name: 'two' }, { name: 'gone' }]
  for (const root of [one, two, gone]) react.render(root, 'page')
  react.render(gone, null)
  refresh.register(first, 'a')
  refresh.perform()
  assert.deepEqual(react.takeAsked(), [], 'the first of a name is no update')
  refresh.register(second, 'a')
  assert.equal(react.familyOf?.(second), undefined, 'it is rendered as itself until it is announced')
  refresh.perform()
  assert.deepEqual(react.takeAsked(), ['one', 'two'].map((root) => ({ root, kept: [second], anew: [] })))
  assert.equal(react.familyOf(first).current, second)
  assert.equal(react.familyOf(function other() {}), undefined)
  refresh.perform()
  assert.deepEqual(react.takeAsked(), [])
})

/** A component that says which hooks it uses. */
function using(refresh, own, hooks, resets = false) {
  const sign = refresh.signature()
  return sign(function View() {}, own, resets, hooks)
}

for (const [what, before, after, isKept] of [
  ['the same hooks', ['useState', () => []], ['useState', () => []], true],
  ['other hooks', ['useState', () => []], ['useState, useEffect', () => []], false],
  ['hooks where there were none', null, ['useState', () => []], false],
  ['none where there were hooks', ['useState', () => []], null, false],
  ['a wish to start anew', ['useState', () => []], ['useState', () => [], true], false],
  ['a hook that cannot be looked up', ['useState', () => []], ['useState', () => absent], false],
  ['something that is no hook', ['useState', () => []], ['useState', () => [undefined]], false],
]) {
  test(`with ${what} its state is ${isKept ? 'kept' : 'dropped'}`, () => {
    const { refresh, react } = begin()
    const made = (parameters) => (parameters ? using(refresh, ...parameters) : function View() {})
    react.render({ name: 'one' }, 'page')
    refresh.register(made(before), 'a')
    const now = made(after)
    refresh.register(now, 'a')
    refresh.perform()
    assert.deepEqual(react.takeAsked(), [{ root: 'one', kept: isKept ? [now] : [], anew: isKept ? [] : [now] }])
  })
}

test('what a custom hook uses counts as well, as it was when the component was rendered', () => {
  const { refresh, react } = begin()
  const hook = (own) => refresh.signature()(function useOwn() {}, own, false, () => [])
  let useOwn = hook('useState(0)')
  react.render({ name: 'one' }, 'page')
  const sign = refresh.signature()
  const first = sign(function View() {}, 'useOwn', false, () => [useOwn])
  sign() // The first render computes the signature.
  refresh.register(first, 'a')
  useOwn = hook('useState(1)')
  const second = using(refresh, 'useOwn', () => [useOwn])
  refresh.register(second, 'a')
  refresh.perform()
  assert.deepEqual(react.takeAsked(), [{ root: 'one', kept: [], anew: [second] }])
})

test('a class starts afresh; what is in memo and forwardRef has families of its own', () => {
  const { refresh, react } = begin()
  react.render({ name: 'one' }, 'page')
  const kind = () => {
    class View {}
    View.prototype.isReactComponent = {}
    return View
  }
  const inner = [function View() {}, function View() {}]
  const memo = (type) => ({ $$typeof: Symbol.for('react.memo'), type })
  const forward = (render) => ({ $$typeof: Symbol.for('react.forward_ref'), render })
  const classes = [kind(), kind()]
  refresh.register(classes[0], 'class')
  refresh.register(memo(forward(inner[0])), 'memo')
  refresh.register(classes[1], 'class')
  refresh.register(memo(forward(inner[1])), 'memo')
  refresh.perform()
  const [{ kept, anew }] = react.takeAsked()
  assert.deepEqual(anew, [classes[1]])
  assert.ok(kept.includes(inner[1]))
  assert.equal(react.familyOf(inner[0]), react.familyOf(inner[1]))
})

test('a root that a mistake has emptied is rendered anew, and all are asked although one throws', () => {
  const { refresh, react } = begin()
  const [broken, other] = [{ name: 'broken' }, { name: 'other' }]
  react.render(broken, 'page', true)
  react.render(other, 'page')
  refresh.register(function View() {}, 'a')
  refresh.register(function View() {}, 'a')
  refresh.perform()
  assert.deepEqual(react.takeAsked().map(({ root, element }) => [root, element]), [['broken', 'page'], ['other', undefined]])
})

test('DevTools that were there first hear of everything, and their renderers are known', () => {
  const heard = []
  const early = { scheduleRefresh() {}, setRefreshHandler() {} }
  const hook = {
    renderers: new Map([[4, early]]),
    inject: () => (heard.push('inject'), 7),
    onScheduleFiberRoot: () => heard.push('schedule'),
    onCommitFiberRoot: () => heard.push('commit'),
  }
  const globals = { __REACT_DEVTOOLS_GLOBAL_HOOK__: hook }
  const refresh = new ReactRefresh(globals)
  assert.ok(refresh.isAttached())
  const react = new Renderer(globals)
  assert.equal(react.id, 7)
  react.render({ name: 'one' }, 'page')
  assert.deepEqual(heard, ['inject', 'schedule', 'commit'])
})

test('a renderer that cannot refresh, as in a production build, is none', () => {
  assert.ok(!new ReactRefresh({}).isAttached())
  const globals = {}
  const other = new ReactRefresh(globals)
  globals.__REACT_DEVTOOLS_GLOBAL_HOOK__.inject({})
  assert.ok(!other.isAttached())
})

test('what is a component', () => {
  const refresh = new ReactRefresh({})
  class Plain {
    method() {}
  }
  class View {}
  View.prototype.isReactComponent = {}
  const memo = { $$typeof: Symbol.for('react.memo'), type: () => {} }
  for (const value of [function View() {}, { View: () => {} }.View, View, memo]) assert.ok(refresh.isComponent(value), String(value))
  for (const value of [function helper() {}, Plain, {}, null, undefined, 'View', 7, { $$typeof: Symbol.for('react.context') }]) {
    assert.ok(!refresh.isComponent(value), String(value))
  }
})
