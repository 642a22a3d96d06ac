import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { callerLocation, locationInStack, locationText } from './source-location.ts'

const ROOT = 'file:///app/node_modules/millrace/dist/'

/** A stack as V8 writes it, of which the first frames are the library's. */
function v8(...frames: readonly string[]): string {
  const own = [
    `callerLocation (${ROOT}base/source-location.js:20:17)`,
    `DataStreamNode.map (${ROOT}api/datastream/data-stream.js:5:7)`,
  ]
  return ['Error', ...[...own, ...frames].map(frame => `    at ${frame}`)].join('\n')
}

function place(stack: string, root = ROOT): string {
  const location = locationInStack(stack, root)
  return location === undefined ? 'nowhere' : `${location.file} ${location.line} ${location.column}`
}

describe('locationInStack', () => {
  it('finds the first frame of V8 that is not of the library', () => {
    const stack = v8('build (file:///app/src/job.ts:12:5)', 'file:///app/src/main.ts:3:1')
    assert.equal(place(stack), 'file:///app/src/job.ts 12 5')
  })

  it('reads frames without a function, of async functions, of constructors and of methods', () => {
    for (const frame of [
      'file:///app/job.ts:12:5',
      'async file:///app/job.ts:12:5',
      'async build (file:///app/job.ts:12:5)',
      'new Job (file:///app/job.ts:12:5)',
      'Object.<anonymous> (file:///app/job.ts:12:5)',
      'Job.build [as make] (file:///app/job.ts:12:5)',
    ]) {
      assert.equal(place(v8(frame)), 'file:///app/job.ts 12 5', frame)
    }
  })

  it('passes over frames of Node, of evaluated code and without a place', () => {
    const stack = v8(
      'Array.map (<anonymous>)',
      'ModuleJob.run (node:internal/modules/esm/module_job:561:25)',
      'async node:internal/modules/esm/loader:647:26',
      'eval (eval at build (file:///app/evaluated.ts:1:2), <anonymous>:1:1)',
      'async Promise.all (index 0)',
      'file:///app/job.ts:12:5',
    )
    assert.equal(place(stack), 'file:///app/job.ts 12 5')
  })

  it('reads paths of POSIX, also with parentheses and spaces', () => {
    assert.equal(place(v8('build (/app/job.js:12:5)')), '/app/job.js 12 5')
    assert.equal(place(v8('build (/my jobs (new)/job.js:12:5)')), '/my jobs (new)/job.js 12 5')
    assert.equal(place(v8('/my jobs (new)/job.js:12:5')), '/my jobs (new)/job.js 12 5')
  })

  it('reads paths of Windows', () => {
    assert.equal(place(v8('build (C:\\jobs\\job.js:12:5)')), 'C:\\jobs\\job.js 12 5')
    assert.equal(place(v8('d:/jobs/job.js:12:5')), 'd:/jobs/job.js 12 5')
    assert.equal(place(v8('build (file:///C:/jobs/job.ts:12:5)')), 'file:///C:/jobs/job.ts 12 5')
    assert.equal(place(v8('build (\\\\server\\jobs\\job.js:12:5)')), '\\\\server\\jobs\\job.js 12 5')
  })

  it('reads the frames of Firefox and Safari', () => {
    const library = 'http://localhost:8080/millrace/'
    const stack = [
      `callerLocation@${library}base/source-location.js:20:17`,
      `map@${library}api/datastream/data-stream.js:5:7`,
      'async*build@http://localhost:8080/job.js:12:5',
    ]
    assert.equal(place(stack.join('\n'), library), 'http://localhost:8080/job.js 12 5')
    assert.equal(
      place([...stack.slice(0, 2), '@http://localhost:8080/job.js:12:5'].join('\n'), library),
      'http://localhost:8080/job.js 12 5',
    )
    assert.equal(
      place([...stack.slice(0, 2), 'module code@http://localhost:8080/job.js:12:5'].join('\n'), library),
      'http://localhost:8080/job.js 12 5',
    )
  })

  it('does not take a scope of npm for a function of Firefox', () => {
    assert.equal(place(v8('file:///app/@scope/job.ts:12:5')), 'file:///app/@scope/job.ts 12 5')
  })

  it('counts a spec file beside the sources as the code of a user', () => {
    assert.equal(place(v8(`${ROOT}api/job.spec.ts:12:5`)), `${ROOT}api/job.spec.ts 12 5`)
  })

  it('knows the library by its path where the stack shows paths', () => {
    const stack = 'Error\n    at map (/app/node_modules/millrace/dist/api/x.js:5:7)\n    at /app/job.js:12:5'
    assert.equal(place(stack), '/app/job.js 12 5')
    const windows = 'Error\n    at map (C:/app/my lib/dist/api/x.js:5:7)\n    at C:\\app\\job.js:12:5'
    assert.equal(place(windows, 'file:///C:/app/my%20lib/dist/'), 'C:\\app\\job.js 12 5')
  })

  it('knows the library by its first frame where source maps show its sources', () => {
    const stack = [
      'Error',
      '    at callerLocation (/app/node_modules/millrace/src/base/source-location.ts:38:17)',
      '    at map (/app/node_modules/millrace/src/api/datastream/data-stream.ts:9:3)',
      '    at file:///app/job.ts:12:5',
    ]
    assert.equal(place(stack.join('\n')), 'file:///app/job.ts 12 5')
  })

  it('does not take a file of the user for the library because of its name', () => {
    assert.equal(
      place('Error\n    at file:///app/job.ts:12:5\n    at file:///app/base/source-location.ts:1:1'),
      'file:///app/job.ts 12 5',
    )
  })

  it('tells nothing of a bundle that holds the library and the job', () => {
    const bundle = 'file:///app/bundle.js'
    assert.equal(place(`Error\n    at a (${bundle}:1:500)\n    at ${bundle}:1:900`, bundle), 'nowhere')
  })

  it('tells nothing where the library has no URL or there is no stack', () => {
    assert.equal(place('Error\n    at file:///app/bundle.js:1:500', ''), 'nowhere')
    assert.equal(place(''), 'nowhere')
    assert.equal(place('Error: at nowhere (in particular:1:2)'), 'nowhere')
  })
})

describe('callerLocation', () => {
  it('is the line of the call', () => {
    const [location, stack] = [callerLocation(), new Error().stack]
    const [, line] = /spec\.ts:(\d+):\d+/.exec(stack ?? '') ?? []
    assert.deepEqual([location?.file, location?.line], [import.meta.url, Number(line)])
  })

  it('sees through a limit of the stack that the program set, and leaves it as it was', () => {
    const before = Error.stackTraceLimit
    Error.stackTraceLimit = 0
    try {
      const deep = (depth: number): ReturnType<typeof callerLocation> =>
        depth === 0 ? callerLocation() : deep(depth - 1)
      assert.equal(deep(5)?.file, import.meta.url)
      assert.equal(Error.stackTraceLimit, 0)
    } finally {
      Error.stackTraceLimit = before
    }
  })
})

describe('locationText', () => {
  const text = (file: string): string => locationText({ file, line: 12, column: 5 })

  it('is path and line', () => {
    assert.equal(text('/app/job.js'), '/app/job.js:12')
    assert.equal(text('C:\\jobs\\job.js'), 'C:\\jobs\\job.js:12')
  })

  it('shows a file URL as the path that a reader knows', () => {
    assert.equal(text('file:///app/my%20jobs/gr%C3%B6%C3%9Fe.ts'), '/app/my jobs/größe.ts:12')
    assert.equal(text('file:///C:/jobs/job.ts'), 'C:/jobs/job.ts:12')
    assert.equal(text('file:///app/job.ts?attempt=2#x'), '/app/job.ts:12')
  })

  it('keeps a URL that is not of a file, and an escape that is none', () => {
    assert.equal(text('http://localhost:8080/job.js?v=3'), 'http://localhost:8080/job.js:12')
    assert.equal(text('file:///app/100%.ts'), '/app/100%.ts:12')
  })

  it('keeps a question mark in a plain path', () => {
    assert.equal(text('/app/what?.js'), '/app/what?.js:12')
  })

  it('is empty for an unknown place', () => {
    assert.equal(locationText(undefined), '')
  })
})
