/**
 * `__cluster_metadata-0` read without opening it: its snapshots, its log, and the image that they give. Unlike a start
 * it goes on behind what is damaged, says so, and removes nothing.
 */
import { ImageBuilder, emptyImage } from '../../domain/cluster/cluster-evolution.ts'
import type { ClusterImage } from '../../domain/cluster/cluster-image.ts'
import type { MetadataRecord } from '../../domain/cluster/metadata-record.ts'
import type { MetadataBatch } from '../kraft-metadata/metadata-batches.ts'
import { readMetadataBatches } from '../kraft-metadata/metadata-batches.ts'
import { UnusableDirectory } from '../kraft-metadata/unusable-directory.ts'
import type { BatchTools } from './batch-verdict.ts'
import { walkBatches, type WalkEnd } from './batch-walk.ts'
import { messageOf, type Findings, type Severity } from './findings.ts'
import { listPartition, type SegmentFiles } from './partition-files.ts'
import { withReadOnly, type ReadOnlyFiles } from './read-only-files.ts'

export interface MetadataSources {
  readonly files: ReadOnlyFiles
  readonly tools: BatchTools
  readonly findings: Findings
  /** `__cluster_metadata-0`. */
  readonly folder: string
  /** Whether the last broker closed the log. */
  readonly clean: boolean
}

export interface SnapshotFile {
  readonly path: string
  readonly name: string
  readonly endOffset: bigint
  readonly epoch: number
}

export interface MetadataSummary {
  /** null = what is there makes no image. */
  readonly image: ClusterImage | null
  readonly start: bigint
  readonly end: bigint
  readonly epoch: number
  /** The newest whole one. */
  readonly snapshot: SnapshotFile | null
  readonly snapshots: number
  readonly records: number
  readonly bytes: number
}

/** A batch that was read, or why it could not be. */
export type ReadBatch =
  | { readonly batch: MetadataBatch; readonly problem: null }
  | { readonly batch: null; readonly problem: string; readonly offset: bigint }

/** The snapshots in the folder, oldest first. */
export async function snapshotFiles(files: ReadOnlyFiles, folder: string): Promise<readonly SnapshotFile[]> {
  const found = (await files.list(folder)).flatMap(({ name }) => {
    const match = /^(\d{20})-(\d{10})\.checkpoint$/.exec(name)
    if (match === null) return []
    return [{ path: `${folder}/${name}`, name, endOffset: BigInt(match[1]!), epoch: Number(match[2]) }]
  })
  return found.sort((a, b) => (a.endOffset < b.endOffset ? -1 : a.endOffset > b.endOffset ? 1 : a.epoch - b.epoch))
}

/** Reads the batches of a log file or snapshot one by one; the visitor answers false to stop. */
export async function readBatches(
  { files, tools }: Pick<MetadataSources, 'files' | 'tools'>,
  path: string,
  visit: (read: ReadBatch) => boolean | Promise<boolean>,
): Promise<WalkEnd> {
  const to = await files.sizeOf(path)
  return await withReadOnly(files, path, (fd) =>
    walkBatches(files, fd, { from: 0, to, offsetMin: 0n }, (view) => {
      const bytes = view.bytes.subarray(view.at, view.at + view.sizeBytes)
      return visit(readOne(bytes, view.baseOffset, path, tools))
    }),
  )
}

function readOne(bytes: Uint8Array, offset: bigint, path: string, { checksum }: BatchTools): ReadBatch {
  try {
    for (const batch of readMetadataBatches(
      bytes,
      (part) => checksum.crc32c(part),
      () => path,
    )) {
      return { batch, problem: null }
    }
    return { batch: null, problem: 'no batch', offset }
  } catch (error) {
    const at = error instanceof UnusableDirectory ? (error.offset ?? offset) : offset
    const problem = error instanceof UnusableDirectory ? error.reason : messageOf(error)
    return { batch: null, problem, offset: at }
  }
}

/** What the snapshot holds, or what is wrong with it. */
export async function readSnapshotFile(
  sources: MetadataSources,
  { path }: SnapshotFile,
): Promise<readonly MetadataRecord[] | string> {
  const records: MetadataRecord[] = []
  const controls: string[] = []
  const found: { problem: string | null } = { problem: null }
  const end = await readBatches(sources, path, (read) => {
    if (read.batch === null) found.problem = `at offset ${read.offset}: ${read.problem}`
    else {
      for (const { record } of read.batch.data) records.push(record)
      for (const { type } of read.batch.control) controls.push(type)
    }
    return found.problem === null
  })
  if (found.problem !== null) return found.problem
  if (end.fault !== null) return `at byte ${end.fault.position}: ${end.fault.reason}`
  if (controls[0] !== 'SnapshotHeader') return 'the snapshot has no header'
  return controls.at(-1) === 'SnapshotFooter' ? records : 'the snapshot has no footer'
}

/** The whole of it; with `everySnapshot` also the snapshots that are not needed. */
export async function readMetadata(sources: MetadataSources, everySnapshot: boolean): Promise<MetadataSummary> {
  const { files, findings, folder } = sources
  const snapshots = await snapshotFiles(files, folder)
  let chosen: { readonly file: SnapshotFile; readonly records: readonly MetadataRecord[] } | null = null
  for (const file of snapshots.toReversed()) {
    if (chosen !== null && !everySnapshot) break
    const records = await readSnapshotFile(sources, file)
    if (typeof records === 'string') findings.problem(file.path, `is damaged ${records}`)
    else chosen ??= { file, records }
  }
  const replay = new Replay(sources, chosen?.file ?? null)
  for (const record of chosen?.records ?? []) replay.apply(record, chosen!.file.path)
  const { segments } = await listPartition(files, folder)
  for (const segment of segments) await replay.segment(segment, segments)
  return { ...replay.summary(segments[0]?.base ?? 0n), snapshots: snapshots.length }
}

class Replay {
  readonly #sources: MetadataSources
  readonly #snapshot: SnapshotFile | null
  readonly #builder = new ImageBuilder(emptyImage(''))
  #usable = true
  #next: bigint | null = null
  #epoch: number
  #records = 0
  #bytes = 0

  constructor(sources: MetadataSources, snapshot: SnapshotFile | null) {
    this.#sources = sources
    this.#snapshot = snapshot
    this.#epoch = snapshot?.epoch ?? 0
  }

  apply(record: MetadataRecord, path: string): void {
    if (!this.#usable) return
    try {
      this.#builder.apply(record)
    } catch (error) {
      this.#usable = false
      this.#sources.findings.problem(path, `a record does not fit to those before it: ${messageOf(error)}`)
    }
  }

  async segment(segment: SegmentFiles, all: readonly SegmentFiles[]): Promise<void> {
    const { findings } = this.#sources
    const covered = this.#snapshot?.endOffset ?? 0n
    const due = this.#next ?? covered
    if (segment.base > due) {
      findings.problem(segment.logPath, `the records from offset ${due} on to ${segment.base} are missing`)
      this.#usable = false
    }
    // what goes wrong behind the last sound batch is a torn tail, unless a sound batch follows
    const tail: { broken: string | null } = { broken: null }
    const end = await readBatches(this.#sources, segment.logPath, (read) => {
      if (tail.broken !== null && read.batch !== null) this.#damaged(segment, tail.broken, 'problem')
      tail.broken = read.batch === null ? `at offset ${read.offset}: ${read.problem}` : null
      if (read.batch !== null) this.#batch(read.batch, segment.logPath, covered)
      return true
    })
    const isLast = segment === all.at(-1)
    const text = tail.broken ?? faultText(end)
    if (text !== null) this.#damaged(segment, text, isLast && !this.#sources.clean ? 'note' : 'problem')
  }

  #batch(batch: MetadataBatch, path: string, covered: bigint): void {
    for (const { offset, record } of batch.data) if (offset >= covered) this.apply(record, path)
    this.#next = batch.lastOffset + 1n
    this.#epoch = Math.max(this.#epoch, batch.leaderEpoch)
    this.#records += batch.data.length + batch.control.length
    this.#bytes += batch.sizeBytes
  }

  #damaged({ logPath }: SegmentFiles, text: string, severity: Severity): void {
    if (severity === 'note')
      this.#sources.findings.note(logPath, `was not closed, as after a kill: the next start cuts it ${text}`)
    else this.#sources.findings.problem(logPath, `is damaged ${text}`)
    if (severity === 'problem') this.#usable = false
  }

  summary(start: bigint): Omit<MetadataSummary, 'snapshots'> {
    const end = this.#next ?? this.#snapshot?.endOffset ?? start
    const image = this.#usable ? this.#builder.freeze({ offset: end - 1n, epoch: this.#epoch }) : null
    return {
      image,
      start,
      end,
      epoch: this.#epoch,
      snapshot: this.#snapshot,
      records: this.#records,
      bytes: this.#bytes,
    }
  }
}

function faultText({ fault }: WalkEnd): string | null {
  return fault === null ? null : `at byte ${fault.position}, offset ${fault.offset}: ${fault.reason}`
}
