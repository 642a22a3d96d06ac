// The order of numbers that aggregations and their columns share.

/** True when the first number is less than the second; NaN is greater than every other number, as in Flink and in SQL's databases. */
export function isLess(a: number, b: number): boolean {
  return a < b || (Number.isNaN(b) && !Number.isNaN(a))
}
