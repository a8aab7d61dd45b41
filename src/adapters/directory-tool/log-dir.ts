/**
 * One log directory as it lies there: who it belongs to, how its last broker stopped, its checkpoints and its folders.
 * Nothing in a partition's folder is looked at here.
 */
import type { MetaProperties } from '../kraft-metadata/meta-properties.ts'
import { parseMetaProperties } from '../kraft-metadata/meta-properties.ts'
import { UnusableDirectory } from '../kraft-metadata/unusable-directory.ts'
import { parseCleanStop, parseOffsets } from '../storage-fs/checkpoint-text.ts'
import { CLEAN_STOP_FILE, isDeletedFolder, LOCK_FILE, partitionOfFolder } from '../storage-fs/file-names.ts'
import type { TopicPartition } from '../../domain/topic-partition.ts'
import { lockStateOf, type LockState } from './directory-lock.ts'
import { messageOf, type Findings } from './findings.ts'
import { readText, type ReadOnlyFiles } from './read-only-files.ts'

export const METADATA_FOLDER = '__cluster_metadata-0'
const META_PROPERTIES = 'meta.properties'

export interface PartitionFolder extends TopicPartition {
  /** The folder's name: `topic-partition`. */
  readonly name: string
  readonly path: string
}

/** A folder that belongs to a partition and is not served. */
export interface SetAsideFolder {
  readonly name: string
  readonly kind: 'deleted' | 'moving' | 'stray' | 'unknown'
}

export const checkpointNames = {
  recoveryPoints: 'recovery-point-offset-checkpoint',
  startOffsets: 'log-start-offset-checkpoint',
  highWatermarks: 'replication-offset-checkpoint',
  firstDirtyOffsets: 'cleaner-offset-checkpoint',
} as const

export type Checkpoints = Readonly<Record<keyof typeof checkpointNames, ReadonlyMap<string, bigint>>>

export interface LogDir {
  readonly path: string
  readonly properties: MetaProperties | null
  readonly lock: LockState
  /** null = its last broker did not stop cleanly, or runs. */
  readonly cleanStop: { readonly brokerEpoch: bigint | null } | null
  readonly checkpoints: Checkpoints
  /** In the order of topics and partitions; the metadata log is not among them. */
  readonly partitions: readonly PartitionFolder[]
  readonly metadataFolder: string | null
  readonly setAside: readonly SetAsideFolder[]
}

/** @throws what the file system throws when the directory itself cannot be listed */
export async function readLogDir(files: ReadOnlyFiles, path: string, findings: Findings): Promise<LogDir> {
  const entries = await files.list(path)
  const partitions: PartitionFolder[] = []
  const setAside: SetAsideFolder[] = []
  for (const { name, directory } of entries) {
    if (!directory || name === METADATA_FOLDER) continue
    const partition = partitionOfFolder(name)
    if (partition === null) setAside.push({ name, kind: kindOf(name) })
    else partitions.push({ ...partition, name, path: `${path}/${name}` })
  }
  const marker = await readText(files, `${path}/${CLEAN_STOP_FILE}`)
  return {
    path,
    properties: await readProperties(files, path, findings),
    lock: await lockStateOf(`${path}/${LOCK_FILE}`),
    cleanStop: marker === null ? null : { brokerEpoch: parseCleanStop(marker) },
    checkpoints: await readCheckpoints(files, path, findings),
    partitions: partitions.sort(byName),
    metadataFolder: entries.some(({ name }) => name === METADATA_FOLDER) ? `${path}/${METADATA_FOLDER}` : null,
    setAside: setAside.sort((a, b) => (a.name < b.name ? -1 : 1)),
  }
}

function byName(a: PartitionFolder, b: PartitionFolder): number {
  return a.topic === b.topic ? a.partition - b.partition : a.topic < b.topic ? -1 : 1
}

function kindOf(name: string): SetAsideFolder['kind'] {
  if (isDeletedFolder(name)) return 'deleted'
  if (/-\d{1,10}\.[0-9a-f]{32}-future$/.test(name)) return 'moving'
  return /-\d{1,10}\.[0-9a-f]{32}-stray$/.test(name) ? 'stray' : 'unknown'
}

async function readProperties(files: ReadOnlyFiles, path: string, findings: Findings): Promise<MetaProperties | null> {
  const file = `${path}/${META_PROPERTIES}`
  try {
    const text = await readText(files, file)
    if (text !== null) return parseMetaProperties(text, file)
    findings.problem(file, 'is missing: a broker takes the directory for one that is not formatted')
  } catch (error) {
    if (error instanceof UnusableDirectory) findings.problem(file, error.reason)
    else findings.failure(file, error)
  }
  return null
}

async function readCheckpoints(files: ReadOnlyFiles, path: string, findings: Findings): Promise<Checkpoints> {
  const read = async (name: string): Promise<ReadonlyMap<string, bigint>> => {
    const file = `${path}/${name}`
    try {
      const text = await readText(files, file)
      // the file is empty until there is something to write
      if (text === null || text === '') return new Map()
      const offsets = parseOffsets(text)
      if (offsets !== null) return offsets
      findings.problem(file, 'is no checkpoint: its version, its count or one of its lines does not hold')
    } catch (error) {
      findings.add('unreadable', file, `cannot be read: ${messageOf(error)}`)
    }
    return new Map()
  }
  return {
    recoveryPoints: await read(checkpointNames.recoveryPoints),
    startOffsets: await read(checkpointNames.startOffsets),
    highWatermarks: await read(checkpointNames.highWatermarks),
    firstDirtyOffsets: await read(checkpointNames.firstDirtyOffsets),
  }
}

/** Log directories that no broker would start with together. */
export function compareIdentities(dirs: readonly LogDir[], findings: Findings): void {
  const first = dirs.find(({ properties }) => properties !== null)
  const expected = first?.properties ?? null
  const ids = new Map<string, string>()
  for (const { path, properties } of dirs) {
    if (properties === null || expected === null) continue
    const file = `${path}/${META_PROPERTIES}`
    const { clusterId, nodeId, directoryId } = properties
    if (clusterId !== expected.clusterId) {
      findings.problem(file, `cluster.id is ${clusterId}, but ${first!.path} says ${expected.clusterId}`)
    }
    if (nodeId !== expected.nodeId) {
      findings.problem(file, `node.id is ${nodeId}, but ${first!.path} says ${expected.nodeId}`)
    }
    if (directoryId === null) continue
    const twin = ids.get(directoryId)
    if (twin !== undefined) findings.problem(file, `directory.id ${directoryId} is also that of ${twin}`)
    ids.set(directoryId, path)
  }
  const places = new Map<string, string>()
  for (const { path, partitions } of dirs) {
    for (const { name, path: folder } of partitions) {
      const twin = places.get(name)
      if (twin !== undefined) findings.problem(folder, `the partition also lies in ${twin}`)
      places.set(name, path)
    }
  }
}
