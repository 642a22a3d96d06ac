// The architecture, as data. `npm run check` fails when an import goes against it.
// Key: folder under src/. Value: the folders it may import (besides itself).
// Needs TypeScript 5 or 6 installed: with TypeScript 7 (no compiler API) it cruises 0 modules and passes. So the test that runs it also asserts that
// the number of modules seen equals the number of files in src, and that a planted violation of each kind is caught.
const { builtinModules } = require('node:module')

const ALLOWED = {
  // pure: no node: imports, no npm packages, no clock, no randomness
  base: [],
  model: ['base'],
  serde: ['base', 'model'],
  time: ['base', 'model'],
  functions: ['base', 'model', 'serde'],
  state: ['base', 'model', 'serde'],
  window: ['base', 'model', 'time', 'state'],
  recovery: ['base', 'model', 'serde', 'time', 'state'],
  operators: ['base', 'model', 'serde', 'time', 'state', 'window'],
  plan: ['base', 'model', 'operators'],
  runtime: ['base', 'model', 'serde', 'time', 'state', 'operators', 'plan', 'recovery'],
  api: ['base', 'model', 'serde', 'time', 'functions'],
  lib: ['base', 'model', 'time', 'functions', 'api'],
  testing: ['base', 'model', 'serde', 'time', 'state', 'window', 'operators', 'plan', 'runtime', 'recovery'],
  // shells: they touch the outside world
  platform: ['base'],
  backends: ['base', 'model', 'serde', 'state'],
  connectors: ['base', 'model', 'serde', 'time', 'operators'],
  runners: ['base', 'model', 'serde', 'state', 'operators', 'plan', 'runtime', 'recovery', 'platform'],
  server: ['base', 'model', 'serde', 'state', 'recovery', 'platform', 'runners'],
  client: ['base', 'model'],
  ui: ['client'],
  entry: [
    'base',
    'model',
    'serde',
    'time',
    'functions',
    'state',
    'window',
    'recovery',
    'operators',
    'plan',
    'runtime',
    'api',
    'lib',
    'testing',
    'platform',
    'backends',
    'connectors',
    'runners',
    'server',
  ],
  cli: ['base', 'entry'],
}
const SHELLS = ['platform', 'backends', 'connectors', 'runners', 'server', 'entry', 'cli']
const FOLDERS = Object.keys(ALLOWED)
const PURE = FOLDERS.filter(folder => !SHELLS.includes(folder))
const UNLISTED = { path: '^src/', pathNot: `^src/(${FOLDERS.join('|')})/` }
const SPEC = '\\.spec\\.ts$'
const NPM = ['npm', 'npm-dev', 'npm-optional', 'npm-peer', 'npm-no-pkg', 'npm-unknown']
const NODE_MODULES = `^(node:|(${builtinModules.join('|').replaceAll('/', '\\/')})$)`

const arrows = FOLDERS.flatMap(folder => {
  const allowed = [folder, ...ALLOWED[folder]]
  // A spec may also use the test kit, which knows folders that the code under test does not.
  const inSpecs = [...allowed, 'testing']
  return [
    {
      name: `${folder}-may-only-import-${ALLOWED[folder].join('-') || 'nothing'}`,
      severity: 'error',
      from: { path: `^src/${folder}/`, pathNot: SPEC },
      to: { path: '^src/', pathNot: `^src/(${allowed.join('|')})/` },
    },
    {
      name: `${folder}-specs-may-also-import-testing`,
      severity: 'error',
      from: { path: `^src/${folder}/.*${SPEC}` },
      to: { path: '^src/', pathNot: `^src/(${inSpecs.join('|')})/` },
    },
  ]
})

module.exports = {
  forbidden: [
    ...arrows,
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'pure-core-has-no-node-apis',
      severity: 'error',
      from: { path: `^src/(${PURE.join('|')})/`, pathNot: SPEC },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'npm-packages-only-in-shells',
      severity: 'error',
      from: { path: '^src/', pathNot: `^src/(platform|connectors|backends|runners|server|cli)/|${SPEC}` },
      to: { dependencyTypes: NPM },
    },
    {
      // However long the way there: what is bundled for a browser reaches neither Node nor a package.
      name: 'browser-reaches-neither-node-nor-npm',
      severity: 'error',
      from: { path: '^src/(entry/browser\\.ts$|platform/browser)', pathNot: SPEC },
      to: { path: `${NODE_MODULES}|node_modules/`, reachable: true },
    },
    {
      name: 'unresolvable',
      severity: 'error',
      from: { path: '^src/' },
      to: { couldNotResolve: true },
    },
    // A module imports something, is imported, or is an orphan: together these see every module outside the listed folders.
    { name: 'unlisted-folder-imports', severity: 'error', from: UNLISTED, to: {} },
    { name: 'unlisted-folder-is-imported', severity: 'error', from: {}, to: UNLISTED },
    { name: 'unlisted-folder-has-orphans', severity: 'error', from: { orphan: true, ...UNLISTED }, to: {} },
    {
      name: 'api-front-ends-do-not-know-each-other',
      severity: 'error',
      from: { path: '^src/api/([^/]+)/' },
      to: { path: '^src/api/[^/]+/', pathNot: '^src/api/$1/' },
    },
    {
      name: 'connectors-do-not-know-each-other',
      severity: 'error',
      from: { path: '^src/connectors/([^/]+)/' },
      to: { path: '^src/connectors/[^/]+/', pathNot: '^src/connectors/$1/' },
    },
    {
      name: 'no-tests-in-product',
      severity: 'error',
      from: { path: '^src/', pathNot: SPEC },
      to: { path: `${SPEC}|^test/` },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default'] },
  },
}
