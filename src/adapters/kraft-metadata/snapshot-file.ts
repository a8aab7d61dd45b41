/**
 * Snapshots of the metadata: `<end offset>-<epoch>.checkpoint` in `__cluster_metadata-0`, and `bootstrap.checkpoint`
 * (the same layout) in the root of a formatted log directory.
 *
 * A snapshot is three parts: a control batch with SnapshotHeader (and KRaftVersion and Voters of a dynamic quorum),
 * data batches, a control batch with SnapshotFooter. Offsets run from 0; without the footer it is not complete.
 */
import { join } from 'node:path'
import type { MetadataRecord } from '../../domain/cluster/metadata-record.ts'
import { recordAtLevel } from '../../domain/cluster/metadata-version.ts'
import type { Crc32c } from '../../domain/log/batch-writer.ts'
import type { ControlRecord, Voters } from './control-records.ts'
import { replaceFile } from './durable-file.ts'
import { batchRuns, controlBatch, dataBatch, readMetadataBatches } from './metadata-batches.ts'
import { nodeMetadataFiles, type MetadataFiles } from './metadata-files.ts'
import { MetadataRecordEncoder } from './metadata-record-codec.ts'
import { UnusableDirectory } from './unusable-directory.ts'

/** What the quorum itself is, beside the metadata. */
export interface QuorumFacts {
  /** 0 = static voters. */
  readonly kraftVersion: number
  readonly voters: Voters | null
}

export interface Snapshot extends QuorumFacts {
  readonly records: readonly MetadataRecord[]
  readonly lastContainedLogTimestamp: bigint
}

export interface SnapshotName {
  readonly file: string
  /** Exclusive. */
  readonly endOffset: bigint
  readonly epoch: number
}

/** The snapshots in a metadata directory, oldest first. Half-written and half-deleted ones are removed. */
export async function listSnapshots(files: MetadataFiles, folder: string): Promise<readonly SnapshotName[]> {
  const names: SnapshotName[] = []
  for (const entry of await files.list(folder)) {
    const match = /^(\d{20})-(\d{10})\.checkpoint$/.exec(entry)
    if (match !== null) names.push({ file: join(folder, entry), endOffset: BigInt(match[1]!), epoch: Number(match[2]) })
    else if (/^\d{20}-\d{10}\.checkpoint\.(part|deleted)$/.test(entry)) await files.remove(join(folder, entry))
  }
  return names.sort((a, b) => (a.endOffset < b.endOffset ? -1 : a.endOffset > b.endOffset ? 1 : a.epoch - b.epoch))
}

/** @throws UnusableDirectory when it is damaged or not complete */
export async function readSnapshot(
  file: string,
  crc32c: Crc32c,
  files: MetadataFiles = nodeMetadataFiles,
): Promise<Snapshot> {
  const records: MetadataRecord[] = []
  const control: ControlRecord[] = []
  for (const batch of readMetadataBatches(await files.read(file), crc32c, () => file)) {
    control.push(...batch.control)
    for (const { record } of batch.data) records.push(record)
  }
  const header = control[0]
  if (header?.type !== 'SnapshotHeader') throw new UnusableDirectory(file, 'the snapshot has no header')
  if (control.at(-1)?.type !== 'SnapshotFooter') throw new UnusableDirectory(file, 'the snapshot has no footer')
  return {
    ...quorumFacts(control, { kraftVersion: 0, voters: null }),
    records,
    lastContainedLogTimestamp: header.value.lastContainedLogTimestamp,
  }
}

/** The facts after control records that follow on `before`. */
export function quorumFacts(control: readonly ControlRecord[], before: QuorumFacts): QuorumFacts {
  let { kraftVersion, voters } = before
  for (const record of control) {
    if (record.type === 'KRaftVersion') kraftVersion = record.value.kRaftVersion
    else if (record.type === 'Voters') voters = record.value
  }
  return { kraftVersion, voters }
}

/** The control records that say them; none for static voters. */
export function quorumControlRecords({ kraftVersion, voters }: QuorumFacts): readonly ControlRecord[] {
  if (kraftVersion === 0) return []
  const version: ControlRecord = { type: 'KRaftVersion', value: { version: 0, kRaftVersion: kraftVersion } }
  return voters === null ? [version] : [version, { type: 'Voters', value: voters }]
}

export interface SnapshotStamp {
  /** The epoch of the last record in it. */
  readonly epoch: number
  /** `metadata.version`: decides the versions of the records. */
  readonly level: number
  readonly nowMs: bigint
}

export interface SnapshotPlace extends SnapshotStamp {
  readonly file: string
  readonly temporary: string
  readonly mode?: number
}

export type SnapshotContent = Omit<Snapshot, 'records'> & { readonly records: Iterable<MetadataRecord> }

/** Answers the size of the file. */
export async function writeSnapshot(
  content: SnapshotContent,
  place: SnapshotPlace,
  crc32c: Crc32c,
  files: MetadataFiles = nodeMetadataFiles,
): Promise<number> {
  const { file, temporary, mode } = place
  const chunks = snapshotChunks(content, place, crc32c)
  await replaceFile(files, file, chunks, mode === undefined ? { temporary } : { temporary, mode })
  return chunks.reduce((bytes, chunk) => bytes + chunk.length, 0)
}

/** The bytes of a snapshot. What the level cannot hold is left out, as Kafka does when it writes an image. */
export function snapshotChunks(
  { records, lastContainedLogTimestamp, ...facts }: SnapshotContent,
  { epoch, level, nowMs }: SnapshotStamp,
  crc32c: Crc32c,
): readonly Uint8Array[] {
  const encoder = new MetadataRecordEncoder()
  const values: Uint8Array[] = []
  for (const record of records) {
    const writable = recordAtLevel(record, level)
    if (writable !== null) values.push(encoder.encode(writable))
  }
  let offset = 0n
  const place = (records: number): { baseOffset: bigint; leaderEpoch: number; timestamp: bigint } => {
    const baseOffset = offset
    offset += BigInt(records)
    return { baseOffset, leaderEpoch: epoch, timestamp: nowMs }
  }
  const header: ControlRecord[] = [
    { type: 'SnapshotHeader', value: { version: 0, lastContainedLogTimestamp } },
    ...quorumControlRecords(facts),
  ]
  const chunks = [controlBatch(header, place(header.length), crc32c)]
  for (const run of batchRuns(values)) chunks.push(dataBatch(run, place(run.length), crc32c))
  chunks.push(controlBatch([{ type: 'SnapshotFooter', value: { version: 0 } }], place(1), crc32c))
  return chunks
}

export function snapshotFileName(endOffset: bigint, epoch: number): string {
  return `${String(endOffset).padStart(20, '0')}-${String(epoch).padStart(10, '0')}.checkpoint`
}
