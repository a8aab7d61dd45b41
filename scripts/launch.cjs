/**
 * Starts the bundled server from V8's code cache, which saves compiling it on every start.
 *
 * The cache (`server.cache`) belongs to one build and one Node version; V8 refuses it otherwise and the server is
 * compiled as usual. `--build-code-cache` runs the server once on an empty directory, so that the functions of a first
 * start and a first request are in the cache too, and writes it.
 *
 * `dir` as the first argument starts the tool for log directories instead, which is a bundle of its own.
 */
const { readFileSync, writeFileSync } = require('node:fs')
const { createRequire } = require('node:module')
const path = require('node:path')
const vm = require('node:vm')

const file = path.join(__dirname, 'server.cjs')
const cacheFile = path.join(__dirname, 'server.cache')
const building = process.argv[2] === '--build-code-cache'

function readCache() {
  if (building) return undefined
  try {
    return readFileSync(cacheFile)
  } catch (error) {
    if (error.code === 'ENOENT') return undefined
    throw error
  }
}

if (process.argv[2] === 'dir') require('./directory-tool.cjs').main(process.argv.slice(3))
else startServer()

function startServer() {
  const cachedData = readCache()
  const source = readFileSync(file, 'latin1')
  const script = new vm.Script(source, { filename: file, ...(cachedData === undefined ? {} : { cachedData }) })
  const serverModule = { exports: {} }
  script.runInThisContext()(serverModule.exports, createRequire(file), serverModule, file)

  if (building) {
    serverModule.exports.rehearse().then(() => writeFileSync(cacheFile, script.createCachedData()))
  } else {
    serverModule.exports.main(process.argv.slice(2))
  }
}
