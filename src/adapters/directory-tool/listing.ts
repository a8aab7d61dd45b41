/** The cheap look: every directory, every topic and partition, without reading a record. */
import { metadataVersionName } from '../../domain/cluster/metadata-version.ts'
import { lookAtPartition, type PartitionLook } from './partition-look.ts'
import { messageOf, type Finding, type Findings } from './findings.ts'
import type { LogDir, PartitionFolder } from './log-dir.ts'
import type { Output } from './output.ts'
import { sizeText } from './progress.ts'
import { jsonOf } from './readable.ts'
import { imageOf, missingFolders, survey, topicIn, type Survey, type ToolPorts } from './survey.ts'

/** So many partitions are looked at at a time. */
const PARALLEL = 16

interface Row {
  readonly folder: PartitionFolder
  readonly look: PartitionLook | null
  readonly health: string
}

export async function list(
  ports: ToolPorts,
  paths: readonly string[],
  json: boolean,
  output: Output,
  findings: Findings,
  told: readonly Finding[],
): Promise<void> {
  const found = await survey(ports, paths, findings, false)
  for (const { path } of missingFolders(found)) findings.problem(path, 'has no folder: a broker begins an empty log')
  for (const dir of found.dirs) {
    const rows = await rowsOf(ports, found, dir)
    if (json) await printJson(dir, rows, output)
    else await printText(found, dir, rows, output)
  }
  for (const finding of told)
    await output.line(json ? jsonOf(finding) : `${finding.severity}: ${finding.path} ${finding.text}`)
}

async function rowsOf(ports: ToolPorts, found: Survey, dir: LogDir): Promise<readonly Row[]> {
  const rows: Row[] = []
  const { partitions } = dir
  for (let from = 0; from < partitions.length; from += PARALLEL) {
    const some = partitions.slice(from, from + PARALLEL)
    rows.push(...(await Promise.all(some.map((folder) => rowOf(ports, found, dir, folder)))))
  }
  return rows
}

async function rowOf({ files, tools }: ToolPorts, found: Survey, dir: LogDir, folder: PartitionFolder): Promise<Row> {
  try {
    const startOffset = dir.checkpoints.startOffsets.get(folder.name) ?? null
    const look = await lookAtPartition(files, folder.path, startOffset, tools)
    const remarks = [...look.remarks]
    const topic = topicIn(found, folder.topic)
    if (topic === null) remarks.push('topic not in the metadata')
    else if (topic !== undefined && look.topicId !== null && topic.id !== look.topicId) {
      remarks.push('another topic id than in the metadata')
    }
    return { folder, look, health: remarks.length === 0 ? 'ok' : remarks.join(', ') }
  } catch (error) {
    return { folder, look: null, health: `cannot be read: ${messageOf(error)}` }
  }
}

async function printJson(dir: LogDir, rows: readonly Row[], output: Output): Promise<void> {
  const { path, properties, lock, cleanStop, setAside } = dir
  await output.line(
    jsonOf({
      logDir: path,
      clusterId: properties?.clusterId ?? null,
      nodeId: properties?.nodeId ?? null,
      directoryId: properties?.directoryId ?? null,
      inUse: lock === 'held',
      cleanStop: cleanStop !== null,
      setAside,
    }),
  )
  for (const { folder, look, health } of rows) {
    const { topic, partition } = folder
    await output.line(
      jsonOf({
        topic,
        partition,
        topicId: look?.topicId ?? null,
        logDir: path,
        startOffset: look?.start ?? null,
        endOffset: look?.end ?? null,
        lastStableOffset: look?.lastStable ?? null,
        segments: look?.segments ?? null,
        bytes: look?.logBytes ?? null,
        health,
      }),
    )
  }
}

async function printText(found: Survey, dir: LogDir, rows: readonly Row[], output: Output): Promise<void> {
  const { path, properties, setAside } = dir
  await output.line(path)
  if (properties !== null) {
    const { clusterId, nodeId, directoryId } = properties
    await output.line(`  cluster ${clusterId}, node ${nodeId}, directory ${directoryId ?? 'without an id'}`)
  }
  await output.line(`  ${stateText(dir)}`)
  if (dir.metadataFolder !== null && found.metadata?.folder === dir.metadataFolder) {
    for (const line of metadataText(found)) await output.line(`  ${line}`)
  }
  const sizes = rows.reduce((bytes, { look }) => bytes + (look?.logBytes ?? 0), 0)
  const topics = new Set(rows.map(({ folder }) => folder.topic)).size
  await output.line(`  ${topics} topics, ${rows.length} partitions, ${sizeText(sizes)}`)
  for (const { name, kind } of setAside) await output.line(`  set aside (${kind}): ${name}`)
  if (rows.length > 0) await output.line('')
  for (const line of table(rows)) await output.line(line)
  await output.line('')
}

export function stateText({ lock, cleanStop }: LogDir): string {
  if (lock === 'held') return 'in use by a running broker: what follows is a moment of it'
  if (cleanStop !== null) return `stopped cleanly (broker epoch ${cleanStop.brokerEpoch ?? 'not said'})`
  const seen = lock === 'free' ? '' : ', .lock is still there'
  return `not stopped cleanly${seen}: the next start recovers it`
}

function metadataText(found: Survey): readonly string[] {
  const { metadata } = found
  if (metadata === null) return []
  const { start, end, epoch, snapshot, snapshots } = metadata
  const image = imageOf(found)
  const lines = [
    `metadata: offsets ${start} to ${end}, epoch ${epoch}, ${snapshots} snapshots, newest ${snapshot?.name ?? 'none'}`,
  ]
  const level = image?.features.get('metadata.version')
  if (level !== undefined) {
    lines.push(
      `metadata.version ${level} (${metadataVersionName(level) ?? 'unknown'}), ${image!.topicsByName.size} topics`,
    )
  }
  return lines
}

const headings = ['TOPIC', 'ID', 'PARTITION', 'START', 'END', 'STABLE', 'SEGMENTS', 'SIZE', 'HEALTH']
const numeric = new Set(['PARTITION', 'START', 'END', 'STABLE', 'SEGMENTS', 'SIZE'])

function table(rows: readonly Row[]): readonly string[] {
  if (rows.length === 0) return []
  let topic = ''
  const cells = rows.map(({ folder, look, health }) => {
    const first = folder.topic !== topic
    topic = folder.topic
    return [
      first ? topic : '',
      first ? (look?.topicId ?? '-') : '',
      String(folder.partition),
      String(look?.start ?? '-'),
      String(look?.end ?? '-'),
      String(look?.lastStable ?? '?'),
      String(look?.segments ?? '-'),
      look === null ? '-' : sizeText(look.logBytes),
      health,
    ]
  })
  const widths = headings.map((heading, column) =>
    cells.reduce((width, row) => Math.max(width, row[column]!.length), heading.length),
  )
  const format = (row: readonly string[]) =>
    row.map((cell, column) =>
      numeric.has(headings[column]!) ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!),
    )
  return [headings, ...cells].map((row) => `  ${format(row).join('  ').trimEnd()}`)
}
