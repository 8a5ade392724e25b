/**
 * Which modules must be as their sources say, whatever else is wrong with a project: of these a tab that took updates may not
 * lag behind. Both model tests ask it (`e2e/model/health.mjs`).
 *
 *     entry m0 ─► m1 (throws), h2 ─► m3      h2 and m3 must be: h2 takes their updates. m0 runs again only with m1.
 *
 * `edges` (`from>to`) are imports that were there since all was well last: tabs may still run with these. `isWell`: the module's file
 * is there and good. `wasWell`: a tab has it for sure, as something that does not throw. `takesOwn`: it accepts its own updates.
 *
 * `current`: they are good, and nothing that runs again for them, or for what they import, runs a module that throws, or one that a
 * tab may never have had. What cannot be compiled or found holds nothing back: tabs have what it was. `whole`: nothing of that
 * ails at all, so that a tab which is opened now shows the same.
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
