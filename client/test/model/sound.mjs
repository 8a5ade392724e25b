/**
 * Which modules must match their sources although others are broken: in these a tab that took updates must not lag behind. Both
 * model tests use it (the other one in `e2e/model/health.mjs`).
 *
 *     entry m0 ─► m1 (throws), h2 ─► m3
 *
 * h2 and m3 must match: h2 accepts the updates of both. m0 runs again only together with m1.
 *
 * `edges` (`from>to`): all imports since the project was last whole; tabs may still run with any of them. `isWell`: the file
 * exists and is good. `wasWell`: every tab has an earlier version, and that does not throw. `takesOwn`: it accepts its own
 * updates.
 *
 * `current`: good modules whose update, like that of anything they import, runs no module that throws or that a tab may never
 * have had. A module that cannot be compiled or found holds nothing back, since tabs keep its last version. `whole`: the same,
 * where nothing involved is broken, so that a fresh tab shows the same.
 */
export function sound(ids, edges, { isWell, wasWell, takesOwn }) {
  const [below, above] = [new Map(), new Map()]
  for (const [from, to] of [...edges].map((edge) => edge.split('>'))) {
    below.set(from, [...(below.get(from) ?? []), to])
    above.set(to, [...(above.get(to) ?? []), from])
  }
  const reach = (from, next) => {
    const reached = new Set(from)
    for (const id of reached) for (const one of next(id)) reached.add(one)
    return [...reached]
  }
  const belowOf = (from) => reach(from, (id) => below.get(id) ?? [])
  const again = (id) => reach([id], (one) => (takesOwn(one) ? [] : (above.get(one) ?? [])))
  const isSound = (can) => (id) => isWell(id) && belowOf([id]).every((dep) => belowOf(again(dep)).every(can))
  return { current: new Set(ids.filter(isSound((id) => isWell(id) || wasWell(id)))), whole: new Set(ids.filter(isSound(isWell))) }
}
