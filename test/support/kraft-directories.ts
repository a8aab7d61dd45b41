/** Directories for the KRaft adapter: empty ones and copies of a real Kafka's, with their log in memory. */
import { cp, mkdir, mkdtemp, readFile, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type {
  KraftMetadataOptions,
  KraftMetadataPorts,
} from '../../src/adapters/kraft-metadata/kraft-metadata-options.ts'
import { KraftMetadataRepository } from '../../src/adapters/kraft-metadata/kraft-metadata-repository.ts'
import { FileLogStore } from '../../src/adapters/storage-fs/file-log-store.ts'
import { MemoryLogStore } from '../../src/adapters/storage-memory/memory-log-store.ts'
import { Crc32cChecksum } from '../../src/adapters/system/crc32c-checksum.ts'
import { ManualClock } from '../../src/adapters/system/manual-clock.ts'
import { SystemRandom } from '../../src/adapters/system/system-random.ts'
import type { LogOptions, LogStore, StampedBatch } from '../../src/application/ports/log-store.ts'
import { RecordBatchView } from '../../src/domain/log/record-batch.ts'
import { METADATA_TOPIC_ID } from '../../src/domain/uuid.ts'

export const goldenNames = ['basic-clean', 'groups-txns', 'compacted', 'crashed', 'scram-acls-quotas'] as const

const checksum = new Crc32cChecksum()
export const crc32c = (bytes: Uint8Array): number => checksum.crc32c(bytes)

export const logOptions: LogOptions = {
  topicId: METADATA_TOPIC_ID,
  segmentBytes: 1 << 30,
  segmentMs: 1n << 40n,
  segmentJitterMs: 0n,
  segmentIndexBytes: 10 << 20,
  indexIntervalBytes: 4096,
  flushMessages: 1n << 62n,
  flushMs: 1n << 62n,
  fileDeleteDelayMs: 0n,
  preallocate: false,
}

export interface LoggedEvent {
  readonly level: string
  readonly event: string
  readonly fields: Readonly<Record<string, unknown>>
}

export interface KraftDirectory {
  /** The only log directory. */
  readonly path: string
  /** A file name beside it, gone with it. */
  readonly properties: string
  readonly folder: string
  readonly logStore: LogStore
  readonly clock: ManualClock
  readonly events: LoggedEvent[]
  /** A repository that is not started; give the directory to as many as need it, one after the other. */
  repository(options?: Partial<KraftMetadataOptions>): KraftMetadataRepository
  [Symbol.asyncDispose](): Promise<void>
}

/** One life of node 1's metadata over the files of a directory: started, used by `run`, stopped cleanly. */
export async function metadataLife<T>(
  path: string,
  run: (repository: KraftMetadataRepository) => Promise<T>,
  options: Partial<KraftMetadataOptions> = {},
): Promise<T> {
  const nothing = (): void => undefined
  const logger = { debug: nothing, info: nothing, warn: nothing, error: nothing }
  const ports = { checksum, timers: new ManualClock(), random: new SystemRandom(), logger }
  const logStore = new FileLogStore({ directories: [path], ...ports })
  await logStore.start()
  try {
    const clock = { nowMs: () => BigInt(Date.now()), monotonicMs: () => performance.now() }
    const repository = new KraftMetadataRepository(
      { ...ports, logStore, clock },
      { ...metadataOptions(path), ...options },
    )
    await repository.start()
    logStore.setBrokerEpoch(repository.image().brokers.get(1)!.epoch)
    const result = await run(repository)
    await repository.close()
    return result
  } finally {
    await logStore.close()
  }
}

/** Options that never take a snapshot by themselves in a test. */
export function metadataOptions(path: string): KraftMetadataOptions {
  return {
    nodeId: 1,
    logDirs: [path],
    metadataLogDir: path,
    endPoints: () => [{ name: 'PLAINTEXT', host: '127.0.0.1', port: 9092, securityProtocol: 0 }],
    controllerEndPoints: () => [{ name: 'CONTROLLER', host: '127.0.0.1', port: 9093, securityProtocol: 0 }],
    rack: null,
    minInsyncReplicas: 1,
    segmentBytes: 1 << 30,
    segmentMs: 1n << 40n,
    maxRecordBytesBetweenSnapshots: 20 << 20,
    maxSnapshotIntervalMs: 3_600_000,
    maxRetentionBytes: 100 << 20,
    maxRetentionMs: 604_800_000,
  }
}

export function goldenFolder(name: string): string {
  return join(import.meta.dirname, '..', 'fixtures', 'golden', name)
}

/** A new directory, empty or with what `fill` puts into it; its logs are in memory unless a store is given. */
export async function kraftDirectory(
  fill: (path: string) => Promise<void> = () => Promise.resolve(),
  logStore: LogStore = new MemoryLogStore(),
): Promise<KraftDirectory> {
  const root = await mkdtemp(join(tmpdir(), 'kraft-'))
  const path = join(root, 'data')
  await mkdir(path)
  await fill(path)
  const clock = new ManualClock()
  const events: LoggedEvent[] = []
  const log =
    (level: string) =>
    (event: string, fields: Readonly<Record<string, unknown>> = {}) => {
      events.push({ level, event, fields })
    }
  const logger = { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') }
  const ports: KraftMetadataPorts = { logStore, clock, timers: clock, random: new SystemRandom(), logger, checksum }
  const defaults = metadataOptions(path)
  return {
    path,
    properties: join(root, 'server.properties'),
    folder: join(path, '__cluster_metadata-0'),
    logStore,
    clock,
    events,
    repository: (options = {}) => new KraftMetadataRepository(ports, { ...defaults, ...options }),
    [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }),
  }
}

/** A copy of the identity and metadata of a golden directory, its metadata log in memory. */
export async function goldenDirectory(name: string): Promise<KraftDirectory> {
  const data = join(goldenFolder(name), 'data')
  const logStore = new MemoryLogStore()
  await store(logStore, await goldenLog(name))
  return kraftDirectory(async (path) => {
    for (const file of ['meta.properties', 'bootstrap.checkpoint']) await cp(join(data, file), join(path, file))
    const from = join(data, '__cluster_metadata-0')
    const to = join(path, '__cluster_metadata-0')
    await mkdir(to)
    for (const file of await readdir(from)) {
      if (/\.checkpoint$|^quorum-state$/.test(file)) await cp(join(from, file), join(to, file))
    }
  }, logStore)
}

/** The bytes of a golden metadata log. */
export async function goldenLog(name: string): Promise<Buffer> {
  return readFile(join(goldenFolder(name), 'data', '__cluster_metadata-0', '00000000000000000000.log'))
}

/** Appends stored batches to the metadata log of a store. */
export async function store(logStore: LogStore, bytes: Uint8Array): Promise<void> {
  const log = await logStore.open({ topic: '__cluster_metadata', partition: 0 }, logOptions)
  const batches: StampedBatch[] = []
  for (const view = new RecordBatchView(bytes); view.at < bytes.length; view.at += view.sizeBytes) {
    const { baseOffset, lastOffset, maxTimestamp, leaderEpoch, at, sizeBytes } = view
    batches.push({ bytes: bytes.subarray(at, at + sizeBytes), baseOffset, lastOffset, maxTimestamp, leaderEpoch })
  }
  await log.append(log.range().end, batches)
}

/** Everything in the metadata log of a store. */
export async function stored(logStore: LogStore): Promise<Buffer> {
  const log = await logStore.open({ topic: '__cluster_metadata', partition: 0 }, logOptions)
  const { start, end } = log.range()
  const slice = await log.read(start, { bytesMax: 1 << 30, atLeastOne: true, before: end })
  return Buffer.concat(slice.chunks)
}
