/**
 * `quorum-state`: the epoch that this node has voted or led in, so that no epoch is used twice (KIP-595).
 *
 * Data version 0 belongs to static voters (`kraft.version` 0), 1 to a dynamic quorum (`kraft.version` 1).
 */
import type { SmallFile } from './durable-file.ts'
import { nodeMetadataFiles, type MetadataFiles } from './metadata-files.ts'
import { UnusableDirectory } from './unusable-directory.ts'

/** The epoch that the file remembers, 0 when there is no file. */
export function readQuorumEpoch(file: string, files: MetadataFiles = nodeMetadataFiles): number {
  const bytes = files.readNow(file)
  if (bytes === null) return 0
  let state: unknown
  try {
    state = JSON.parse(bytes.toString('utf8'))
  } catch (error) {
    throw new UnusableDirectory(file, 'not JSON', null, error)
  }
  const fields = (typeof state === 'object' && state !== null ? state : {}) as Record<string, unknown>
  const { leaderEpoch, data_version: version } = fields
  if (version !== 0 && version !== 1) throw new UnusableDirectory(file, `data_version ${String(version)} is unknown`)
  if (typeof leaderEpoch !== 'number' || !Number.isInteger(leaderEpoch)) {
    throw new UnusableDirectory(file, 'leaderEpoch is missing')
  }
  return Math.max(leaderEpoch, 0)
}

/** The file that remembers that this node leads `epoch`. */
export function quorumStateFile(
  file: string,
  { nodeId, epoch, kraftVersion }: { readonly nodeId: number; readonly epoch: number; readonly kraftVersion: number },
): SmallFile {
  const leader = { leaderId: nodeId, leaderEpoch: epoch, votedId: -1 }
  const state =
    kraftVersion === 0
      ? { clusterId: '', ...leader, appliedOffset: 0, currentVoters: [{ voterId: nodeId }], data_version: 0 }
      : { ...leader, votedDirectoryId: 'AAAAAAAAAAAAAAAAAAAAAA', data_version: 1 }
  return { file, chunks: [JSON.stringify(state)] }
}
