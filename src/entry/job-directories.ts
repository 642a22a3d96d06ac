// Directories of jobs and savepoints on this machine, as the local launcher needs them.
import { join, resolve } from 'node:path'
import { s3Location } from '../backends/s3/s3-location.ts'
import { s3Storage } from '../backends/s3/s3-storage.ts'
import { errorText, StreamError } from '../base/errors.ts'
import type { Storage } from '../base/storage.ts'
import type { JobHandle } from '../model/job.ts'
import { serveControl } from '../platform/node/control-socket.ts'
import { openJobDirectory } from '../platform/node/job-directory.ts'
import { nodeFiles } from '../platform/node/node-files.ts'
import { idText } from '../recovery/snapshot/checkpoint-names.ts'
import { fileStorage } from '../recovery/snapshot/file-storage.ts'
import type { OpenDirectory } from '../runners/local/local-recovery.ts'
import { answerControl } from './answer-control.ts'

/** Where jobs are that have no directory of their own choice. */
const JOBS_DIRECTORY = '.millrace'

/** The directory of a job that chose none, below the working directory. */
export function defaultDirectory(jobName: string): string {
  // A name is a text for people; what no file may be called becomes a dash.
  const name = jobName.replaceAll(/[^\p{L}\p{N}._-]+/gu, '-').replace(/^\.+/, '')
  return resolve(JOBS_DIRECTORY, name === '' ? 'job' : name)
}

/** Where the savepoint of an id is kept unless told otherwise. */
export function savepointDirectory(jobDirectory: string, id: number): string {
  return join(jobDirectory, 'savepoints', idText(id))
}

/** Opens directories on the file system of this machine. */
export function nodeDirectories(): OpenDirectory {
  return {
    job: async (jobName, { directory, storage }, logger) => {
      const opened = await openJobDirectory(directory ?? defaultDirectory(jobName), logger)
      const { path } = opened
      let control: { close(): Promise<void> } | undefined
      return {
        location: path,
        storage: storage === undefined ? fileStorage(opened.files, '', `directory ${path}`) : remoteStorage(storage),
        serve: async (handle: JobHandle) => {
          try {
            control = await serveControl(path, request => answerControl(handle, request))
          } catch (error) {
            // The job does without: some file systems have no sockets.
            logger.log('warn', 'the job takes no commands: no socket could be made', { path, error: errorText(error) })
          }
        },
        close: async () => {
          await control?.close()
          await opened.close()
        },
      }
    },
    savepoint: (path, job, id) => {
      if (path !== undefined && isRemote(path)) return { location: path, storage: remoteStorage(path) }
      const location = path === undefined ? savepointDirectory(job.location, id) : resolve(path)
      return { location, storage: fileStorage(nodeFiles(location), '', `directory ${location}`) }
    },
  }
}

/** The storage of a job's snapshots, for who reads them beside the job: it takes no lock. */
export function snapshotStorage({
  directory,
  url,
}: {
  readonly directory: string
  readonly url: string | undefined
}): Storage {
  return url === undefined ? fileStorage(nodeFiles(directory), '', `directory ${directory}`) : remoteStorage(url)
}

function isRemote(place: string): boolean {
  return /^[a-z][a-z0-9+.-]+:\/\//.test(place)
}

/** The storage of a URL. Throws OPTION_INVALID for one that is not known. */
function remoteStorage(url: string): Storage {
  if (url.startsWith('s3://')) return s3Storage({ ...s3Location(url), forcePathStyle: true })
  throw new StreamError(
    'OPTION_INVALID',
    `${url} names no storage that is known; give a directory, or s3://bucket/prefix`,
  )
}
