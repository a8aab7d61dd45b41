/**
 * From `__cluster_metadata-0` to an image: the newest snapshot that is whole, then the log from there.
 *
 * Reads only. What is damaged or unknown ends the load with `UnusableDirectory`; nothing is skipped but snapshots
 * that an older one and the log make up for.
 */
import { basename, join } from 'node:path'
import type { Logger } from '../../application/ports/logger.ts'
import type { PartitionLog } from '../../application/ports/log-store.ts'
import { ImageBuilder, emptyImage } from '../../domain/cluster/cluster-evolution.ts'
import type { ClusterImage } from '../../domain/cluster/cluster-image.ts'
import type { MetadataRecord } from '../../domain/cluster/metadata-record.ts'
import type { Crc32c } from '../../domain/log/batch-writer.ts'
import type { MetadataBatch } from './metadata-batches.ts'
import { readMetadataBatches } from './metadata-batches.ts'
import type { MetadataFiles } from './metadata-files.ts'
import type { QuorumFacts, Snapshot, SnapshotName } from './snapshot-file.ts'
import { listSnapshots, quorumFacts, readSnapshot } from './snapshot-file.ts'
import { UnusableDirectory, reasonOf } from './unusable-directory.ts'

const READ_BYTES = 4 * 1024 * 1024

export interface LoadedMetadata extends QuorumFacts {
  readonly image: ClusterImage
  /** Whether no record has ever been in the log: what `bootstrap` holds is still to be written to it. */
  readonly isNew: boolean
  /** The records that the log begins with when it is new, from a snapshot at offset 0; null when there is none. */
  readonly bootstrap: readonly MetadataRecord[] | null
  /** The highest epoch seen. */
  readonly epoch: number
  /** Bytes of log since the snapshot. */
  readonly bytesSinceSnapshot: number
  readonly lastTimestamp: bigint
  readonly snapshots: readonly SnapshotName[]
}

export interface LoaderSources {
  readonly files: MetadataFiles
  readonly clusterId: string
  /** The open metadata log. */
  readonly log: PartitionLog
  /** The folder of the metadata log and its snapshots. */
  readonly folder: string
  readonly crc32c: Crc32c
  readonly logger: Logger
}

export async function loadMetadata(sources: LoaderSources): Promise<LoadedMetadata> {
  const { files, log, folder } = sources
  const snapshots = await listSnapshots(files, folder)
  const { start, end } = log.range()
  const chosen = await newestSnapshot(snapshots, sources)
  const from = chosen?.name.endOffset ?? 0n
  if (start > from) {
    const reason = `the log begins at offset ${start}, and no whole snapshot holds what was before`
    throw new UnusableDirectory(folder, reason, from)
  }
  if (from > end) {
    throw new UnusableDirectory(folder, `the log ends at offset ${end}, before the newest snapshot's end`, from)
  }
  const replay = new Replay(sources, segmentBases(files, folder), from)
  if (chosen !== null) replay.restore(chosen.name, chosen.snapshot)
  const isNew = end === 0n
  const image = isNew ? replay.empty() : await replay.run()
  const bootstrap = chosen?.name.endOffset === 0n && chosen.snapshot.records.length > 0 ? chosen.snapshot.records : null
  const { facts, epoch, bytes, lastTimestamp } = replay
  return { ...facts, image, isNew, bootstrap, epoch, bytesSinceSnapshot: bytes, lastTimestamp, snapshots }
}

interface ChosenSnapshot {
  readonly name: SnapshotName
  readonly snapshot: Snapshot
}

/** Damaged ones are passed over as long as the log reaches back to an older one. */
async function newestSnapshot(
  names: readonly SnapshotName[],
  { files, crc32c, logger }: LoaderSources,
): Promise<ChosenSnapshot | null> {
  for (const name of names.toReversed()) {
    try {
      return { name, snapshot: await readSnapshot(name.file, crc32c, files) }
    } catch (error) {
      if (!(error instanceof UnusableDirectory)) throw error
      logger.warn('metadata snapshot passed over', { file: name.file, reason: error.reason })
    }
  }
  return null
}

/** The base offsets of the log's segment files, ascending; none for a log without files. */
function segmentBases(files: MetadataFiles, folder: string): readonly bigint[] {
  const entries = files.listNow(folder)
  return entries.flatMap((entry) => (/^\d{20}\.log$/.test(entry) ? [BigInt(entry.slice(0, 20))] : [])).sort(ascending)
}

function ascending(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0
}

class Replay {
  readonly #sources: LoaderSources
  readonly #bases: readonly bigint[]
  readonly #builder: ImageBuilder
  facts: QuorumFacts = { kraftVersion: 0, voters: null }
  epoch = 0
  bytes = 0
  lastTimestamp = 0n
  /** The end of the snapshot: what is before it in the log is in the image already. */
  readonly #from: bigint
  #next: bigint
  #oddOffsets = 0

  constructor(sources: LoaderSources, bases: readonly bigint[], from: bigint) {
    this.#sources = sources
    this.#bases = bases
    this.#builder = new ImageBuilder(emptyImage(sources.clusterId))
    this.#from = from
    this.#next = from
  }

  restore({ file, epoch }: SnapshotName, snapshot: Snapshot): void {
    this.facts = { kraftVersion: snapshot.kraftVersion, voters: snapshot.voters }
    this.epoch = epoch
    this.lastTimestamp = snapshot.lastContainedLogTimestamp
    this.#located(file, () => {
      for (const record of snapshot.records) this.#builder.apply(record)
    })
  }

  /** The image of a log without records: what a snapshot at offset 0 says of the metadata is yet to be written. */
  empty(): ClusterImage {
    const builder = new ImageBuilder(emptyImage(this.#sources.clusterId))
    builder.setFeature('kraft.version', this.facts.kraftVersion)
    return builder.freeze()
  }

  async run(): Promise<ClusterImage> {
    const { log, crc32c, folder, logger } = this.#sources
    const { end } = log.range()
    for (let from = this.#next; from < end;) {
      const slice = await log.read(from, { bytesMax: READ_BYTES, atLeastOne: true, before: end })
      const bytes = slice.chunks.length === 1 ? slice.chunks[0]! : Buffer.concat(slice.chunks)
      for (const batch of readMetadataBatches(bytes, crc32c, (offset) => this.#fileAt(offset))) this.#apply(batch)
      slice.release()
      if (slice.nextOffset <= from) throw new UnusableDirectory(this.#fileAt(from), 'the log cannot be read on', from)
      from = slice.nextOffset
    }
    if (this.#oddOffsets > 0) {
      logger.warn('metadata log with offsets that do not follow each other', { folder, batches: this.#oddOffsets })
    }
    this.#builder.setFeature('kraft.version', this.facts.kraftVersion)
    return this.#located(folder, () => this.#builder.freeze({ offset: end - 1n, epoch: this.epoch }))
  }

  #apply(batch: MetadataBatch): void {
    if (batch.baseOffset !== this.#next) this.#checkGap(batch)
    this.facts = quorumFacts(batch.control, this.facts)
    for (const { offset, record } of batch.data) {
      if (offset < this.#from) continue
      this.#located(offset, () => {
        this.#builder.apply(record)
      })
    }
    this.#next = batch.lastOffset + 1n
    this.epoch = Math.max(this.epoch, batch.leaderEpoch)
    this.bytes += batch.sizeBytes
    this.lastTimestamp = batch.maxTimestamp
  }

  /**
   * Offsets missing before a segment mean a lost file. Within a file whose checksums hold nothing can have been lost:
   * some tools number batches loosely, and their logs are taken as they are.
   */
  #checkGap({ baseOffset }: MetadataBatch): void {
    if (baseOffset > this.#next && this.#bases.indexOf(baseOffset) > 0) {
      const reason = `the records before it, from offset ${this.#next} on, are missing`
      throw new UnusableDirectory(this.#fileAt(baseOffset), reason, baseOffset)
    }
    if (baseOffset >= this.#from) this.#oddOffsets++
  }

  /** Says of what `run` throws where it came from: a file, or an offset of the log. */
  #located<T>(place: string | bigint, run: () => T): T {
    try {
      return run()
    } catch (error) {
      const [file, offset] = typeof place === 'string' ? [place, null] : [this.#fileAt(place), place]
      throw new UnusableDirectory(file, reasonOf(error), offset, error)
    }
  }

  #fileAt(offset: bigint): string {
    const { folder } = this.#sources
    const base = this.#bases.findLast((candidate) => candidate <= offset)
    return base === undefined ? basename(folder) : join(folder, `${String(base).padStart(20, '0')}.log`)
  }
}
