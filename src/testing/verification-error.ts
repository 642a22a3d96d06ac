// What the kit throws when something is not as the test says. Test runners show `expected` and `actual` beside each other.

/** A test's expectation was not met; the message tells where and what. */
export class VerificationError extends Error {
  readonly expected: unknown
  readonly actual: unknown

  constructor(message: string, details: { readonly expected?: unknown; readonly actual?: unknown; readonly cause?: unknown } = {}) {
    super(message, 'cause' in details ? { cause: details.cause } : undefined)
    this.name = 'VerificationError'
    this.expected = details.expected
    this.actual = details.actual
  }
}
