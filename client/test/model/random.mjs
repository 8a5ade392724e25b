/** Random numbers that a seed repeats. */
export class Random {
  constructor(seed) {
    this.state = (Math.imul(seed, 0x9e3779b1) ^ 0x5bd1e995) >>> 0
    for (let round = 0; round < 4; round++) this.next()
  }

  /** A number in [0, 1), by mulberry32. */
  next() {
    this.state = (this.state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(this.state ^ (this.state >>> 15), this.state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }

  below(limit) {
    return Math.floor(this.next() * limit)
  }

  from(low, high) {
    return low + this.below(high - low + 1)
  }

  chance(share) {
    return this.next() < share
  }

  pick(list) {
    return list[this.below(list.length)]
  }

  /** Picks a name of `{ name: weight }`. */
  weighted(weights) {
    const names = Object.keys(weights)
    let at = this.next() * names.reduce((sum, name) => sum + weights[name], 0)
    for (const name of names) if ((at -= weights[name]) < 0) return name
    return names.at(-1)
  }

  shuffled(list) {
    const all = [...list]
    for (let at = all.length - 1; at > 0; at--) {
      const other = this.below(at + 1)
      ;[all[at], all[other]] = [all[other], all[at]]
    }
    return all
  }
}
