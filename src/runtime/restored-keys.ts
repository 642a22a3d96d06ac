// Looks whether the keys of records are of the kind that state was restored under: a key selector that was changed, and that nobody could
// compare when the job started, leaves state that no record meets. It looks at the first record alone.
import type { ByteReader } from '../base/byte-reader.ts'
import { preview } from '../base/errors.ts'
import type { Logger } from '../base/logger.ts'
import type { Vertex } from '../model/graph.ts'
import { stepText } from '../model/step-text.ts'
import { readValue } from '../serde/value-codec.ts'

/** So many restored keys are looked at: the others are hardly different. */
const KEYS_LOOKED_AT = 1000

/** The keys of one step in one subtask, restored and first seen. */
export class RestoredKeys {
  private readonly vertex: Vertex
  private readonly logger: Logger
  private readonly types = new Set<string>()
  private example: unknown = undefined
  private lookedAt = 0
  private isCompared = false

  constructor(vertex: Vertex, logger: Logger) {
    this.vertex = vertex
    this.logger = logger
  }

  /** Looks at the key of a row, which its identity begins with; the reader stays where it is. */
  noteRow(identity: ByteReader): void {
    if (this.lookedAt >= KEYS_LOOKED_AT) return
    this.lookedAt++
    const { position } = identity
    this.example = readValue(identity)
    identity.position = position
    this.types.add(typeText(this.example))
  }

  /** A function that takes keys as the given one does, and compares the first of them. */
  watch(keyOf: (record: never) => unknown): (record: never) => unknown {
    let isFirst = true
    return record => {
      const key = keyOf(record)
      if (isFirst) {
        isFirst = false
        this.compare(key)
      }
      return key
    }
  }

  private compare(key: unknown): void {
    if (this.isCompared) return
    this.isCompared = true
    const [restored] = this.types
    const found = typeText(key)
    if (this.types.size !== 1 || restored === found) return
    const what = `its state was restored under keys of type ${restored}, such as ${preview(this.example)}, and the first record has a key of type ${found}, ${preview(key)}, so that it does not meet that state`
    const mend = 'if its key was changed, keep it as it was, or give the step another uid()'
    this.logger.log('warn', `${stepText(this.vertex)}: ${what}; ${mend}`)
  }
}

/** The type of a key in words: `number`, `[string, number]`. */
function typeText(key: unknown): string {
  if (Array.isArray(key)) return `[${key.map(typeText).join(', ')}]`
  return key === null ? 'null' : typeof key
}
