/** From configured directories to a leader of a new epoch: what happens before the first commit. */
import { join } from 'node:path'
import type { LogOptions } from '../../application/ports/log-store.ts'
import { METADATA_TOPIC_ID } from '../../domain/uuid.ts'
import type { Uuid } from '../../domain/uuid.ts'
import type { ClusterImage } from '../../domain/cluster/cluster-image.ts'
import type { MetadataRecord } from '../../domain/cluster/metadata-record.ts'
import {
  FORMAT_LEVEL,
  bootstrapRecords,
  formatFeatures,
  metadataVersionAllows,
  supportedFeatures,
} from '../../domain/cluster/metadata-version.ts'
import { decideTakeover, endedUncleanly } from '../../domain/cluster/single-node-leadership.ts'
import type { Crc32c } from '../../domain/log/batch-writer.ts'
import type { ControlRecord } from './control-records.ts'
import type { SmallFile } from './durable-file.ts'
import { replaceFilesNow } from './durable-file.ts'
import { nodeMetadataFiles, type MetadataFiles } from './metadata-files.ts'
import { METADATA_TOPIC, topicsFromFolders } from './folder-topics.ts'
import type { KraftMetadataOptions, KraftMetadataPorts } from './kraft-metadata-options.ts'
import { identifyDirectories, inspectDirectories } from './log-directories.ts'
import type { LoadedMetadata } from './metadata-loader.ts'
import { loadMetadata } from './metadata-loader.ts'
import { MetadataLogWriter } from './metadata-log-writer.ts'
import { quorumStateFile, readQuorumEpoch } from './quorum-state.ts'
import { quorumControlRecords, readSnapshot, snapshotChunks } from './snapshot-file.ts'
import { SnapshotKeeper } from './snapshot-keeper.ts'
import { UnusableDirectory } from './unusable-directory.ts'

/** Stages records, in a named metadata transaction if one is given, and answers the image after them. */
export type Stage = (records: readonly MetadataRecord[], transaction?: string) => ClusterImage

export interface Leadership {
  readonly writer: MetadataLogWriter
  readonly keeper: SnapshotKeeper
  /** What was read, and nothing more. */
  readonly image: ClusterImage
  /** Of the directories that take partitions, by path. */
  readonly directoryIds: ReadonlyMap<string, Uuid>
  /** Stages everything with which a leader begins, through the function that stages any commit. */
  readonly stageAll: (stage: Stage) => void
}

interface Directory {
  readonly path: string
  readonly id: Uuid
}

export async function takeLeadership(ports: KraftMetadataPorts, options: KraftMetadataOptions): Promise<Leadership> {
  const { logStore, clock, timers, random, logger, checksum, files = nodeMetadataFiles } = ports
  const crc32c: Crc32c = (bytes) => checksum.crc32c(bytes)
  // A metadata directory that takes no partitions is formatted like the others, but not registered.
  // One that is offline is neither looked at nor registered, as Kafka does.
  const offline = new Set((await logStore.directories()).filter(({ online }) => !online).map(({ path }) => path))
  const paths = [...new Set([...options.logDirs, options.metadataLogDir])].filter((path) => !offline.has(path))
  const inspected = inspectDirectories(files, paths, options)
  const known = inspected.find(({ properties }) => properties !== null)?.properties
  const clusterId = known?.clusterId ?? options.clusterId ?? random.uuid()
  const folder = join(options.metadataLogDir, `${METADATA_TOPIC}-0`)
  const quorumState = join(folder, 'quorum-state')
  const votedEpoch = readQuorumEpoch(quorumState, files)
  const log = await logStore.open({ topic: METADATA_TOPIC, partition: 0 }, logOptions(options))
  const loaded = await loadMetadata({ files, clusterId, log, folder, crc32c, logger })

  checkLevels(loaded.image, folder)

  const { ids, files: identities } = identifyDirectories(
    inspected,
    { nodeId: options.nodeId, clusterId },
    random,
    clock,
  )
  const directories = paths.map((path, index) => ({ path, id: ids[index]! }))
  const { first, bootstrap } = await firstRecords({ ...ports, files }, options, loaded, directories, crc32c)
  const epoch = Math.max(votedEpoch, loaded.epoch) + 1
  const voted = quorumStateFile(quorumState, { nodeId: options.nodeId, epoch, kraftVersion: loaded.kraftVersion })
  for (const path of [...paths, folder]) files.makeFolderNow(path)
  replaceFilesNow(files, [...bootstrap, voted])
  // Last, and only when all else is on the disk: a directory that has it is formatted.
  replaceFilesNow(files, identities)
  if (known === undefined) logger.info('formatted', { clusterId, nodeId: options.nodeId, directories: paths })

  const writer = new MetadataLogWriter(log, epoch, clock, crc32c)
  const { kraftVersion, voters } = loaded
  const keeper = new SnapshotKeeper(
    { files, log, folder, facts: { kraftVersion, voters }, policy: options, clock, timers, logger, crc32c },
    loaded.bytesSinceSnapshot,
  )
  await keeper.adopt(loaded.snapshots)
  const incarnations = { broker: random.uuid(), controller: random.uuid() }
  const stageAll = (stage: Stage): void => {
    writer.stageControl(epochRecords(loaded, options.nodeId))
    if (loaded.image.openTransaction !== null) {
      stage([{ type: 'AbortTransactionRecord', reason: 'The leader that began it is gone' }])
    }
    const image = first.length > 0 ? stageFirst(stage, first) : loaded.image
    stageRegistration(stage, { image, writer, options, directories, incarnations })
  }
  const taking = directories.filter(({ path }) => options.logDirs.includes(path))
  const directoryIds = new Map(taking.map(({ path, id }) => [path, id]))
  return { writer, keeper, image: loaded.image, directoryIds, stageAll }
}

/** Levels outside of what we know would be misread, or misled others when we write. */
function checkLevels({ features }: ClusterImage, folder: string): void {
  for (const [name, level] of features) {
    const range = supportedFeatures.find((feature) => feature.name === name)
    if (range === undefined) throw new UnusableDirectory(folder, `the feature ${name} (level ${level}) is unknown`)
    const { minSupportedVersion: min, maxSupportedVersion: max } = range
    if (level < min || level > max) {
      throw new UnusableDirectory(folder, `${name} is at level ${level}, and only ${min} to ${max} are known`)
    }
  }
}

function logOptions({ segmentBytes, segmentMs }: KraftMetadataOptions): LogOptions {
  const never = 0x7fff_ffff_ffff_ffffn
  return {
    topicId: METADATA_TOPIC_ID,
    segmentBytes,
    segmentMs,
    segmentJitterMs: 0n,
    segmentIndexBytes: 10 * 1024 * 1024,
    indexIntervalBytes: 4096,
    flushMessages: never,
    flushMs: never,
    fileDeleteDelayMs: 60_000n,
    preallocate: false,
  }
}

interface FirstRecords {
  readonly first: readonly MetadataRecord[]
  /** The `bootstrap.checkpoint` files that the directories are to have. */
  readonly bootstrap: readonly SmallFile[]
}

/**
 * What is to be written before anything else: everything, when the log is new, or the features of a log that says
 * nothing of its level.
 */
async function firstRecords(
  ports: KraftMetadataPorts & { readonly files: MetadataFiles },
  options: KraftMetadataOptions,
  loaded: LoadedMetadata,
  directories: readonly Directory[],
  crc32c: Crc32c,
): Promise<FirstRecords> {
  const { image, isNew } = loaded
  if (!isNew && image.features.has('metadata.version')) return { first: [], bootstrap: [] }
  const features = formatFeatures(FORMAT_LEVEL)
  if (!isNew) return { first: bootstrapRecords(features, options.minInsyncReplicas), bootstrap: [] }
  const given = loaded.bootstrap ?? (await readBootstrap(ports.files, directories, crc32c))
  const records = given ?? bootstrapRecords(features, options.minInsyncReplicas)
  const bootstrap = given === null ? bootstrapFiles(ports, directories, features, crc32c) : []
  const topics = await topicsFromFolders({ ...ports, directories, nodeId: options.nodeId })
  const config = given === null ? [] : elrDefault(given, options.minInsyncReplicas)
  return { first: [...records, ...config, ...topics], bootstrap }
}

/** The config that goes with eligible leader replicas, for features that somebody else chose. */
function elrDefault(records: readonly MetadataRecord[], minInsyncReplicas: number): readonly MetadataRecord[] {
  const levels = records.flatMap((record) =>
    record.type === 'FeatureLevelRecord' ? [{ name: record.name, level: record.featureLevel }] : [],
  )
  return bootstrapRecords(levels, minInsyncReplicas).filter(({ type }) => type === 'ConfigRecord')
}

async function readBootstrap(
  files: MetadataFiles,
  directories: readonly Directory[],
  crc32c: Crc32c,
): Promise<readonly MetadataRecord[] | null> {
  for (const { path } of directories) {
    const file = join(path, 'bootstrap.checkpoint')
    if (files.readNow(file) !== null) return (await readSnapshot(file, crc32c, files)).records
  }
  return null
}

/** As `kafka-storage format` of 4.2 and 4.3 leaves it in every directory. */
function bootstrapFiles(
  { clock }: KraftMetadataPorts,
  directories: readonly Directory[],
  features: ReturnType<typeof formatFeatures>,
  crc32c: Crc32c,
): readonly SmallFile[] {
  const nowMs = clock.nowMs()
  const records = features.map(({ name, level }) => {
    return { type: 'FeatureLevelRecord', name, featureLevel: level } as const
  })
  const chunks = snapshotChunks(
    { records, kraftVersion: 0, voters: null, lastContainedLogTimestamp: 0n },
    { epoch: 0, level: FORMAT_LEVEL, nowMs },
    crc32c,
  )
  return directories.map(({ path }) => ({ file: join(path, 'bootstrap.checkpoint'), chunks }))
}

/**
 * The control records of a new epoch; on a new log of a dynamic quorum also what the quorum is. Kafka 4.3 reads and
 * writes LeaderChange in version 0, without directory ids, whatever the `kraft.version`.
 */
function epochRecords(loaded: LoadedMetadata, nodeId: number): readonly ControlRecord[] {
  const others = loaded.voters?.voters.filter(({ voterId }) => voterId !== nodeId) ?? []
  const voters = [{ voterId: nodeId }, ...others.map(({ voterId }) => ({ voterId }))]
  const value = { version: 0, leaderId: nodeId, voters, grantingVoters: [{ voterId: nodeId }] }
  const change: ControlRecord = { type: 'LeaderChange', value }
  return loaded.isNew ? [change, ...quorumControlRecords(loaded)] : [change]
}

function stageFirst(stage: Stage, records: readonly MetadataRecord[]): ClusterImage {
  const level = records.find((record) => record.type === 'FeatureLevelRecord' && record.name === 'metadata.version')
  const transactions =
    level?.type === 'FeatureLevelRecord' && metadataVersionAllows(level.featureLevel, 'metadataTransactions')
  return transactions ? stage(records, 'Bootstrap records') : stage(records)
}

interface Registration {
  readonly image: ClusterImage
  readonly writer: MetadataLogWriter
  readonly options: KraftMetadataOptions
  readonly directories: readonly Directory[]
  readonly incarnations: { readonly broker: Uuid; readonly controller: Uuid }
}

/** Controller, broker (fenced), and with its unfencing the partitions that it leads. */
function stageRegistration(stage: Stage, registration: Registration): void {
  const { image, writer, options, directories, incarnations } = registration
  const { nodeId, rack } = options
  if (metadataVersionAllows(image.features.get('metadata.version') ?? 0, 'controllerRegistration')) {
    stage([
      {
        type: 'RegisterControllerRecord',
        controllerId: nodeId,
        incarnationId: incarnations.controller,
        zkMigrationReady: false,
        endPoints: options.controllerEndPoints(),
        features: supportedFeatures,
      },
    ])
  }
  const uncleanly = endedUncleanly(image, nodeId)
  // The broker's epoch is the offset of its registration.
  const brokerEpoch = writer.end
  const registered = stage([
    {
      type: 'RegisterBrokerRecord',
      brokerId: nodeId,
      isMigratingZkBroker: false,
      incarnationId: incarnations.broker,
      brokerEpoch,
      endPoints: options.endPoints(),
      features: supportedFeatures,
      rack,
      fenced: true,
      inControlledShutdown: false,
      logDirs: directories.filter(({ path }) => options.logDirs.includes(path)).map(({ id }) => id),
      cordonedLogDirs: null,
    },
  ])
  stage(decideTakeover(registered, { nodeId, brokerEpoch, uncleanly }))
}
