/**
 * Runs the bodies of linked instances, in post-order, by the rules of ECMA-262 section 16.2.1.5.3.
 *
 *     evaluate([b, a])           runs b, then a; returns a promise only if one of them waits for something
 *
 * A module that awaits at its top level lets those run that do not import it; its importers wait. A CommonJS module that is only
 * required runs when `require` is called.
 */
import { Commonjs, setCommonjsNamespace } from './commonjs'
import { modulesOf, requiredBy, staticDepsOf } from './definition'
import type { ModuleGraph } from './graph'
import { blankCommonjs, type Host, type Instance, type Namespace } from './instance'
import type { Linker } from './link'

export class Evaluator {
  private readonly commonjs: Commonjs
  /** Evaluations that wait for something. */
  private waiting = 0
  /** Evaluations that have begun. */
  private ran = 0

  constructor(
    private readonly graph: ModuleGraph,
    private readonly linker: Linker,
    private readonly host: Host,
  ) {
    this.commonjs = new Commonjs(graph, (dep, by) => this.runRequired(dep, by))
  }

  /**
   * Runs the bodies of `order`. If one throws, those after it are taken away, and so are the instances of `made` that are only
   * required: whoever imports them later starts them anew.
   */
  evaluate(order: Instance[], made: Instance[]): Promise<void> | undefined {
    const waiting: Promise<void>[] = []
    for (const [at, instance] of order.entries()) {
      if (instance.state !== 'linked') continue // A `require` has run it already.
      const before = this.pendingDeps(instance)
      if (before.length > 0) {
        instance.state = 'evaluating'
        instance.done = this.unlessGivenUp(instance, Promise.all(before).then(() => this.evaluateLate(instance)))
      } else {
        try {
          instance.done = this.evaluateOne(instance) ?? null
        } catch (error) {
          for (const unreached of order.slice(at + 1)) if (unreached.state === 'linked') this.graph.remove(unreached.id)
          for (const required of made) if (required.deferred) this.graph.remove(required.id)
          this.failCycles(order.slice(0, at), error)
          throw error
        }
      }
      if (!instance.done) continue
      this.waiting += 1
      instance.waitsSince = performance.now()
      const settled = () => void (this.waiting -= 1)
      instance.done.catch((error: unknown) => this.fail(instance, error)).then(settled)
      waiting.push(instance.done)
    }
    return waiting.length > 0 ? Promise.all(waiting).then(() => undefined) : undefined
  }

  /** A cycle of which one module failed has failed as a whole, including the modules that ran (ECMA-262 section 16.2.1.5.3). */
  private failCycles(ran: Instance[], error: unknown): void {
    for (const instance of ran) {
      const last = this.graph.instances.get(instance.cycle)
      if (!last || last.state === 'failed') this.fail(instance, error)
    }
  }

  /**
   * The evaluations that an instance must wait for. A dependency in another cycle is done when the last module of that cycle is.
   * A dependency in the same cycle is waited for by itself. So is each dependency of a copy that replaced another one, since it may
   * belong to a cycle that is still waiting.
   */
  private pendingDeps(instance: Instance): Promise<void>[] {
    const pending: Promise<void>[] = []
    if (this.waiting === 0) return pending
    const through = [instance]
    for (const importer of through) {
      for (const link of staticDepsOf(importer.definition)) {
        const dep = typeof link === 'string' ? this.graph.instances.get(link) : undefined
        if (!dep) continue
        if (dep.deferred) {
          // `require` cannot wait. It may be called at once, so what the required module imports must be done by then.
          if (!through.includes(dep)) through.push(dep)
          continue
        }
        const last = instance.replaced || dep.cycle === instance.cycle ? dep : this.graph.lastOfCycle(dep)
        if (last.done && last.state === 'evaluating' && last !== instance) pending.push(last.done)
      }
    }
    return pending
  }

  /**
   * Runs an instance that has waited for its dependencies. Meanwhile its update may have been rolled back, or another copy may
   * have replaced it or one of the dependencies.
   */
  private evaluateLate(instance: Instance): Promise<void> | undefined {
    if (this.graph.instances.get(instance.id) !== instance) return undefined
    const before = this.pendingDeps(instance)
    if (before.length > 0) return Promise.all(before).then(() => this.evaluateLate(instance))
    return this.evaluateOne(instance)
  }

  private evaluateOne(instance: Instance): Promise<void> | undefined {
    instance.state = 'evaluating'
    instance.deferred = false
    instance.ran = ++this.ran
    try {
      if (instance.cjs) {
        this.evaluateCommonjs(instance)
      } else {
        if (this.linker.hasOpenDep(instance)) this.linker.relink(instance)
        const step = instance.generator!.next()
        if (step instanceof Promise) return step.then(() => this.succeed(instance))
        if (!step.done) return this.resume(instance, step).then((hasEnded) => (hasEnded ? this.succeed(instance) : undefined))
      }
    } catch (error) {
      this.fail(instance, error)
      throw error
    }
    this.succeed(instance)
    return undefined
  }

  /**
   * Goes on with a module at its top-level await. The compiler turns `await` into `yield`, so that a body begins synchronously;
   * each value that is yielded is awaited here. False if another copy has replaced this one meanwhile.
   */
  private async resume(instance: Instance, step: IteratorResult<unknown>): Promise<boolean> {
    const generator = instance.generator as Generator
    while (!step.done) {
      const settling = Promise.resolve(step.value).then((value) => ({ value }), (error: unknown) => ({ error }))
      const settled = await this.unlessGivenUp(instance, settling)
      if (!settled) return false
      if (this.graph.instances.get(instance.id) !== instance) {
        await this.unlessGivenUp(instance, new Promise<void>((go) => (instance.unpark = go)))
        if (instance.isGivenUp) return false
      }
      step = 'error' in settled ? generator.throw(settled.error) : generator.next(settled.value)
    }
    return true
  }

  /** The result of `wait`, or undefined as soon as the instance is given up. */
  private unlessGivenUp<T>(instance: Instance, wait: Promise<T>): Promise<T | undefined> {
    if (instance.isGivenUp) return Promise.resolve(undefined)
    const end = new Promise<undefined>((done) => (instance.end = () => done(undefined)))
    return Promise.race([end, wait])
  }

  private succeed(instance: Instance): void {
    instance.state = 'evaluated'
    instance.done = null
    instance.generator = null
    instance.before = null
    this.host.evaluated?.(instance)
  }

  fail(instance: Instance, error: unknown): void {
    instance.state = 'failed'
    instance.error = error
    instance.generator = null
    instance.before = null
  }

  // ---- require

  private evaluateCommonjs(instance: Instance): void {
    const module = instance.cjs!
    setCommonjsNamespace(instance)
    const run = instance.definition.factory as (...parameters: unknown[]) => void
    run.call(module.exports, module, module.exports, this.commonjs.requireOf(instance), this.host.runtimeOf(instance))
    module.loaded = true
    setCommonjsNamespace(instance)
    // In a cycle, importers have begun to run before these exports were known.
    for (const id of this.graph.importers.get(instance.id) ?? []) {
      const importer = this.graph.instances.get(id)
      if (importer && !importer.cjs && importer.ran > instance.ran) this.linker.relink(importer)
    }
  }

  /** The namespace of what a CommonJS module imports with `import`; runs it if it has not run. */
  imported(instance: Instance, at: number): Namespace {
    for (const id of modulesOf(instance.definition.links[at])) this.runRequired(this.graph.instances.get(id)!, instance)
    return this.linker.namespaceOfDep(instance, at)
  }

  /** The result of `require` for dependency `at` of an ES module. */
  requiredAt(instance: Instance, at: number): unknown {
    return this.commonjs.requireOf(instance)(instance.definition.meta.deps[at]!)
  }

  private runRequired(dep: Instance, by: Instance): void {
    if (dep.state === 'failed') throw dep.error
    if (dep.state !== 'linked') return
    for (const instance of this.importedBy(dep, ({ state }) => state === 'linked')) {
      if (instance.state !== 'linked') continue
      const { deferred } = instance
      let pending
      try {
        pending = this.evaluateOne(instance)
      } catch (error) {
        // The next `require` runs the module again, as in Node.
        if (instance.cjs) Object.assign(instance, { state: 'linked', deferred, cjs: blankCommonjs(instance.id) })
        throw error
      }
      if (!pending) continue
      pending.catch((error: unknown) => this.fail(instance, error))
      throw new Error(`${instance.id} awaits at its top level, so it cannot be required (by ${by.id})`)
    }
  }

  /** `root` and what it imports, in post-order, without what is only required. The walk enters only instances that are `wanted`. */
  importedBy(root: Instance, wanted: (instance: Instance) => boolean): Instance[] {
    const depsOf = ({ cjs, definition }: Instance) => {
      if (cjs) return []
      const deps = staticDepsOf(definition)
      return definition.meta.requires ? deps.slice(0, deps.length - requiredBy(definition.meta, definition.links).length) : deps
    }
    const found: Instance[] = []
    const seen = new Set([root])
    const stack = [{ instance: root, deps: depsOf(root), next: 0 }]
    for (let top; (top = stack.at(-1));) {
      if (top.next === top.deps.length) {
        stack.pop()
        found.push(top.instance)
        continue
      }
      const link = top.deps[top.next++]
      const dep = typeof link === 'string' ? this.graph.instances.get(link) : undefined
      if (!dep || seen.has(dep) || !wanted(dep)) continue
      seen.add(dep)
      stack.push({ instance: dep, deps: depsOf(dep), next: 0 })
    }
    return found
  }
}
