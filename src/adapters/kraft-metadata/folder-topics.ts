/**
 * Topics for a directory that holds partitions but no metadata log: names and numbers from the folders, ids from
 * their `partition.metadata`. A folder without that file gets one, because Kafka sets such a folder aside.
 *
 * Such a directory may also be anybody's: `photos-2024` with neither that file nor a log in it is no partition, and is
 * left alone. So is a number so far from the others that it can hardly be one.
 */
import { join } from 'node:path'
import type { Logger } from '../../application/ports/logger.ts'
import type { ListedLog, LogStore } from '../../application/ports/log-store.ts'
import type { Random } from '../../application/ports/random.ts'
import { UNASSIGNED_DIRECTORY } from '../../domain/cluster/directory-id.ts'
import type { MetadataRecord } from '../../domain/cluster/metadata-record.ts'
import { topicPartitionKey } from '../../domain/topic-partition.ts'
import type { Uuid } from '../../domain/uuid.ts'
import { replaceFile } from './durable-file.ts'
import type { MetadataFiles } from './metadata-files.ts'

export const METADATA_TOPIC = '__cluster_metadata'

export interface FolderTopicsSources {
  readonly files: MetadataFiles
  readonly logStore: LogStore
  readonly random: Random
  readonly logger: Logger
  /** The log directories with their ids. */
  readonly directories: readonly { readonly path: string; readonly id: Uuid }[]
  readonly nodeId: number
}

/** As many as Kafka makes at a time. */
const MISSING_MAX = 10_000

/** A topic has as many partitions as its highest folder says; those between without a folder are empty. */
export async function topicsFromFolders(sources: FolderTopicsSources): Promise<readonly MetadataRecord[]> {
  const topics = new Map<string, { id: Uuid | null; partitions: number }>()
  const found = [...(await sources.logStore.list())].sort(
    (a, b) => a.topicPartition.partition - b.topicPartition.partition,
  )
  for (const log of found) {
    const { topicPartition, topicId } = log
    const { topic, partition } = topicPartition
    if (topic === METADATA_TOPIC) continue
    const known = topics.get(topic)
    if (partition - (known?.partitions ?? 0) > MISSING_MAX || !looksLikePartition(log, sources.files)) {
      sources.logger.warn('folder is no partition', { directory: log.directory, topic, partition })
      continue
    }
    const id = known?.id ?? topicId
    topics.set(topic, { id, partitions: partition + 1 })
    if (topicId !== null && topicId !== id) {
      sources.logger.warn('partition folder with another topic id', { topic, partition, topicId, expected: id })
    }
  }
  const records: MetadataRecord[] = []
  for (const [name, { id, partitions }] of [...topics].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const topicId = id ?? sources.random.uuid()
    records.push({ type: 'TopicRecord', name, topicId })
    for (let partitionId = 0; partitionId < partitions; partitionId++) {
      records.push(await partitionFromFolder(name, topicId, partitionId, sources))
    }
    sources.logger.info('topic found in its folders', { topic: name, topicId, partitions })
  }
  return records
}

function looksLikePartition({ topicPartition, directory, topicId }: ListedLog, files: MetadataFiles): boolean {
  if (topicId !== null || directory === '') return true
  const folder = join(directory, topicPartitionKey(topicPartition.topic, topicPartition.partition))
  return files.listNow(folder).some((name) => /^\d{20}\.log$/.test(name) || name === 'partition.metadata')
}

async function partitionFromFolder(
  topic: string,
  topicId: Uuid,
  partitionId: number,
  { files, directories, nodeId }: FolderTopicsSources,
): Promise<MetadataRecord> {
  const holder = findFolder(files, topicPartitionKey(topic, partitionId), directories)
  if (holder !== null) await completeFolder(files, holder.folder, topicId)
  const directory = holder?.id ?? (directories.length === 1 ? directories[0]!.id : UNASSIGNED_DIRECTORY)
  return {
    type: 'PartitionRecord',
    partitionId,
    topicId,
    replicas: [nodeId],
    isr: [nodeId],
    removingReplicas: [],
    addingReplicas: [],
    leader: nodeId,
    leaderRecoveryState: 0,
    leaderEpoch: holder === null ? 0 : lastLeaderEpoch(files, holder.folder) + 1,
    partitionEpoch: 0,
    directories: [directory],
    eligibleLeaderReplicas: null,
    lastKnownElr: null,
  }
}

function findFolder(
  files: MetadataFiles,
  name: string,
  directories: FolderTopicsSources['directories'],
): { readonly folder: string; readonly id: Uuid } | null {
  for (const { path, id } of directories) {
    const folder = join(path, name)
    if (files.isFolderNow(folder)) return { folder, id }
  }
  return null
}

async function completeFolder(files: MetadataFiles, folder: string, topicId: Uuid): Promise<void> {
  const file = join(folder, 'partition.metadata')
  if (files.readNow(file) !== null) return
  await replaceFile(files, file, [`version: 0\ntopic_id: ${topicId}`], { temporary: `${file}.tmp` })
}

/** From `leader-epoch-checkpoint`: version, count, then an epoch and its first offset a line; -1 = none. */
function lastLeaderEpoch(files: MetadataFiles, folder: string): number {
  const text = files.readNow(join(folder, 'leader-epoch-checkpoint'))?.toString('latin1') ?? ''
  const epochs = text
    .split('\n')
    .slice(2)
    .map((line) => /^(\d+) \d+$/.exec(line)?.[1])
  return epochs.reduce((last, epoch) => (epoch === undefined ? last : Math.max(last, Number(epoch))), -1)
}
