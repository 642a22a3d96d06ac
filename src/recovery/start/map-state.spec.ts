import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import { StreamError } from '../../base/errors.ts'
import type { Graph, Vertex } from '../../model/graph.ts'
import { fieldSelector, functionSelector, type KeySelector, tupleSelector } from '../../model/key.ts'
import type { OperatorSpec } from '../../model/operator-spec.ts'
import { list, map, type StateDescriptors, value } from '../../model/state.ts'
import type { PartKind, StateSchema } from '../../state/state-part.ts'
import type { Manifest, ManifestOperator, ManifestPart } from '../snapshot/manifest.ts'
import { applyRenames, mapState, requireStartable } from './map-state.ts'

function keyed(state: StateDescriptors): OperatorSpec {
  return { kind: 'keyed-process', function: { state, process: () => {} } as never }
}

function vertex(uid: string, operator: OperatorSpec, more: Partial<Vertex> = {}): Vertex {
  const fixed = {
    id: 0,
    isUidDerived: false,
    placement: 'any',
    chaining: 'allowed',
    keySelectors: [],
    location: undefined,
  }
  return {
    ...(fixed as unknown as Vertex),
    uid,
    name: `step ${uid}`,
    operator,
    parallelism: 2,
    maxParallelism: 128,
    ...more,
  }
}

function graph(...vertices: Vertex[]): Graph {
  return { name: 'job', vertices, edges: [] }
}

function part(
  name: string,
  more: { kind?: PartKind; layout?: string; states?: StateSchema[]; rows?: number } = {},
): ManifestPart {
  const { kind = 'keyed', layout = 'slots', states = [], rows = 5 } = more
  const ref = { file: 'f', bytes: 1, checksum: 1, place: 0, subtask: 0, parallelism: 2, isFull: true, groups: [], rows }
  return { name, kind, segments: [{ ...ref, schema: { layout, states } }] }
}

function state(name: string, more: Partial<StateSchema> = {}): StateSchema {
  return { name, kind: 'value', codec: 'tagged', version: 0, ...more }
}

function operator(uid: string, parts: ManifestPart[], more: Partial<ManifestOperator> = {}): ManifestOperator {
  const fixed = {
    isUidDerived: false,
    kind: 'keyed-process',
    parallelism: 2,
    maxParallelism: 128,
    finishedSubtasks: [],
  }
  return { ...fixed, uid, name: `old ${uid}`, parts, ...more }
}

function manifest(...operators: ManifestOperator[]): Manifest {
  const fixed = {
    format: 1,
    job: 'job',
    kind: 'checkpoint',
    id: 7,
    triggeredMs: 0,
    completedMs: 1,
    graphHash: '',
  } as const
  return { ...fixed, operators }
}

/** The statuses of steps, and of their states, as `uid: status (state status, ...)`. */
function outline(mapping: ReturnType<typeof mapState>): string[] {
  return mapping.steps.map(({ uid, status, states }) => {
    const each = states.map(({ name, status: of }) => `${name} ${of}`).join(', ')
    return each === '' ? `${uid}: ${status}` : `${uid}: ${status} (${each})`
  })
}

function refusal(mapping: ReturnType<typeof mapState>): StreamError {
  try {
    requireStartable(mapping)
  } catch (error) {
    assert.ok(error instanceof StreamError, String(error))
    return error
  }
  return assert.fail('it may start')
}

describe('mapState', () => {
  test('keeps what is declared as it was, and finds what is new', () => {
    const job = graph(
      vertex('a', keyed({ count: value(0), seen: map<string, number>(), more: list<number>() })),
      vertex('b', keyed({ last: value<number>() })),
      vertex('m', { kind: 'transform', shape: 'map', function: r => r }),
    )
    const states = [state('count'), state('seen', { kind: 'map' })]
    const mapping = mapState(manifest(operator('a', [part('state', { states })])), job)
    assert.deepEqual(outline(mapping), ['a: kept (count kept, seen kept, more new)', 'b: new (last new)'])
    assert.deepEqual([mapping.problems, mapping.warnings], [[], []])
    requireStartable(mapping)
  })

  test('migrates older versions with migrate() alone, and refuses newer ones', () => {
    const versioned = (version: number, migrate?: unknown): StateDescriptors =>
      ({ count: { ...value(0), version, migrate } }) as StateDescriptors
    const snapshot = manifest(operator('a', [part('state', { states: [state('count', { version: 2 })] })]))
    const migrated = mapState(snapshot, graph(vertex('a', keyed(versioned(3, () => 0)))))
    assert.deepEqual(migrated.steps[0]?.states, [{ name: 'count', status: 'migrated', fromVersion: 2, toVersion: 3 }])
    assert.equal(migrated.steps[0]?.status, 'migrated')
    assert.deepEqual(migrated.problems, [])
    const without = refusal(mapState(snapshot, graph(vertex('a', keyed(versioned(3))))))
    assert.equal(without.code, 'STATE_INCOMPATIBLE')
    assert.match(without.message, /version 3 and was written with 2; declare migrate/)
    const newer = refusal(mapState(snapshot, graph(vertex('a', keyed(versioned(1, () => 0))))))
    assert.match(newer.message, /newer version/)
  })

  test('refuses other kinds and codecs', () => {
    const snapshot = manifest(
      operator('a', [part('state', { states: [state('count', { kind: 'list' })] })]),
      operator('b', [part('state', { states: [state('count', { codec: 'avro' })] })]),
    )
    const job = graph(vertex('a', keyed({ count: value(0) })), vertex('b', keyed({ count: value(0) })))
    const error = refusal(mapState(snapshot, job))
    assert.equal(error.code, 'STATE_INCOMPATIBLE')
    assert.match(
      error.message,
      /cannot start from snapshot 7 of "job", for 2 reasons:\n {2}1\. .*"count".*\n {2}2\. .*avro/,
    )
    const allowed = mapState(snapshot, job, { allowUnmapped: true })
    assert.equal(allowed.problems.length, 2, 'what is there and cannot be read is no unmapped state')
  })

  test('finds what an older segment was written with as well', () => {
    const old = part('state', { states: [state('count', { kind: 'list' })] })
    const recent = part('state', { states: [state('count')] })
    const both = { ...recent, segments: [...old.segments, ...recent.segments] }
    const mapping = mapState(manifest(operator('a', [both])), graph(vertex('a', keyed({ count: value(0) }))))
    assert.deepEqual(outline(mapping), ['a: incompatible (count incompatible)'])
  })

  test('refuses to drop a step or a state unless that is allowed', () => {
    const snapshot = manifest(
      operator('a', [part('state', { states: [state('count'), state('old')] })]),
      operator('gone', [part('accumulators', { layout: 'accumulators' })], { kind: 'rolling' }),
    )
    const job = graph(vertex('a', keyed({ count: value(0) })))
    const refused = mapState(snapshot, job)
    assert.deepEqual(outline(refused), ['a: kept (count kept, old dropped)', 'gone: dropped'])
    assert.deepEqual(
      refused.problems.map(({ code, uid }) => [code, uid]),
      [
        ['STATE_UNMAPPED', 'a'],
        ['STATE_UNMAPPED', 'gone'],
      ],
    )
    assert.match(refusal(refused).message, /"old".*--allow-unmapped[\s\S]*"old gone" \(uid "gone"\).*--rename gone=UID/)
    const allowed = mapState(snapshot, job, { allowUnmapped: true })
    assert.deepEqual(outline(allowed), outline(refused))
    requireStartable(allowed)
  })

  test('misses nothing of a step that held nothing but its time', () => {
    const time = part('watermark', { kind: 'union', layout: 'watermark', rows: 1 })
    const snapshot = manifest(operator('print', [time, part('state', { rows: 0 })], { kind: 'sink' }))
    assert.deepEqual(mapState(snapshot, graph()).steps, [])
  })

  test('keeps the state of a function that got a second input, and not that of another kind of step', () => {
    const snapshot = manifest(operator('a', [part('state', { states: [state('count')] })]))
    const second: OperatorSpec = { kind: 'keyed-co-process', function: { state: { count: value(0) } } as never }
    assert.deepEqual(outline(mapState(snapshot, graph(vertex('a', second)))), ['a: kept (count kept)'])
    const rolling: OperatorSpec = { kind: 'rolling', aggregate: {} as never }
    const error = refusal(mapState(snapshot, graph(vertex('a', rolling))))
    assert.match(error.message, /was keyed-process "old a" and is rolling.*another uid/)
  })

  test('sees windows that are kept in another way', () => {
    const windows = (assigner: object, kind = 'aggregate'): OperatorSpec =>
      ({ kind: 'window', window: { assigner, function: { kind, function: {} } } }) as unknown as OperatorSpec
    const snapshot = manifest(operator('w', [part('windows', { layout: 'windows' })], { kind: 'window' }))
    const at = (spec: OperatorSpec) => mapState(snapshot, graph(vertex('w', spec)))
    assert.deepEqual(at(windows({ kind: 'tumbling' })).problems, [])
    assert.match(refusal(at(windows({ kind: 'session' }))).message, /holds windows, and it keeps sessions now/)
    assert.match(refusal(at(windows({ kind: 'tumbling' }, 'process'))).message, /window-elements/)
  })

  test('refuses to forget transactions that must be committed', () => {
    const transactions = part('transactions', { kind: 'list', layout: 'transactions' })
    const snapshot = manifest(operator('out', [transactions], { kind: 'sink' }))
    const sink = (delivery: string): OperatorSpec => ({ kind: 'sink', sink: { delivery } }) as unknown as OperatorSpec
    requireStartable(mapState(snapshot, graph(vertex('out', sink('transactional')))))
    assert.match(refusal(mapState(snapshot, graph(vertex('out', sink('at-least-once'))))).message, /to be committed/)
  })

  test('lets parallelism change, but not the number of key groups', () => {
    const snapshot = manifest(operator('a', [part('state', { states: [state('count')] })]))
    const spec = keyed({ count: value(0) })
    const wider = mapState(snapshot, graph(vertex('a', spec, { parallelism: 128 })))
    assert.deepEqual([wider.steps[0]?.fromParallelism, wider.steps[0]?.toParallelism, wider.problems], [2, 128, []])
    const error = refusal(mapState(snapshot, graph(vertex('a', spec, { maxParallelism: 256 }))))
    assert.equal(error.code, 'RESCALE_REFUSED')
    assert.match(error.message, /maxParallelism 256, and its state was written with 128.*set maxParallelism to 128/)
    const unkeyed = manifest(operator('s', [part('splits', { kind: 'list' })], { kind: 'source', maxParallelism: 64 }))
    const source = { kind: 'source', source: {} } as unknown as OperatorSpec
    assert.deepEqual(mapState(unkeyed, graph(vertex('s', source))).problems, [])
  })

  test('refuses to spread what is not partitioned', () => {
    const alone = part('whole', { kind: 'single' as PartKind })
    const snapshot = manifest(operator('a', [alone]))
    const error = refusal(mapState(snapshot, graph(vertex('a', keyed({}), { parallelism: 3 }))))
    assert.equal(error.code, 'RESCALE_REFUSED')
    assert.match(error.message, /"whole" is not partitioned.*set its parallelism to 2/)
    requireStartable(mapState(snapshot, graph(vertex('a', keyed({})))))
  })

  test('warns once of all uids that are derived, where there is state', () => {
    const snapshot = manifest(
      operator('a', [part('state')], { isUidDerived: true }),
      operator('b', [part('state')], { isUidDerived: true }),
      operator('c', [part('state', { rows: 0 })], { isUidDerived: true }),
    )
    const job = graph(...['a', 'b', 'c'].map(uid => vertex(uid, keyed({}), { isUidDerived: true })))
    const { warnings } = mapState(snapshot, job)
    assert.equal(warnings.length, 1)
    assert.match(warnings[0] ?? '', /"step a" \(a\), "step b" \(b\) is derived.*uid\(\)/)
  })
})

describe('applyRenames', () => {
  const snapshot = manifest(operator('a', [part('state')], { isUidDerived: true }), operator('b', []))

  test('gives steps other uids, all at once', () => {
    const swapped = applyRenames(snapshot, { a: 'b', b: 'a' })
    assert.deepEqual(
      swapped.operators.map(({ uid, name }) => [uid, name]),
      [
        ['b', 'old a'],
        ['a', 'old b'],
      ],
    )
    assert.equal(applyRenames(snapshot, {}), snapshot)
    const mapping = mapState(snapshot, graph(vertex('counts', keyed({}))), { renames: { a: 'counts' } })
    assert.deepEqual(outline(mapping), ['counts: kept'])
  })

  test('refuses names that the snapshot does not have, and two steps of one name', () => {
    const code = { code: 'OPTION_INVALID' }
    assert.throws(() => applyRenames(snapshot, { x: 'y' }), code)
    assert.throws(() => applyRenames(snapshot, { x: 'y' }), /holds no step "x"; it holds "a", "b"/)
    assert.throws(() => applyRenames(snapshot, { a: 'b' }), /the steps "a", "b" of the snapshot would both be "b"/)
    assert.throws(() => applyRenames(snapshot, { toString: 'y' }), code)
  })
})

describe('the keys of a step', () => {
  const byFunction = functionSelector(record => record)
  const counts = part('state', { states: [state('count')] })
  const compare = (keys: readonly (string | null)[] | undefined, ...keySelectors: KeySelector[]) => {
    const written = operator('a', [counts], keys === undefined ? {} : { keys })
    return mapState(manifest(written), graph(vertex('a', keyed({ count: value() }), { keySelectors })))
  }

  test('that are taken from the same fields are kept', () => {
    const tuple = tupleSelector(['city', 'day'])
    for (const { problems } of [
      compare(['user'], fieldSelector('user')),
      compare(['[city, day]'], tuple),
      compare(['user', null], fieldSelector('user'), byFunction),
    ])
      assert.deepEqual(problems, [])
  })

  test('that are taken from others are refused, with both and the mend', () => {
    const changed: readonly [string, KeySelector, string][] = [
      ['user', fieldSelector('account'), 'account'],
      ['user', tupleSelector(['user']), '[user]'],
      ['[city, day]', tupleSelector(['day', 'city']), '[day, city]'],
      ['[city, day]', fieldSelector('city'), 'city'],
    ]
    for (const [was, selector, is] of changed) {
      const mapping = compare([was], selector)
      assert.deepEqual(outline(mapping), ['a: incompatible (count kept)'])
      assert.throws(
        () => requireStartable(mapping),
        error =>
          error instanceof StreamError &&
          error.code === 'STATE_INCOMPATIBLE' &&
          error.message.includes(
            `step "step a" (uid "a"): its key was taken from ${was} and is taken from ${is}, so`,
          ) &&
          error.message.includes(
            'keep the key, or give the step another uid() and drop the old state (--allow-unmapped)',
          ),
      )
    }
  })

  test('are compared for each input', () => {
    const mapping = compare(['user', 'id'], fieldSelector('user'), fieldSelector('account'))
    assert.match(
      mapping.problems[0]?.message ?? '',
      /the key of its input 1 was taken from id and is taken from account/,
    )
    assert.equal(mapping.problems.length, 1)
    // A second input that is new has no state of its own.
    assert.deepEqual(compare(['user'], fieldSelector('user'), fieldSelector('account')).problems, [])
  })

  test('are not compared where a function takes them, or the snapshot does not say', () => {
    for (const { problems } of [
      compare(['user'], byFunction),
      compare([null], fieldSelector('user')),
      compare(undefined, fieldSelector('user')),
    ])
      assert.deepEqual(problems, [])
  })

  test('do not matter to a step without keyed state', () => {
    const operators = operator('a', [part('splits', { kind: 'list' })], { keys: ['user'] })
    const now = vertex('a', keyed({}), { keySelectors: [fieldSelector('account')] })
    assert.deepEqual(mapState(manifest(operators), graph(now)).problems, [])
  })
})
