// Builds dist/: one bundled server (dist/server.cjs) with its V8 code cache, the library (dist/index.js) and, unless
// `--server-only` is given, its type declarations. The native packages stay outside the bundles.
import { spawnSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
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

rmSync('dist', { recursive: true, force: true })
mkdirSync('dist', { recursive: true })
await build({
  ...common,
  entryPoints: ['src/bootstrap/main.ts'],
  outfile: 'dist/server.cjs',
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
  outfile: 'dist/launch.cjs',
  format: 'cjs',
  // The code cache runs the bundle as a script, where import() has no loader: it becomes require().
  supported: { 'dynamic-import': false },
  external: ['./server.cjs'],
})
if (!serverOnly) {
  await build({
    ...common,
    entryPoints: ['src/index.ts'],
    outfile: 'dist/index.js',
    format: 'esm',
    packages: 'external',
  })
  run(['node_modules/typescript/bin/tsc', '-p', 'tsconfig.declarations.json'])
}
run(['dist/launch.cjs', '--build-code-cache'])
writeFileSync('dist/.built', '')

function run(args) {
  const { status } = spawnSync(process.execPath, args, { stdio: 'inherit' })
  if (status !== 0) process.exit(status ?? 1)
}
