// What jobs of these tests have written: the lines of the finished files of a directory.
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** All lines of all finished files, sorted; none of a directory that is not there. */
export async function readLines(directory: string): Promise<readonly string[]> {
  const names = await readdir(directory).catch(() => [])
  const texts = await Promise.all(
    names.filter(name => !name.startsWith('.')).map(name => readFile(join(directory, name), 'utf8')),
  )
  return texts.flatMap(text => text.split('\n').slice(0, -1)).toSorted()
}
