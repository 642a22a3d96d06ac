// The job that is killed, as a process of its own: counts records by key, and writes each count as soon as it changes. Its argument says where to.
import { StreamEnvironment } from '../../../src/api/datastream/environment.ts'
import { nodeConnectors } from '../../../src/connectors/node.ts'
import { openJobDirectory } from '../../../src/platform/node/job-directory.ts'
import { nodeFiles } from '../../../src/platform/node/node-files.ts'
import { nodePlatform } from '../../../src/platform/node/node-platform.ts'
import { fileStorage } from '../../../src/recovery/snapshot/file-storage.ts'
import { localLauncher } from '../../../src/runners/local/local-launcher.ts'
import type { OpenDirectory } from '../../../src/runners/local/local-recovery.ts'
import { meteredConnectors, meteredFiles, meteredStorage, meterPostgres } from './instruments.ts'
import { type JobSettings, KEYS, PARALLELISM } from './kill-settings.ts'
import { PhaseMeter } from './phase-meter.ts'

const settings = JSON.parse(process.argv[2] ?? '') as JobSettings
const meter = new PhaseMeter(settings.aim)
if (settings.sink === 'postgres') meterPostgres(meter)

const openDirectory: OpenDirectory = {
  job: async (_name, { directory }, logger) => {
    const opened = await openJobDirectory(directory ?? settings.directory, logger)
    const files = meteredFiles(opened.files, meter)
    return {
      location: opened.path,
      storage: meteredStorage(fileStorage(files, ''), meter),
      serve: async () => {},
      close: () => opened.close(),
    }
  },
  savepoint: () => {
    throw new Error('this job takes no savepoints')
  },
}

const platform = nodePlatform({ logLevel: 'warn' })
const connectors = nodeConnectors({ text: platform.text, files: meteredFiles(nodeFiles('/'), meter) })
const launcher = localLauncher({
  platform: { ...platform, openDirectory },
  connectors: meteredConnectors(connectors, meter),
  defaultParallelism: PARALLELISM,
})

const { records, recordsPerSecond, intervalMs, directory, output, url } = settings
/** The splits whose last record was emitted. */
let splitsAtEnd = 0
const isLastOfSplit = (index: number): boolean =>
  index === records - 1 || index === Math.ceil(records / PARALLELISM) - 1

const env = new StreamEnvironment(launcher)
env.enableCheckpointing(intervalMs)
const counts = env
  .generate(
    index => {
      meter.onRecord()
      if (isLastOfSplit(index) && ++splitsAtEnd === PARALLELISM) meter.onLastRecord()
      return { key: index % KEYS, count: 1 }
    },
    { count: records, ...(recordsPerSecond > 0 ? { recordsPerSecond } : {}) },
  )
  .uid('numbers')
  .keyBy('key')
  .sum('count')
  .uid('counts')
if (settings.sink === 'files') {
  counts
    .map(({ key, count }) => `${key} ${count}`)
    .writeToFiles(output)
    .uid('out')
} else {
  const toRow = ({ key, count }: { readonly key: number; readonly count: number }): number[] => [key, count]
  counts
    .writeToPostgres({ connection: url, table: output, columns: ['key', 'count'], toRow, mode: 'two-phase' })
    .uid('out')
}
await env.execute('killed', { directory })
