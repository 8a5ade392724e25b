/** Numbers that follow from a seed: the same seed, the same sequence, on every machine. */
export class Random {
  constructor(seed) {
    this.state = (seed * 0x9e3779b9 + 0x7f4a7c15) >>> 0
    for (let i = 0; i < 4; i++) this.next()
  }

  /** mulberry32: in [0, 1). */
  next() {
    this.state = (this.state + 0x6d2b79f5) >>> 0
    let t = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }

  /** One of 0 … `end` - 1. */
  below(end) {
    return Math.floor(this.next() * end)
  }

  chance(part) {
    return this.next() < part
  }

  pick(list) {
    return list[this.below(list.length)]
  }

  /** One of the keys of `{ name: weight }`. */
  weighted(weights) {
    const entries = Object.entries(weights)
    let left = this.next() * entries.reduce((sum, [, weight]) => sum + weight, 0)
    for (const [name, weight] of entries) {
      left -= weight
      if (left < 0) return name
    }
    return entries.at(-1)[0]
  }

  shuffle(list) {
    const all = [...list]
    for (let at = all.length - 1; at > 0; at--) {
      const other = this.below(at + 1)
      ;[all[at], all[other]] = [all[other], all[at]]
    }
    return all
  }
}
