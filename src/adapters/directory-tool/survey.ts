/** All given log directories together: what they say of themselves, and the metadata that one of them holds. */
import type { ClusterImage, TopicImage } from '../../domain/cluster/cluster-image.ts'
import { configsOf } from '../../domain/cluster/cluster-image.ts'
import type { Uuid } from '../../domain/uuid.ts'
import type { BatchTools } from './batch-verdict.ts'
import type { Findings } from './findings.ts'
import { compareIdentities, readLogDir, type LogDir } from './log-dir.ts'
import { readMetadata, type MetadataSummary } from './metadata-log.ts'
import type { ReadOnlyFiles } from './read-only-files.ts'

export interface ToolPorts {
  readonly files: ReadOnlyFiles
  readonly tools: BatchTools
}

export interface Survey {
  readonly dirs: readonly LogDir[]
  /** null = none of the directories holds a metadata log. */
  readonly metadata: (MetadataSummary & { readonly folder: string }) | null
}

/** A given path that is no directory, or cannot be listed. */
export class UnreadablePath extends Error {
  override readonly name = 'UnreadablePath'
}

export async function survey(
  { files, tools }: ToolPorts,
  paths: readonly string[],
  findings: Findings,
  everySnapshot: boolean,
): Promise<Survey> {
  const dirs: LogDir[] = []
  for (const path of paths) {
    try {
      dirs.push(await readLogDir(files, path, findings))
    } catch (error) {
      throw new UnreadablePath(`${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  compareIdentities(dirs, findings)
  const holder = dirs.find(({ metadataFolder }) => metadataFolder !== null)
  const folder = holder?.metadataFolder ?? null
  if (folder === null) return { dirs, metadata: null }
  let metadata: Survey['metadata'] = null
  await findings.guard(folder, async () => {
    const sources = { files, tools, findings, folder, clean: holder!.cleanStop !== null }
    metadata = { ...(await readMetadata(sources, everySnapshot)), folder }
  })
  return { dirs, metadata }
}

/** What the metadata says of a topic: undefined = it cannot be known, null = there is no such topic. */
export function topicIn(found: Survey, name: string): TopicImage | null | undefined {
  const image = imageOf(found)
  return image === null ? undefined : (image.topicsByName.get(name) ?? null)
}

export function imageOf({ metadata }: Survey): ClusterImage | null {
  const image = metadata?.image ?? null
  // a log that says not even its own level was never in use
  return image !== null && image.features.size > 0 ? image : null
}

/** Whether offsets may be missing: compacted topics lose some, and of an unknown topic it cannot be told. */
export function mayHaveGaps(found: Survey, topic: string): boolean {
  const image = imageOf(found)
  if (image === null || !image.topicsByName.has(topic)) return true
  const own = configsOf(image, 'TOPIC', topic).get('cleanup.policy')
  // the broker's default may be another one and is in no directory
  return own === undefined || own.includes('compact') || topic.startsWith('__')
}

/** Partitions that the metadata puts into one of the directories and that have no folder there. */
export function missingFolders(found: Survey): readonly { readonly path: string; readonly topicId: Uuid }[] {
  const missing: { path: string; topicId: Uuid }[] = []
  const image = imageOf(found)
  for (const topic of image?.topicsById.values() ?? []) {
    for (const { partitionId, directories, replicas } of topic.partitions) {
      for (const { path, properties, partitions } of found.dirs) {
        if (properties === null) continue
        const placed = directories[replicas.indexOf(properties.nodeId)]
        const here = placed !== undefined && placed === properties.directoryId
        const name = `${topic.name}-${partitionId}`
        if (here && !partitions.some((folder) => folder.name === name))
          missing.push({ path: `${path}/${name}`, topicId: topic.id })
      }
    }
  }
  return missing
}
