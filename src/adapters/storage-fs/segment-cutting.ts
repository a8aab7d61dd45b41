/** Takes segments away from a log, at its beginning or at its end. */
import { StorageError } from '../../application/ports/log-store.ts'
import type { SegmentRules } from '../../domain/log/log-segment.ts'
import type { SegmentShape } from '../../domain/log/log-segment.ts'
import { DELETED_SUFFIX, LOG_SUFFIX, OFFSET_INDEX_SUFFIX, TIME_INDEX_SUFFIX, TXN_INDEX_SUFFIX } from './file-names.ts'
import type { FileSegment } from './file-segment.ts'
import { isMissing } from './file-system.ts'
import { floorSegment } from './segment-list.ts'
import type { StorageContext } from './storage-context.ts'

/** Renames the segments' files to `.deleted` and lets them disappear after the delay. Readers at work finish. */
export async function setAside(
  context: StorageContext,
  segments: readonly FileSegment[],
  fileDeleteDelayMs: bigint,
): Promise<void> {
  const { fs, files, indexes, removal } = context
  const renamed: string[] = []
  for (const segment of segments) {
    indexes.forget(segment)
    files.forget(segment.logPath)
    for (const suffix of [LOG_SUFFIX, OFFSET_INDEX_SUFFIX, TIME_INDEX_SUFFIX, TXN_INDEX_SUFFIX]) {
      const path = segment.path(suffix)
      try {
        await fs.rename(path, path + DELETED_SUFFIX)
        renamed.push(path + DELETED_SUFFIX)
      } catch (error) {
        // an index or the rare list of aborted transactions need not exist
        if (!isMissing(error)) throw error
      }
    }
  }
  removal.schedule(renamed, fileDeleteDelayMs)
}

/**
 * Cuts a log at `to`, a batch boundary: later segments go, the one that holds it becomes the active one. Answers its
 * numbers.
 */
export async function truncateSegments(
  context: StorageContext,
  segments: FileSegment[],
  to: bigint,
  options: SegmentRules & { readonly fileDeleteDelayMs: bigint },
  jitterMs: bigint,
): Promise<SegmentShape> {
  const { fs, files } = context
  const kept = floorSegment(segments, to)
  const active = segments[kept]!
  const cut = await positionOf(active, to)
  await setAside(context, segments.splice(kept + 1), options.fileDeleteDelayMs)
  await files.use(active.logPath, async (fd) => {
    await fs.truncate(fd, cut)
    // a power loss must not bring back what is below the recovery point and gone
    await fs.sync(fd)
  })
  active.sizeBytes = cut
  const scan = await active.scan(false, jitterMs)
  if (scan.problem !== null) throw new StorageError(`${active.logPath}: ${scan.problem}`)
  active.pin(scan.indexes)
  await active.writeIndexes(scan.indexes)
  await active.preallocateIndexes(options.segmentIndexBytes, 'a')
  return scan.shape
}

/** Where the batch that begins at or after `offset` begins; the end of the segment when there is none. */
async function positionOf(segment: FileSegment, offset: bigint): Promise<number> {
  let position = segment.sizeBytes
  await segment.scanFrom(offset, (batch) => {
    if (batch.baseOffset < offset) throw new RangeError(`${offset} is inside of a batch`)
    position = batch.position
    return false
  })
  return position
}
