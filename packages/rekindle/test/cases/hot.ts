import './dep.js'

const hot = import.meta.hot
if (hot) {
  hot.accept()
  hot.accept((mod) => mod?.default.whatever())
  hot.accept('./dep.js', (mod) => mod?.x)
  hot.accept(['./dep.js', './other.js'], ([dep, other]) => [dep?.x, other?.y])
  hot.accept(['./dep.js'] as const, (mods) => mods.length)
  hot.acceptExports('x')
  hot.acceptExports(['x', 'y'], (mod) => mod?.x)
  hot.dispose((data) => void (data.timer = 1))
  hot.dispose(async () => {})
  hot.prune(() => {})
  hot.invalidate()
  hot.invalidate('cannot take this')
  const nothing: void = hot.accept()
  void nothing

  // @ts-expect-error a dependency needs its callback
  hot.accept('./dep.js')
  // @ts-expect-error so does a list
  hot.accept(['./dep.js'])
  // @ts-expect-error the module may be missing
  hot.accept((mod) => mod.x)
  // @ts-expect-error an element may be undefined
  hot.accept(['./dep.js'], ([dep]) => dep.x)
  // @ts-expect-error a dependency is a string
  hot.accept(1)
  // @ts-expect-error a disposer is needed
  hot.dispose()
  // @ts-expect-error `decline` does not exist
  hot.decline()
  // @ts-expect-error `data` is read-only
  hot.data = {}
  // @ts-expect-error the message is a string
  hot.invalidate(new Error('no'))
}

// @ts-expect-error `hot` is undefined in a build
import.meta.hot.accept()

export {}
