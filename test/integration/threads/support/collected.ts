// What callback sinks of the jobs in these tests are given. They run in the main thread, which has this module once.

/** The records of the job that runs now, as text. */
export const collected: string[] = []
