/* The layer rules of ARCHITECTURE.md, checked by `npm run layers`. */
const only = (name, from, allowed, comment) => ({
  name,
  severity: 'error',
  comment,
  from: { path: from },
  to: { pathNot: allowed },
})

module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    only('domain-is-pure', '^src/domain/', ['^src/domain/'], 'Rules import rules only: no npm, no node:*'),
    only(
      'application-knows-no-technology',
      '^src/application/',
      ['^src/domain/', '^src/application/'],
      'Orchestration over ports',
    ),
    only(
      'codec-stands-alone',
      '^src/adapters/codec/',
      ['^src/adapters/codec/'],
      'bytes <-> values, knows no Kafka API',
    ),
    {
      name: 'directory-tool-reads-formats-only',
      severity: 'error',
      comment: 'It reads what the storage adapters write, through their readers; nothing drives it but bootstrap',
      from: { path: '^src/adapters/directory-tool/' },
      to: {
        path: '^src/adapters/',
        pathNot: '^src/adapters/(directory-tool|storage-fs|kraft-metadata|internal-records|codec)/',
      },
    },
    {
      name: 'adapters-do-not-know-each-other',
      severity: 'error',
      from: { path: '^src/adapters/([^/]+)/', pathNot: '^src/adapters/directory-tool/' },
      to: { path: '^src/adapters/', pathNot: ['^src/adapters/$1/', '^src/adapters/codec/'] },
    },
    {
      name: 'only-wire-drives-use-cases',
      severity: 'error',
      from: { path: '^src/adapters/', pathNot: '^src/adapters/wire/' },
      to: { path: '^src/application/', pathNot: '^src/application/ports/' },
    },
    {
      name: 'adapters-do-not-know-bootstrap',
      severity: 'error',
      from: { path: '^src/adapters/' },
      to: { path: '^src/(bootstrap/|index)' },
    },
    {
      name: 'inversify-in-bootstrap-only',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/bootstrap/' },
      to: { path: 'node_modules/(inversify|reflect-metadata)' },
    },
    {
      name: 'no-dev-dependencies',
      severity: 'error',
      from: { path: '^src/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'unknown', 'undetermined'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
}
