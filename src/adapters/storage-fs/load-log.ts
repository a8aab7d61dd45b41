/**
 * Opens the folder of a partition: what a log looks like when its process stops cleanly is believed with a look at
 * its last bytes; after any other end every batch above the recovery point is checked, and a tail that does not hold
 * is cut. Nothing else is ever cut: damage anywhere else makes the log refuse to open.
 */
import type { LogOptions, LogRepairs } from '../../application/ports/log-store.ts'
import { StorageError } from '../../application/ports/log-store.ts'
import type { LeaderEpochEntry } from '../../domain/log/leader-epochs.ts'
import { LeaderEpochs } from '../../domain/log/leader-epochs.ts'
import { SegmentShape } from '../../domain/log/log-segment.ts'
import { scanBatches, TORN } from './batch-scan.ts'
import { parseEpochs } from './checkpoint-text.ts'
import { DELETED_SUFFIX, EPOCHS_FILE, INDEX_SUFFIXES, LOG_SUFFIX, offsetOf, SNAPSHOT_SUFFIX } from './file-names.ts'
import type { SegmentScan } from './file-segment.ts'
import { damaged, FileSegment } from './file-segment.ts'
import { ProducerSnapshots } from './producer-snapshots.ts'
import type { SegmentIndexes } from './segment-indexes.ts'
import type { StorageContext } from './storage-context.ts'
import { settleUnfinished } from './unfinished-files.ts'
import { readText } from './whole-files.ts'

/** What the log directory knows of a log before it is opened. */
export interface LoadRequest {
  readonly folder: string
  /** `topic-partition`, for log lines. */
  readonly name: string
  readonly options: LogOptions
  /** Whether the last process ended cleanly with this log. */
  readonly clean: boolean
  /** Everything below was on the disk; null = unknown. */
  readonly recoveryPoint: bigint | null
  /** A start offset above the first segment's base; null = none. */
  readonly startOffset: bigint | null
  /**
   * True for the metadata log: it is cut only where nothing sound follows, because a batch lost in its middle is a
   * lost cluster, which somebody has to look at.
   */
  readonly precious: boolean
  readonly jitterMs: bigint
}

export interface LoadedLog {
  readonly segments: FileSegment[]
  /** The numbers of the last segment, whose indexes are pinned. */
  readonly shape: SegmentShape
  readonly start: bigint
  readonly end: bigint
  readonly recoveryPoint: bigint
  /** From here on the aborted transactions have to be found again; null = those in the files are right. */
  readonly unsoundFrom: bigint | null
  /** Whether the files of the last segment differ from what a clean stop leaves. */
  readonly changed: boolean
  readonly epochs: LeaderEpochs
  /** Whether the epochs differ from what their file says. */
  readonly epochsChanged: boolean
  readonly snapshots: ProducerSnapshots
  /** null = there was nothing to put right. */
  readonly repairs: LogRepairs | null
}

export async function loadLog(context: StorageContext, request: LoadRequest): Promise<LoadedLog> {
  const { fs } = context
  const { folder, options } = request
  const { names, finished, undone } = await settleUnfinished(context, folder, await fs.list(folder))
  const bases = names.map((name) => offsetOf(name, LOG_SUFFIX)).filter((base) => base !== null)
  const segments = await Promise.all(
    bases
      .sort((a, b) => (a < b ? -1 : 1))
      .map(async (base) => {
        const segment = new FileSegment(context, folder, base, 0, options.indexIntervalBytes)
        segment.sizeBytes = await fs.sizeOf(segment.logPath)
        return segment
      }),
  )
  const epochsText = await readText(fs, `${folder}/${EPOCHS_FILE}`)
  const offsets = names.map((name) => offsetOf(name, SNAPSHOT_SUFFIX)).filter((offset) => offset !== null)
  const snapshots = new ProducerSnapshots(fs, context.checksum, folder, offsets)
  const saved = epochsText === null ? null : parseEpochs(epochsText)
  const isNew = segments.length === 0
  if (isNew) segments.push(await newSegment(context, request, request.startOffset ?? 0n))
  const tail = isNew ? emptyTail(segments[0]!, request) : await lookAt(context, request, segments)
  const recovered = await startPastEnd(context, request, segments, tail)
  const first = segments[0]!.baseOffset
  const start = request.startOffset !== null && request.startOffset > first ? request.startOffset : first
  const { end } = recovered
  const epochs = await epochsOf(segments, saved, recovered.scannedEpochs)
  epochs.truncateFromStart(start)
  // an epoch that began at the very end and wrote nothing yet is kept, unless what it wrote may be what was cut
  epochs.truncateFromEnd(request.clean ? end + 1n : end)
  if (!request.clean) {
    await snapshots.removeWhere((offset) => offset > end)
    await segments.at(-1)!.aborted.cut(end)
  }
  const known = request.recoveryPoint ?? first
  const recoveryPoint = known < end ? known : end
  const { cutBytes, reason } = tail
  const repairs = cutBytes + finished + undone === 0 ? null : { end, cutBytes, finished, undone }
  if (repairs !== null) context.logger.info('recovered', { log: request.name, folder, ...repairs, reason })
  return {
    segments,
    shape: recovered.shape,
    start,
    end,
    recoveryPoint,
    unsoundFrom: recovered.unsoundFrom,
    changed: isNew || !request.clean,
    epochs,
    // the first append to a new metadata log follows at once, and writes its epoch
    epochsChanged: saved === null ? !(isNew && request.precious) : !sameEpochs(saved, epochs.entries),
    snapshots,
    repairs,
  }
}

/** What is known of the last segment once it was looked at. */
interface Tail {
  readonly shape: SegmentShape
  readonly end: bigint
  readonly scannedEpochs: readonly LeaderEpochEntry[]
  readonly unsoundFrom: bigint | null
  /** What recovery cut off, in all segments, and why. */
  readonly cutBytes: number
  readonly reason: string | null
}

const NOTHING_CUT = { unsoundFrom: null, cutBytes: 0, reason: null } as const

function emptyTail({ baseOffset }: FileSegment, { jitterMs }: LoadRequest): Tail {
  return { shape: new SegmentShape({ baseOffset, jitterMs }), end: baseOffset, scannedEpochs: [], ...NOTHING_CUT }
}

function lookAt(context: StorageContext, request: LoadRequest, segments: FileSegment[]): Promise<Tail> {
  return request.clean ? openClean(context, request, segments) : recover(context, request, segments)
}

async function newSegment(context: StorageContext, request: LoadRequest, base: bigint): Promise<FileSegment> {
  const segment = new FileSegment(context, request.folder, base, 0, request.options.indexIntervalBytes)
  await segment.create(request.options.segmentIndexBytes)
  return segment
}

/** After a clean stop: the last segment's index and the batch headers behind its last entry. */
async function openClean(context: StorageContext, request: LoadRequest, segments: FileSegment[]): Promise<Tail> {
  const active = segments.at(-1)!
  const indexes = await active.readIndexes()
  const tail = indexes === null ? null : await readTail(context, active, indexes, request)
  if (indexes !== null && tail !== null) {
    active.pin(indexes)
    return tail
  }
  const scan = await active.scan(true, request.jitterMs)
  if (scan.problem !== null) throw damaged(active.logPath, scan)
  await active.writeIndexes(scan.indexes)
  active.pin(scan.indexes)
  context.logger.info('index rebuilt', { path: active.logPath })
  return { shape: scan.shape, end: scan.nextOffset, scannedEpochs: scan.epochs, ...NOTHING_CUT }
}

/** Null when index and log do not fit together, or the log does not end with a whole batch. */
async function readTail(
  { fs, pool, files }: StorageContext,
  segment: FileSegment,
  { offset, time }: SegmentIndexes,
  request: LoadRequest,
): Promise<Tail | null> {
  const { baseOffset, sizeBytes } = segment
  if (sizeBytes === 0) {
    return emptyTail(segment, request)
  }
  const from = offset.lastPosition()
  const seen = { end: baseOffset, firstTimestamp: -1n, fits: true }
  const read = async (fd: number, begin: number, all: boolean) =>
    await scanBatches(fs, pool, fd, { from: begin, to: sizeBytes, offsetMin: baseOffset }, (batch) => {
      const { position, lastOffset } = batch
      if (position === 0) seen.firstTimestamp = batch.maxTimestamp
      if (position === from && from > 0) seen.fits = segment.relative(lastOffset) === offset.lastRelativeOffset()
      seen.end = lastOffset + 1n
      return all && seen.fits
    })
  const { problem } = await files.use(segment.logPath, async (fd) => {
    if (from > 0) await read(fd, 0, false)
    return await read(fd, from, true)
  })
  if (problem !== null || !seen.fits) return null
  const shape = new SegmentShape({
    baseOffset,
    jitterMs: request.jitterMs,
    sizeBytes,
    firstTimestamp: seen.firstTimestamp,
    maxTimestamp: time.lastTimestamp(),
    maxTimestampOffset: baseOffset + BigInt(time.lastRelativeOffset()),
    offsetEntries: offset.count,
    timeEntries: time.count,
    lastTimeEntry: time.lastTimestamp(),
    bytesSinceEntry: sizeBytes - from,
  })
  return { shape, end: seen.end, scannedEpochs: [], ...NOTHING_CUT }
}

/** After any other end: every segment that reaches past the recovery point is checked, and the first fault cut. */
async function recover(context: StorageContext, request: LoadRequest, segments: FileSegment[]): Promise<Tail> {
  const recoveryPoint = request.recoveryPoint ?? segments[0]!.baseOffset
  const epochs: LeaderEpochEntry[] = []
  let cutBytes = 0
  let reason: string | null = null
  let scan: SegmentScan | null = null
  let unsoundFrom: bigint | null = null
  for (let i = 0; i < segments.length; i++) {
    const segment = segments[i]!
    const next = segments[i + 1]
    if (next !== undefined && next.baseOffset <= recoveryPoint) continue
    scan = await segment.scan(true, request.jitterMs)
    if (scan.problem !== null) {
      if (
        scan.nextOffset < recoveryPoint ||
        (request.precious && (next !== undefined || beginsWithDamage(scan) || (await segment.holdsMore(scan))))
      ) {
        throw damaged(segment.logPath, scan)
      }
      reason = scan.problem
      cutBytes = segment.sizeBytes - scan.shape.sizeBytes
      for (const later of segments.splice(i + 1)) cutBytes += await discard(context, later)
      await cutFile(context, segment.logPath, scan.shape.sizeBytes)
      segment.sizeBytes = scan.shape.sizeBytes
    }
    await segment.writeIndexes(scan.indexes)
    epochs.push(...scan.epochs)
    // which transactions a marker ends, and where they began, only who knows the producers can say
    if (scan.holdsMarkers) unsoundFrom ??= segment.baseOffset
    else if (unsoundFrom === null) await segment.aborted.restore([])
  }
  if (scan === null) throw new StorageError(`${request.folder} has no segment to recover`)
  const active = segments.at(-1)!
  active.pin(scan.indexes)
  await active.preallocateIndexes(request.options.segmentIndexBytes, 'a')
  const end = scan.nextOffset
  if (end < recoveryPoint) {
    context.logger.warn('shorter than recorded', { log: request.name, end, recorded: recoveryPoint })
  }
  return { shape: scan.shape, end, scannedEpochs: epochs, unsoundFrom, cutBytes, reason }
}

/** A log that a crash cut short begins with a batch, if only with a part of one; anything else was never a log. */
function beginsWithDamage({ shape, problem }: SegmentScan): boolean {
  return shape.sizeBytes === 0 && problem !== TORN
}

/**
 * Synced: a power loss must not bring back what was cut, because by then the segment may lie below the recovery point
 * and not be looked at any more.
 */
async function cutFile({ fs, files }: StorageContext, path: string, bytes: number): Promise<void> {
  await files.use(path, async (fd) => {
    await fs.truncate(fd, bytes)
    await fs.sync(fd)
  })
}

/** Renames a segment behind a cut away, so that it is gone and yet can be looked at until the next start. */
async function discard({ fs, files, logger }: StorageContext, segment: FileSegment): Promise<number> {
  files.forget(segment.logPath)
  await fs.rename(segment.logPath, segment.logPath + DELETED_SUFFIX)
  // a new segment that begins there must not inherit them; whoever looks at the log can make them again
  for (const suffix of INDEX_SUFFIXES) await fs.remove(segment.path(suffix))
  logger.warn('segment behind a cut set aside', { path: segment.logPath, bytes: segment.sizeBytes })
  return segment.sizeBytes
}

/** Everything that is left was deleted before the crash: the log is empty and begins where it was deleted up to. */
async function startPastEnd(
  context: StorageContext,
  request: LoadRequest,
  segments: FileSegment[],
  tail: Tail,
): Promise<Tail> {
  const start = request.startOffset
  if (start === null || start <= tail.end) return tail
  if (request.clean) throw new StorageError(`${request.folder} ends at ${tail.end}, before its start offset ${start}`)
  context.logger.warn('ends before its start offset', { log: request.name, end: tail.end, start })
  for (const segment of segments.splice(0)) await discard(context, segment)
  segments.push(await newSegment(context, request, start))
  const { cutBytes, reason } = tail
  return { ...emptyTail(segments[0]!, request), cutBytes, reason }
}

/** The saved epochs and what a recovery saw; where none are saved, from the headers of the whole log. */
async function epochsOf(
  segments: readonly FileSegment[],
  saved: readonly LeaderEpochEntry[] | null,
  scanned: readonly LeaderEpochEntry[],
): Promise<LeaderEpochs> {
  const epochs = new LeaderEpochs(saved ?? [])
  let seen = scanned
  if (saved === null) {
    const scans: LeaderEpochEntry[] = []
    for (const segment of segments) if (segment.sizeBytes > 0) scans.push(...(await segment.scan(false)).epochs)
    seen = scans
  }
  for (const { epoch, startOffset } of seen) if (epoch > epochs.latest) epochs.assign(epoch, startOffset)
  return epochs
}

function sameEpochs(a: readonly LeaderEpochEntry[], b: readonly LeaderEpochEntry[]): boolean {
  return (
    a.length === b.length &&
    a.every((entry, i) => entry.epoch === b[i]!.epoch && entry.startOffset === b[i]!.startOffset)
  )
}
