// @ts-check
// The suites of the project, in the order in which they run. A test holds that every test file belongs to one.
// `required` says that the suite has files: finding none is then a failure. A new suite gets it with its first file.
// `showsNotes` prints what its tests note by t.diagnostic(): the counts of faults, seeds and kills that nobody should have to take on trust.

/** @type {readonly import('./test-runner.mjs').Suite[]} */
export const SUITES = [
  { name: 'unit', folder: 'src', ending: '.spec.ts', required: true },
  { name: 'architecture', folder: 'test/architecture', ending: '.test.ts', required: true },
  { name: 'types', folder: 'test/types', ending: '.test.ts', required: true },
  { name: 'conformance', folder: 'test/conformance', ending: '.test.ts', required: true },
  { name: 'simulation', folder: 'test/simulation', ending: '.test.ts', required: true, showsNotes: true },
  { name: 'integration', folder: 'test/integration', ending: '.test.ts', required: true, showsNotes: true },
  { name: 'package', folder: 'test/package', ending: '.test.ts', required: true },
  { name: 'docs', folder: 'test/docs', ending: '.test.ts', required: true },
  { name: 'browser', folder: 'test/browser', ending: '.test.ts', required: true },
]
