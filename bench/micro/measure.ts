// What the micro-benchmarks share: the rate of a loop in CPU seconds, the best of some passes after a warm-up.

const PASSES = 4

/** Prints million operations per CPU second; the function returns something that depends on all its work. */
export function measure(name: string, operations: number, pass: () => unknown): void {
  let best = 0
  for (let i = 0; i < PASSES; i++) {
    const before = process.cpuUsage()
    pass()
    const { user, system } = process.cpuUsage(before)
    if (i > 0) best = Math.max(best, operations / (user + system))
  }
  console.log(`${name.padEnd(48)} ${best.toFixed(1)} M per CPU second`)
}
