// Builds the server and the benchmarks, then runs them: npm run bench -- --help
import { spawnSync } from 'node:child_process'
import { build } from 'esbuild'

run(['scripts/build.mjs', '--server-only'])
await build({
  entryPoints: ['bench/run.ts', 'bench/floor.ts'],
  outdir: 'dist/bench',
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'esm',
  packages: 'external',
})
run(['dist/bench/run.js', ...process.argv.slice(2)])

function run(args) {
  const { status } = spawnSync(process.execPath, args, { stdio: 'inherit' })
  if (status !== 0) process.exit(status ?? 1)
}
