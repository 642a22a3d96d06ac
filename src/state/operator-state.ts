// The declared state of an operator that belongs to no key: a list of elements in each subtask, and a part of snapshots for each.
import { ByteWriter } from '../base/byte-writer.ts'
import { StreamError } from '../base/errors.ts'
import type { OperatorState, OperatorStateDescriptor, OperatorStateDescriptors } from '../model/operator-state.ts'
import { readValue, writeValue } from '../serde/value-codec.ts'
import { RowPart } from './row-part.ts'
import type { PartRestorer, PartSchema, StatePart } from './state-part.ts'
import { stateProblems } from './state-problems.ts'
import { namingState, ValueForm } from './value-form.ts'

/** The names of its parts begin with this: no other part has such a name. */
export const OPERATOR_STATE_PREFIX = 'operator-state/'

/** The state without key of one operator in one subtask. */
export class OperatorStates {
  /** The handles by declared name. */
  readonly handles: Readonly<Record<string, OperatorState<unknown>>>
  /** A part for each declared state. */
  readonly parts: readonly StatePart[]

  constructor(descriptors: OperatorStateDescriptors) {
    const states = Object.entries(descriptors).map(([name, descriptor]) => new ElementState(name, descriptor))
    this.handles = Object.freeze(Object.fromEntries(states.map(state => [state.name, state])))
    this.parts = states.map(({ part }) => part)
  }
}

const LAYOUT = 'elements'

class ElementState implements OperatorState<unknown> {
  readonly name: string
  readonly part: StatePart
  private readonly descriptor: OperatorStateDescriptor
  private readonly form: ValueForm
  private elements: unknown[] = []

  constructor(name: string, descriptor: OperatorStateDescriptor) {
    this.name = name
    this.descriptor = descriptor
    this.form = new ValueForm(name, descriptor)
    this.part = new RowPart({
      name: `${OPERATOR_STATE_PREFIX}${name}`,
      kind: descriptor.kind === 'operator-list' ? 'list' : 'union',
      schema: { layout: LAYOUT, states: [this.form.state] },
      payloads: () => this.payloads(),
      restorer: schema => this.restorer(schema),
    })
  }

  get(): readonly unknown[] {
    return this.elements
  }

  add(element: unknown): void {
    this.elements.push(element)
  }

  set(elements: readonly unknown[]): void {
    this.elements = [...elements]
  }

  clear(): void {
    this.elements = []
  }

  private payloads(): readonly Uint8Array[] {
    const out = new ByteWriter()
    try {
      return this.elements.map(element => {
        out.reset()
        writeValue(out, this.form.encode(element))
        return out.copy()
      })
    } catch (error) {
      throw namingState(error, `operator state "${this.name}"`)
    }
  }

  private restorer(written: PartSchema): PartRestorer {
    const [state] = written.states
    const { problems } = stateProblems(written, { [this.name]: this.descriptor })
    if (state === undefined || problems.length > 0) {
      const text = problems.join('\n') || `the snapshot holds ${written.layout} for operator state "${this.name}"`
      throw new StreamError('STATE_INCOMPATIBLE', text)
    }
    const decode = this.form.decoder(state)
    return { row: (_keyGroup, _identity, payload) => this.elements.push(decode(readValue(payload))) }
  }
}
