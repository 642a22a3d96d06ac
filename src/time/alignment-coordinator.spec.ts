import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { AlignmentCoordinator, type AlignmentMember } from './alignment-coordinator.ts'

function members(count: number, maxDriftMs = 10): AlignmentMember[] {
  const coordinator = new AlignmentCoordinator()
  return Array.from({ length: count }, () => coordinator.join({ group: 'g', maxDriftMs }))
}

describe('aligned splits', () => {
  it('may be read at first, and wait for those that have no time yet', () => {
    const [a, b] = members(2) as [AlignmentMember, AlignmentMember]
    assert.deepEqual([a.isAhead, b.isAhead], [false, false])
    a.advance(0)
    assert.deepEqual([a.isAhead, b.isAhead], [true, false])
    b.advance(-5)
    assert.deepEqual([a.isAhead, b.isAhead], [false, false])
  })

  it('wait when they are ahead by more than the drift, not at the drift', () => {
    const [a, b] = members(2) as [AlignmentMember, AlignmentMember]
    a.advance(100)
    b.advance(90)
    assert.equal(a.isAhead, false)
    a.advance(101)
    assert.equal(a.isAhead, true)
  })

  it('are called back once, when the slowest has caught up', () => {
    const [a, b] = members(2) as [AlignmentMember, AlignmentMember]
    let calls = 0
    a.advance(100)
    a.whenCaughtUp(() => calls++)
    b.advance(50)
    assert.equal(calls, 0)
    b.advance(90)
    assert.equal(calls, 1)
    b.advance(95)
    assert.equal(calls, 1)
  })

  it('are not held back by idle ones and by ended ones', () => {
    const [a, b, c] = members(3) as [AlignmentMember, AlignmentMember, AlignmentMember]
    let calls = 0
    a.advance(100)
    a.whenCaughtUp(() => calls++)
    b.setIdle(true)
    assert.equal(calls, 0)
    c.end()
    assert.deepEqual([calls, a.isAhead], [1, false])
    b.setIdle(false)
    assert.equal(a.isAhead, true)
    b.setIdle(true)
    b.end()
    assert.equal(a.isAhead, false)
  })

  it('wait again when an idle one comes back from behind', () => {
    const [a, b] = members(2) as [AlignmentMember, AlignmentMember]
    b.advance(0)
    b.setIdle(true)
    a.advance(100)
    assert.equal(a.isAhead, false)
    b.setIdle(false)
    assert.equal(a.isAhead, true)
  })

  it('go by their own drift and know nothing of other groups', () => {
    const coordinator = new AlignmentCoordinator()
    const [strict, loose] = [1, 100].map(maxDriftMs =>
      coordinator.join({ group: 'g', maxDriftMs }),
    ) as AlignmentMember[]
    const slow = coordinator.join({ group: 'g', maxDriftMs: 1 })
    const other = coordinator.join({ group: 'other', maxDriftMs: 1 })
    slow.advance(0)
    strict?.advance(50)
    loose?.advance(50)
    other.advance(1e9)
    assert.deepEqual([strict?.isAhead, loose?.isAhead, other.isAhead], [true, false, false])
  })

  it('agree with their definition, always leave one that may go on, and wake all that may', () => {
    const change = fc.record({
      member: fc.nat(4),
      kind: fc.oneof(
        { weight: 8, arbitrary: fc.constant('read' as const) },
        { weight: 2, arbitrary: fc.constantFrom('idle' as const, 'active' as const) },
        { weight: 1, arbitrary: fc.constant('end' as const) },
      ),
      byMs: fc.nat(40),
    })
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5 }),
        fc.nat(20),
        fc.array(change, { maxLength: 80 }),
        (count, drift, changes) => {
          const all = members(count, drift)
          const model = all.map(() => ({ watermark: -Infinity, state: 'active', isWaiting: false }))
          for (const { member: pick, kind, byMs } of changes) {
            const index = pick % count
            const member = all[index] as AlignmentMember
            const own = model[index] as (typeof model)[number]
            if (own.state === 'ended') continue
            if (kind === 'end') own.state = 'ended'
            if (kind === 'idle' || kind === 'active') own.state = kind
            if (kind === 'end') member.end()
            else if (kind !== 'read') member.setIdle(kind === 'idle')
            else if (member.isAhead) {
              // As a source does: what is ahead is not read, and asks to be called back.
              own.isWaiting = true
              member.whenCaughtUp(() => {
                own.isWaiting = false
              })
            } else {
              own.watermark = Math.max(own.watermark, 0) + byMs
              member.advance(own.watermark)
            }
            const active = model.filter(({ state }) => state === 'active')
            const minimum = Math.min(...active.map(({ watermark }) => watermark))
            for (const [position, { watermark, state, isWaiting }] of model.entries()) {
              if (state === 'ended') continue
              assert.equal(all[position]?.isAhead, watermark > minimum + drift)
              if (isWaiting) assert.ok(watermark > minimum + drift, 'who waits is ahead: nobody sleeps who may read')
            }
            // The smallest active one is never ahead: somebody can always go on.
            if (active.length > 0) {
              assert.ok(model.some(({ state }, position) => state === 'active' && all[position]?.isAhead === false))
            }
          }
        },
      ),
      { numRuns: 1000 },
    )
  })
})
