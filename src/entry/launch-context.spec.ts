// What a script is told at its end when it is run by `node` itself, in processes of their own.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import test, { describe } from 'node:test'

const MILLRACE = new URL('./index.ts', import.meta.url).href

/** Runs a script that has `environment` imported; how it ended and what it said. */
function runScript(text: string) {
  const script = `import { environment } from '${MILLRACE}'\n${text}`
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
    timeout: 60_000,
  })
  return { status, stdout, stderr }
}

describe('a plain script', () => {
  test('that builds sinks and never executes ends with JOB_NOT_EXECUTED, said once', () => {
    const { status, stderr } = runScript(`
      environment().fromElements(1).print()
      environment().fromElements(2).print()`)
    assert.equal(status, 1)
    assert.match(
      stderr,
      /^JOB_NOT_EXECUTED: .* builds a job with sinks and never executes it; .*await env\.execute\(\)/,
    )
    assert.equal(stderr.split('JOB_NOT_EXECUTED').length, 2)
  })

  test('that executes, collects, or builds nothing to run ends well', () => {
    const { status, stdout, stderr } = runScript(`
      environment()
      environment().fromElements(1).map(String)
      const executed = environment()
      executed.fromElements('a').print()
      await executed.execute()
      const collected = environment()
      collected.fromElements('b').print()
      console.log(await collected.fromElements('c').executeAndCollect())`)
    assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: `a\n[ 'c' ]\n`, stderr: '' })
  })

  test('that fails in another way is left alone', () => {
    const { status, stderr } = runScript(`
      environment().fromElements(1).print()
      process.exitCode = 3`)
    assert.deepEqual({ status, stderr }, { status: 3, stderr: '' })
  })

  test('that fails because of its job says so by itself, without a hint', () => {
    const { status, stderr } = runScript(`
      const env = environment()
      env.fromElements(1).map(() => { throw new Error('no more ink') }).print()
      await env.execute()`)
    assert.equal(status, 1)
    assert.match(stderr, /USER_FUNCTION_FAILED: .*no more ink/)
    assert.doesNotMatch(stderr, /JOB_NOT_EXECUTED/)
  })
})
