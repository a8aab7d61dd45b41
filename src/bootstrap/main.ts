/**
 * The server's entry: `[server.properties] [--override key=value]…`. The launcher (`scripts/launch.cjs`) calls `main`;
 * the build calls `rehearse` once, so that what a first request needs is in V8's code cache.
 */
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs'
import { devNull, tmpdir } from 'node:os'
import path from 'node:path'
import { EarlyLogger } from '../adapters/observability/early-logger.ts'
import type { Broker } from './broker.ts'
import { loadConfig, parseArguments, type ServerConfig } from './config.ts'
import { ConfigError } from './config-sources.ts'
import { assemble } from './create-broker.ts'
import { rehearseClients } from './rehearsal.ts'

/** Starts the server; the process ends with 1 when it cannot, with one line on standard error that says why. */
export async function main(args: readonly string[]): Promise<void> {
  const config = configuration(args)
  if (config === null) return
  const logger = new EarlyLogger(Date.now)
  const broker = assemble(config, 'directory', { logger }, (paths) => void endWithoutStorage(paths, logger))
  stopOnSignals(broker, logger)
  endOnBugs(logger)
  setTimeout(() => void afterStart(logger), LATER_MS)
  try {
    await broker.start()
    logger.info('started', { nodeId: config.nodeId, logDirs: config.logDirs })
  } catch (error) {
    await writeLog(logger)
    fail(`cannot start: ${messageOf(error)}`)
  }
}

/** What waits so long need not be waited for by a quick start and its first clients: the log's first lines, too. */
const LATER_MS = 50

async function afterStart(logger: EarlyLogger): Promise<void> {
  await writeLog(logger)
  const { boundHeap } = await import('./heap-bounds.ts')
  boundHeap()
}

/** Loads what writes the log, which takes a part of a quick start's time, and writes it from now on. */
async function writeLog(logger: EarlyLogger): Promise<void> {
  const { pinoLogger } = await import('../adapters/observability/pino-logger.ts')
  logger.open(pinoLogger('info', 1, logger.at))
}

function configuration(args: readonly string[]): ServerConfig | null {
  try {
    return loadConfig({ ...parseArguments(args), env: process.env, directory: process.cwd() })
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    fail(error.message)
    return null
  }
}

function fail(line: string): void {
  process.stderr.write(`odradek: ${line}\n`)
  process.exitCode = 1
}

/** What happened and what it came from, in one line. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause === undefined ? error.message : `${error.message}: ${messageOf(error.cause)}`
}

/** The first signal closes the broker, a second one ends the process at once. */
function stopOnSignals(broker: Broker, logger: EarlyLogger): void {
  let stopping = false
  const stop = (signal: NodeJS.Signals): void => {
    if (stopping) process.exit(130)
    stopping = true
    logger.info('stopping', { signal })
    void writeLog(logger)
    broker.close().then(
      () => {
        logger.info('stopped')
        process.exit(process.exitCode ?? 0)
      },
      (error: unknown) => {
        fail(`did not stop cleanly: ${messageOf(error)}`)
        process.exit(1)
      },
    )
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
}

/** As Kafka: a broker that can store nothing is better gone, so that its clients and its supervisor notice. */
async function endWithoutStorage(paths: readonly string[], logger: EarlyLogger): Promise<void> {
  await writeLog(logger)
  fail(`ended: the log directories ${paths.join(', ')} have failed`)
  process.exit(1)
}

/**
 * What nobody caught is a bug, and the state behind it unknown: one line with its stack, and the end. What was
 * acknowledged is in the files; the next start recovers them.
 */
function endOnBugs(logger: EarlyLogger): void {
  process.on('uncaughtException', (error) => {
    logger.error('ended by a bug', { error })
    void writeLog(logger).finally(() => process.exit(1))
  })
}

/**
 * Starts as a first start does, on an empty directory, serves a client's first requests and closes. Called by the build
 * only, which wants all functions that this takes in V8's code cache.
 */
export async function rehearse(): Promise<void> {
  const { pinoLogger } = await import('../adapters/observability/pino-logger.ts')
  const directory = mkdtempSync(path.join(tmpdir(), 'odradek-build-'))
  const log = openSync(devNull, 'w')
  try {
    const overrides = ['listeners=PLAINTEXT://127.0.0.1:0', `log.dirs=${path.join(directory, 'data')}`]
    const args = overrides.flatMap((override) => ['--override', override])
    const config = loadConfig({ ...parseArguments(args), env: {}, directory })
    const broker = await assemble(config, 'directory', { logger: pinoLogger('info', log) }).start()
    try {
      await rehearseClients(broker.address())
    } finally {
      await broker.close()
    }
  } finally {
    closeSync(log)
    rmSync(directory, { recursive: true, force: true })
  }
}
