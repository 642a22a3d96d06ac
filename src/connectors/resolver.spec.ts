import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { RecordingText, sinkSpec, sourceSpec } from '../../test/integration/connectors/support/reader-driver.ts'
import { nodeConnectors } from './node.ts'
import { portableConnectors } from './portable.ts'

const ports = { text: new RecordingText() }

describe('the resolvers', () => {
  it('make every connector that their entry has', () => {
    const sources = [
      sourceSpec('collection', { values: [] }),
      sourceSpec('iterable', { iterable: [] }),
      sourceSpec('generator', { generate: () => 0 }),
    ]
    const sinks = [sinkSpec('print'), sinkSpec('callback', { write: () => {} })]
    for (const resolver of [portableConnectors(ports), nodeConnectors(ports)]) {
      for (const spec of sources) assert.equal(typeof resolver.source(spec).open, 'function')
      for (const spec of sinks) assert.equal(typeof resolver.sink(spec).open, 'function')
    }
    const node = nodeConnectors(ports)
    assert.equal(typeof node.source(sourceSpec('file-lines', { path: 'a' })).open, 'function')
    assert.equal(typeof node.source(sourceSpec('stdin-lines')).open, 'function')
    assert.equal(typeof node.source(sourceSpec('socket-text', { host: 'h', port: 1 })).open, 'function')
    assert.equal(typeof node.sink(sinkSpec('file', { path: 'a' })).open, 'function')
  })

  it('give the implementation of a custom spec', () => {
    const source = { splits: () => [], open: () => assert.fail('not opened') }
    const sink = { open: () => assert.fail('not opened') }
    const resolver = portableConnectors(ports)
    assert.equal(resolver.source({ ...sourceSpec('custom'), implementation: source }), source)
    assert.equal(resolver.sink({ ...sinkSpec('custom'), implementation: sink }), sink)
    assert.throws(() => resolver.source(sourceSpec('custom')), /CONNECTOR_UNKNOWN: .*must carry its implementation/)
    assert.throws(() => resolver.sink(sinkSpec('custom')), /CONNECTOR_UNKNOWN: .*must carry its implementation/)
  })

  it('say which entry has a connector that this one lacks', () => {
    const resolver = portableConnectors(ports)
    assert.throws(() => resolver.source(sourceSpec('socket-text')), {
      message:
        "CONNECTOR_UNKNOWN: the socket-text: 'millrace/browser' has no source named socket-text (it has collection, iterable, generator); it needs Node: import from 'millrace' instead",
    })
    assert.throws(
      () => resolver.sink(sinkSpec('file')),
      /'millrace\/browser' has no sink named file .*import from 'millrace'/,
    )
  })

  it('refuse a name that nobody has, also one that every object has', () => {
    const resolver = nodeConnectors(ports)
    assert.throws(
      () => resolver.source(sourceSpec('kafak')),
      /CONNECTOR_UNKNOWN: .*no source named kafak .*no entry of Millrace has it/,
    )
    assert.throws(() => resolver.source(sourceSpec('toString')), /CONNECTOR_UNKNOWN/)
    assert.throws(() => resolver.sink(sinkSpec('constructor')), /CONNECTOR_UNKNOWN/)
  })

  it('of the portable connectors import nothing of Node, nor any package', () => {
    const seen = importsFrom(new URL('./portable.ts', import.meta.url), new Map())
    assert.ok(seen.size >= 12, `${seen.size} modules were seen`)
    assert.ok([...seen.keys()].some(url => url.endsWith('/generator/generator-source.ts')))
    assert.deepEqual([...seen.values()].flat(), [])
    const ofNode = importsFrom(new URL('./node.ts', import.meta.url), new Map())
    assert.ok([...ofNode.values()].flat().includes('node:net'), 'the walk finds imports of Node where there are some')
  })
})

/** All modules reached from one, each with its imports that are not relative. */
function importsFrom(url: URL, seen: Map<string, string[]>): Map<string, string[]> {
  if (seen.has(url.href)) return seen
  const targets = [...readFileSync(url, 'utf8').matchAll(/^(?:import|export|\}) [^;]*?from '([^']+)'$/gm)].map(
    match => match[1],
  )
  seen.set(
    url.href,
    targets.filter(target => !target.startsWith('.')),
  )
  for (const target of targets) if (target.startsWith('.')) importsFrom(new URL(target, url), seen)
  return seen
}
