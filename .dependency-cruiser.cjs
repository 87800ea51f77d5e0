/** The arrows of docs/architecture.md. */
const layer = (name, from, allowed) => ({
  name,
  severity: 'error',
  from: { path: from },
  to: { path: '^(app|main|renderer|test)/', pathNot: [from, ...allowed] },
});

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    layer('domain imports nothing', '^app/domain/', []),
    {
      name: 'domain has no packages',
      severity: 'error',
      from: { path: '^app/domain/' },
      to: { dependencyTypes: ['npm', 'npm-dev', 'core'] },
    },
    layer('contract imports domain', '^app/contract/', ['^app/domain/']),
    layer('run directory imports domain', '^app/run-directory/', ['^app/domain/']),
    layer('processes import domain', '^app/processes/', ['^app/domain/']),
    layer('agents are data and pure code on the domain', '^app/agents/', ['^app/domain/']),
    layer('observed scripts join agents and processes', '^app/observed/', [
      '^app/(agents|domain|contract|journal)/',
      '^app/processes/index\\.ts$',
    ]),
    layer('a fleet is a store of locks', '^app/fleet/', [
      '^app/(domain|contract)/',
      '^app/locks/index\\.ts$',
      '^app/run-directory/atomic-file\\.ts$',
      '^app/api/answer\\.ts$',
    ]),
    {
      name: 'one file speaks to PostgreSQL',
      severity: 'error',
      from: { pathNot: '^app/fleet/postgres\\.ts$|^test/' },
      to: { path: 'node_modules/pg/' },
    },
    {
      name: 'a host that has joined no fleet loads nothing of it',
      severity: 'error',
      from: { path: '^app/', pathNot: '^app/(fleet/|cli/fleet(-ps)?\\.ts$)' },
      to: {
        path: '^app/fleet/',
        pathNot: '^app/fleet/config\\.ts$',
        dependencyTypesNot: ['type-only', 'dynamic-import'],
      },
    },
    layer('locks import domain, errors and the schemas of records', '^app/locks/', [
      '^app/domain/',
      '^app/contract/errors',
      '^app/run-directory/(schemas|disk)\\.ts$',
    ]),
    layer('journal imports domain', '^app/journal/', ['^app/domain/']),
    layer('logs import domain, contract types, run directory', '^app/logs/', [
      '^app/domain/',
      '^app/contract/',
      '^app/run-directory/',
    ]),
    layer('the ladder imports the faces of locks, logs and processes', '^app/ladder/', [
      '^app/domain/',
      '^app/run-directory/',
      '^app/(locks|logs|processes)/index\\.ts$',
    ]),
    layer('the runner carries out the ladder', '^app/runner/', [
      '^app/(domain|ladder|run-directory)/',
      '^app/(fleet|locks|logs|processes)/index\\.ts$',
    ]),
    layer('scripts joins the layers below', '^app/scripts/', [
      '^app/(domain|contract|run-directory|journal|ladder|outgoing)/',
      '^app/runner/order\\.ts$',
      '^app/(locks|logs|processes)/index\\.ts$',
    ]),
    layer('what goes out knows nothing of who sends it', '^app/outgoing/', []),
    layer('alerts are decided by the domain and sent from here', '^app/alerts/', [
      '^app/(domain|contract|outgoing)/',
      '^app/run-directory/atomic-file\\.ts$',
    ]),
    layer('evidence is made of what the layers below know', '^app/evidence/', [
      '^app/(domain|contract|journal)/',
      '^app/processes/index\\.ts$',
    ]),
    layer('api speaks the contract', '^app/api/', ['^app/(domain|contract)/', '^app/processes/index\\.ts$']),
    layer('cli speaks the contract', '^app/cli/', [
      '^app/(access|domain|contract|api)/',
      '^app/agents/from-environment\\.ts$',
      '^app/processes/',
      '^app/host/(application|engine|host-files|host-log|take-over)\\.ts$',
      '^app/(check-fence|hold|version)\\.ts$',
      '^app/fleet/(admin|call-client|config|postgres|schema|snapshot)\\.ts$',
    ]),
    layer('main imports the application and the contract', '^main/', [
      '^app/(contract|domain)/',
      '^app/host/(application|engine|host-log)\\.ts$',
      '^app/version\\.ts$',
      '^app/access/state-directory\\.ts$',
      '^app/(api/static-files|settings/weaken)\\.ts$',
      '^app/processes/',
    ]),
    {
      name: 'renderer imports only types of the contract, and sentences that the command line says too',
      severity: 'error',
      from: { path: '^renderer/' },
      to: {
        path: '^(app|main)/',
        pathNot:
          '^app/domain/(csv|drill|durations|estimate|incident-summary|json-document|observed-id|observed-row|times|visible)\\.ts$',
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'app never imports electron or svelte',
      severity: 'error',
      from: { path: '^(app|renderer)/' },
      to: { path: 'node_modules/electron/' },
    },
    {
      name: 'only process control imports koffi',
      severity: 'error',
      from: { pathNot: '^app/processes/windows|^app/processes/linux/connection-owner|^test/' },
      to: { path: 'node_modules/koffi/' },
    },
    {
      name: 'nothing imports tests',
      severity: 'error',
      from: { path: '^(app|main|renderer)/' },
      to: { path: '^test/' },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.node.json' },
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|\\.cache)/' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.js', '.svelte', '.json'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'types', 'node', 'svelte'],
    },
  },
};
