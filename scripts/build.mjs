// Builds dist/: one bundled server (dist/server.cjs) with its V8 code cache, the tool for log directories
// (dist/directory-tool.cjs), the library (dist/index.js) and its type
// declarations, which take most of the time: `--server-only` leaves them as they were. The native packages stay outside
// the bundles.
//
// Everything is built aside and then put in place, so that a server that starts meanwhile, or a second build, finds
// either the old files or the new ones.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { build } from 'esbuild'

const external = ['@node-rs/crc32', 'snappy', 'lz4-napi', '@bokuweb/zstd-wasm', 'fs-native-extensions']
const common = {
  bundle: true,
  platform: 'node',
  target: 'node20',
  sourcemap: false,
  legalComments: 'none',
  logLevel: 'warning',
}
const serverOnly = process.argv.includes('--server-only')

const out = `dist.${process.pid}`

mkdirSync(out)
process.on('exit', () => rmSync(out, { recursive: true, force: true }))
await build({
  ...common,
  entryPoints: ['src/bootstrap/main.ts'],
  outfile: `${out}/server.cjs`,
  format: 'cjs',
  // The code cache runs the bundle as a script, where import() has no loader: it becomes require().
  supported: { 'dynamic-import': false },
  external,
  define: { 'import.meta.url': 'bundleUrl' },
  alias: {
    assert: './scripts/bundled/assert.cjs',
    'thread-stream': './scripts/bundled/thread-stream.cjs',
    worker_threads: './scripts/bundled/worker-threads.cjs',
  },
  // Names stay, for the sake of stack traces; the file is ASCII, so that the launcher need not decode it.
  minifyWhitespace: true,
  minifySyntax: true,
  charset: 'ascii',
  // The launcher runs the file as one function expression.
  banner: {
    js: "(function (exports, require, module, __filename) {const bundleUrl = require('node:url').pathToFileURL(__filename).href;",
  },
  footer: { js: '})' },
})
await build({
  ...common,
  entryPoints: ['scripts/launch.cjs'],
  outfile: `${out}/launch.cjs`,
  format: 'cjs',
  // The code cache runs the bundle as a script, where import() has no loader: it becomes require().
  supported: { 'dynamic-import': false },
  external: ['./server.cjs', './directory-tool.cjs'],
})
await build({
  ...common,
  entryPoints: ['src/bootstrap/directory-tool.ts'],
  outfile: `${out}/directory-tool.cjs`,
  format: 'cjs',
  external,
  define: { 'import.meta.url': 'bundleUrl' },
  banner: { js: "const bundleUrl = require('node:url').pathToFileURL(__filename).href;" },
})
await build({
  ...common,
  entryPoints: ['src/index.ts'],
  outfile: `${out}/index.js`,
  format: 'esm',
  packages: 'external',
})
if (!serverOnly) {
  run(['node_modules/typescript/bin/tsc', '-p', 'tsconfig.declarations.json', '--outDir', `${out}/types`])
}
run([`${out}/launch.cjs`, '--build-code-cache'])
writeFileSync(`${out}/.built`, '')
putInPlace()

function putInPlace() {
  const old = `${out}.old`
  if (existsSync('dist')) renameSync('dist', old)
  if (serverOnly && existsSync(`${old}/types`)) renameSync(`${old}/types`, `${out}/types`)
  // Where another build was quicker, its files stay.
  if (!existsSync('dist')) renameSync(out, 'dist')
  rmSync(old, { recursive: true, force: true })
}

function run(args) {
  const { status } = spawnSync(process.execPath, args, { stdio: 'inherit' })
  if (status !== 0) process.exit(status ?? 1)
}
