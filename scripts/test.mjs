// Every check of the project, in the order that tells most first; ends with the line `N passed, N failed`.
//   npm test                       all of it
//   ODRADEK_SEEDS=200 npm test     longer simulations (seed count)
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

const checks = [
  ['types', ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.json', '--noEmit']],
  ['types of the core, without Node', ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.core.json', '--noEmit']],
  ['lint', ['node_modules/eslint/bin/eslint.js', '.', '--max-warnings', '0']],
  ['format', ['node_modules/prettier/bin/prettier.cjs', '--check', '.', '--log-level', 'warn']],
  [
    'layers',
    [
      'node_modules/dependency-cruiser/bin/dependency-cruise.mjs',
      '--config',
      '.dependency-cruiser.cjs',
      '--output-type',
      'err',
      'src',
    ],
  ],
  ['dead code', ['node_modules/knip/bin/knip.js']],
]

let passed = 0
let failed = 0

const queue = [...checks]
await Promise.all([worker(), worker()])
console.log('building')
count('build', spawnSync(process.execPath, ['scripts/build.mjs'], { stdio: 'inherit' }).status === 0)
runJest()
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1

async function worker() {
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    const [name, args] = next
    const { status, output } = await capture(args)
    if (status !== 0) console.log(output)
    count(name, status === 0)
  }
}

function capture(args) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    child.stdout.on('data', (data) => (output += data))
    child.stderr.on('data', (data) => (output += data))
    child.on('close', (status) => resolve({ status, output }))
  })
}

function runJest() {
  const folder = mkdtempSync(path.join(tmpdir(), 'odradek-jest-'))
  try {
    const results = path.join(folder, 'results.json')
    const args = [
      '--experimental-vm-modules',
      '--no-warnings',
      'node_modules/jest/bin/jest.js',
      '--json',
      `--outputFile=${results}`,
    ]
    const { status } = spawnSync(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] })
    const summary = JSON.parse(readFileSync(results, 'utf8'))
    passed += summary.numPassedTests
    failed += summary.numFailedTests + summary.numRuntimeErrorTestSuites
    if (status !== 0 && summary.numFailedTests + summary.numRuntimeErrorTestSuites === 0) failed++
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function count(name, ok) {
  console.log(`${ok ? 'ok    ' : 'FAILED'}  ${name}`)
  if (ok) passed++
  else failed++
}
