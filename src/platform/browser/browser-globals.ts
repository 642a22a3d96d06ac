// The few globals of a browser that this folder uses, declared here because the project compiles without the DOM's types.

/** One end of a message channel. */
export interface MessagePortLike {
  onmessage: ((event: unknown) => void) | null
  postMessage(message: unknown): void
}

/** What is used of `globalThis` in a browser or a web worker. */
export interface BrowserGlobals {
  readonly MessageChannel: new () => { readonly port1: MessagePortLike; readonly port2: MessagePortLike }
  setTimeout(task: () => void, delayMs: number): unknown
  clearTimeout(timer: unknown): void
  readonly console: Readonly<Record<'debug' | 'info' | 'warn' | 'error' | 'log', (text: string) => void>>
}

/** The globals, looked up at each use: a page may replace them. */
export function browserGlobals(): BrowserGlobals {
  return globalThis as unknown as BrowserGlobals
}
