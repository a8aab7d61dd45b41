/**
 * Which log directory of a broker holds a replica, as the metadata has it (KIP-858): what the broker says with
 * AssignReplicasToDirs, and the controller writes down.
 */
import type { Uuid } from '../uuid.ts'
import type { ClusterImage } from './cluster-image.ts'
import type { MetadataRecord } from './metadata-record.ts'
import { metadataVersionAllows } from './metadata-version.ts'
import { unchangedPartition } from './topic-evolution.ts'

export interface ReplicaDirectory {
  readonly topicId: Uuid
  readonly partitionId: number
  readonly directoryId: Uuid
}

/**
 * The records that say where the broker's replicas are, for those of which the image says otherwise. Partitions that
 * are gone are passed over; below `metadata.version` 3.7-IV2 nothing can be said.
 */
export function decideDirectories(
  image: ClusterImage,
  brokerId: number,
  replicas: readonly ReplicaDirectory[],
): readonly MetadataRecord[] {
  if (!metadataVersionAllows(image.features.get('metadata.version') ?? 0, 'directories')) return []
  const records: MetadataRecord[] = []
  for (const { topicId, partitionId, directoryId } of replicas) {
    const partition = image.topicsById.get(topicId)?.partitions[partitionId]
    const at = partition?.replicas.indexOf(brokerId) ?? -1
    if (partition === undefined || at < 0 || partition.directories[at] === directoryId) continue
    records.push({
      ...unchangedPartition(topicId, partitionId),
      directories: partition.directories.with(at, directoryId),
    })
  }
  return records
}
