/**
 * The identity of the log directories: looks at every `meta.properties` before anything is written, refuses what
 * belongs to another node or cluster, and says what new directories are to have.
 */
import { join } from 'node:path'
import type { Clock } from '../../application/ports/clock.ts'
import type { Random } from '../../application/ports/random.ts'
import type { Uuid } from '../../domain/uuid.ts'
import type { SmallFile } from './durable-file.ts'
import type { MetadataFiles } from './metadata-files.ts'
import type { MetaProperties } from './meta-properties.ts'
import { formatMetaProperties, parseMetaProperties } from './meta-properties.ts'
import { UnusableDirectory } from './unusable-directory.ts'

const FILE = 'meta.properties'

export interface InspectedDirectory {
  readonly path: string
  /** null = not formatted yet. */
  readonly properties: MetaProperties | null
}

export interface DirectoryIdentity {
  readonly nodeId: number
  /** The cluster that the directories must belong to; absent = the one that they say. */
  readonly clusterId?: string
}

/**
 * What the directories say of themselves. Missing ones count as not formatted.
 *
 * @throws UnusableDirectory when one belongs to another node or cluster than the options or the others say
 */
export function inspectDirectories(
  files: MetadataFiles,
  paths: readonly string[],
  { nodeId, clusterId }: DirectoryIdentity,
): readonly InspectedDirectory[] {
  const directories: InspectedDirectory[] = []
  const ids = new Map<Uuid, string>()
  let cluster = clusterId === undefined ? null : { id: clusterId, from: 'the configuration' }
  for (const path of paths) {
    const file = join(path, FILE)
    const bytes = files.readNow(file)
    const properties = bytes === null ? null : parseMetaProperties(bytes.toString('utf8'), file)
    directories.push({ path, properties })
    if (properties === null) continue
    if (properties.nodeId !== nodeId) {
      throw new UnusableDirectory(file, `node.id is ${properties.nodeId}, but this broker is configured as ${nodeId}`)
    }
    cluster ??= { id: properties.clusterId, from: file }
    if (properties.clusterId !== cluster.id) {
      throw new UnusableDirectory(file, `cluster.id is ${properties.clusterId}, but ${cluster.from} says ${cluster.id}`)
    }
    const { directoryId } = properties
    if (directoryId === null) continue
    const twin = ids.get(directoryId)
    if (twin !== undefined) throw new UnusableDirectory(file, `directory.id ${directoryId} is also that of ${twin}`)
    ids.set(directoryId, path)
  }
  return directories
}

export interface DirectoryIds {
  /** In the order of the paths. */
  readonly ids: readonly Uuid[]
  /** The `meta.properties` that are to be written, for the directories that lacked the file or the id in it. */
  readonly files: readonly SmallFile[]
}

/** Gives every directory that lacks one an id. Writes nothing. */
export function identifyDirectories(
  directories: readonly InspectedDirectory[],
  { nodeId, clusterId }: Required<DirectoryIdentity>,
  random: Random,
  clock: Clock,
): DirectoryIds {
  const ids: Uuid[] = []
  const files: SmallFile[] = []
  for (const { path, properties } of directories) {
    if (properties !== null && properties.directoryId !== null) {
      ids.push(properties.directoryId)
      continue
    }
    const directoryId = random.uuid()
    const identified = { clusterId, nodeId, directoryId, others: properties?.others ?? new Map<string, string>() }
    files.push({ file: join(path, FILE), chunks: [formatMetaProperties(identified, clock.nowMs())] })
    ids.push(directoryId)
  }
  return { ids, files }
}
