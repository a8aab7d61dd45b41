/** `--check`: every byte of the given directories that can be verified. */
import { topicPartitionKey } from '../../domain/topic-partition.ts'
import { checkPartition, type PartitionTotals } from './check-partition.ts'
import type { Finding, Findings } from './findings.ts'
import { stateText } from './listing.ts'
import { checkpointNames, METADATA_FOLDER, type LogDir, type PartitionFolder } from './log-dir.ts'
import type { Output } from './output.ts'
import { listPartition } from './partition-files.ts'
import { Progress, sizeText, type ProgressTarget } from './progress.ts'
import { jsonOf } from './readable.ts'
import { mayHaveGaps, missingFolders, survey, topicIn, type Survey, type ToolPorts } from './survey.ts'
import { readQuorumEpoch } from '../kraft-metadata/quorum-state.ts'
import { UnusableDirectory } from '../kraft-metadata/unusable-directory.ts'

export interface CheckSurroundings {
  readonly output: Output
  readonly findings: Findings
  /** The findings that are not printed yet. */
  readonly told: Finding[]
  readonly progress: ProgressTarget
  readonly nowMs: () => number
}

export async function check(
  ports: ToolPorts,
  paths: readonly string[],
  json: boolean,
  { output, findings, told, progress: target, nowMs }: CheckSurroundings,
): Promise<void> {
  const beganMs = nowMs()
  const found = await survey(ports, paths, findings, true)
  const progress = new Progress(target, nowMs, await bytesOf(ports, found))
  const print = async (): Promise<void> => {
    if (told.length === 0) return
    progress.clear()
    for (const { severity, path, text } of told.splice(0)) {
      await output.line(json ? jsonOf({ severity, path, text }) : `${severity}: ${path} ${text}`)
    }
    await output.flush()
  }
  const totals = { partitions: 0, segments: 0, batches: 0, records: 0, bytes: 0 }
  const add = (some: PartitionTotals): void => {
    totals.partitions++
    totals.segments += some.segments
    totals.batches += some.batches
    totals.records += some.records
    totals.bytes += some.bytes
  }
  for (const dir of found.dirs) {
    if (!json) await output.line(`${dir.path}: ${stateText(dir)}`)
    checkDirectory(dir, findings)
    await print()
    if (dir.metadataFolder !== null) {
      await findings.guard(`${dir.metadataFolder}/quorum-state`, () => checkQuorumState(dir, findings))
      const folder = { topic: '__cluster_metadata', partition: 0, name: METADATA_FOLDER, path: dir.metadataFolder }
      add(await checkFolder(ports, found, dir, folder, findings, (bytes) => progress.add(bytes)))
      await print()
    }
    for (const folder of dir.partitions) {
      if (output.closed) return
      add(await checkFolder(ports, found, dir, folder, findings, (bytes) => progress.add(bytes)))
      await print()
    }
  }
  for (const { path } of missingFolders(found)) findings.problem(path, 'has no folder: a broker begins an empty log')
  await print()
  progress.clear()
  const { problem, note, unreadable } = findings.counts
  if (json) {
    await output.line(jsonOf({ ...totals, problems: problem, notes: note, unreadable }))
    return
  }
  const seconds = (nowMs() - beganMs) / 1000
  const { partitions, segments, batches, records, bytes } = totals
  await output.line(
    `checked ${partitions} partitions, ${segments} segments, ${batches} batches, ${records} records, ${sizeText(bytes)} in ${seconds.toFixed(1)} s`,
  )
  await output.line(`${problem} problems, ${unreadable} unreadable files, ${note} notes`)
}

async function bytesOf({ files }: ToolPorts, { dirs }: Survey): Promise<number> {
  let bytes = 0
  for (const { partitions, metadataFolder } of dirs) {
    const folders = partitions.map(({ path }) => path)
    for (const path of metadataFolder === null ? folders : [metadataFolder, ...folders]) {
      // what cannot be listed is told when its turn comes
      const listed = await listPartition(files, path).catch(() => null)
      for (const { sizeBytes } of listed?.segments ?? []) bytes += sizeBytes
    }
  }
  return bytes
}

async function checkFolder(
  { files, tools }: ToolPorts,
  found: Survey,
  dir: LogDir,
  folder: PartitionFolder,
  findings: Findings,
  onBytes: (bytes: number) => void,
): Promise<PartitionTotals> {
  const { name, topic, path } = folder
  const { recoveryPoints, startOffsets, highWatermarks } = dir.checkpoints
  const isMetadata = name === METADATA_FOLDER
  const known = isMetadata ? undefined : topicIn(found, topic)
  return await checkPartition({
    files,
    tools,
    findings,
    path,
    clean: dir.cleanStop !== null && dir.lock !== 'held',
    inUse: dir.lock === 'held',
    recoveryPoint: recoveryPoints.get(name) ?? null,
    startOffset: startOffsets.get(name) ?? null,
    highWatermark: highWatermarks.get(name) ?? null,
    topicId: known === undefined ? undefined : (known?.id ?? null),
    mayHaveGaps: mayHaveGaps(found, topic),
    isMetadata,
    onBytes,
  })
}

/** What the checkpoints say of partitions that are not there. */
function checkDirectory(dir: LogDir, findings: Findings): void {
  const names = new Set(dir.partitions.map(({ topic, partition }) => topicPartitionKey(topic, partition)))
  for (const [field, offsets] of Object.entries(dir.checkpoints) as [
    keyof typeof checkpointNames,
    Map<string, bigint>,
  ][]) {
    const gone = [...offsets.keys()].filter((key) => !names.has(key) && key !== METADATA_FOLDER)
    const negative = [...offsets].filter(([, offset]) => offset < 0n).map(([key]) => key)
    const file = `${dir.path}/${checkpointNames[field]}`
    if (gone.length > 0) findings.note(file, `names partitions that have no folder here: ${gone.join(', ')}`)
    if (negative.length > 0) findings.problem(file, `has negative offsets: ${negative.join(', ')}`)
  }
}

function checkQuorumState({ metadataFolder }: LogDir, findings: Findings): Promise<void> {
  const file = `${metadataFolder!}/quorum-state`
  try {
    readQuorumEpoch(file)
  } catch (error) {
    if (!(error instanceof UnusableDirectory)) throw error
    findings.problem(file, error.reason)
  }
  return Promise.resolve()
}
