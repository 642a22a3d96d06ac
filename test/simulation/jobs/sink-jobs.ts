// Simulated jobs that write elsewhere than into memory: the transactional file sink, on the disk that loses what was not synced.
import { decodeUtf8 } from '../../../src/base/utf8.ts'
import type { SimulatedFiles } from '../../../src/testing/simulated-files.ts'
import { readEvents } from '../support/events.ts'
import type { SimulatedJob } from '../support/simulated-job.ts'

const DIRECTORY = 'results'

/** What readers of the directory see. */
function isFinished(path: string): boolean {
  return path.startsWith(`${DIRECTORY}/`) && !path.includes('/.')
}

function finishedLines(files: SimulatedFiles): readonly string[] {
  const finished = [...files.snapshot()].filter(([path]) => isFinished(path))
  return finished.flatMap(([, bytes]) => decodeUtf8(bytes).trimEnd().split('\n'))
}

export const SINK_JOBS: readonly SimulatedJob[] = [
  {
    name: 'file sink',
    build(env) {
      readEvents(env)
        .keyBy('key')
        .count()
        .map(count => `count ${count}`)
        .writeToFiles(DIRECTORY, { rollBytes: 64 })
    },
    options: { results: finishedLines, isResultFile: isFinished },
  },
]
