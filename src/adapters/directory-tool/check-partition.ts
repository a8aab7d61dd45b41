/**
 * One partition, every file of it. What a fault means depends on how the last broker stopped: behind the recovery point
 * of a log that was not closed, the next start cuts it, and it is a note; anywhere else it is damage.
 */
import { endOffsetForEpoch, type LeaderEpochEntry } from '../../domain/log/leader-epochs.ts'
import { decodeProducerSnapshot } from '../../domain/log/producer-snapshot.ts'
import type { Uuid } from '../../domain/uuid.ts'
import { parseEpochs, parseTopicId } from '../storage-fs/checkpoint-text.ts'
import { EPOCHS_FILE, METADATA_FILE, SNAPSHOT_SUFFIX } from '../storage-fs/file-names.ts'
import type { BatchTools } from './batch-verdict.ts'
import { checkSegment, type SegmentVerdict } from './check-segment.ts'
import type { Findings, Severity } from './findings.ts'
import { besideLog, listPartition, type PartitionFiles, type SegmentFiles } from './partition-files.ts'
import { readText, type ReadOnlyFiles } from './read-only-files.ts'

export interface PartitionCheck {
  readonly files: ReadOnlyFiles
  readonly tools: BatchTools
  readonly findings: Findings
  readonly path: string
  /** Whether the last broker closed this log. */
  readonly clean: boolean
  readonly inUse: boolean
  /** Everything below was on the disk; null = unknown. */
  readonly recoveryPoint: bigint | null
  readonly startOffset: bigint | null
  readonly highWatermark: bigint | null
  /** The id that the metadata gives the topic; undefined = the metadata is not known. null = it does not know it. */
  readonly topicId: Uuid | null | undefined
  /** False only where the topic is known never to be compacted: no offset may be missing then. */
  readonly mayHaveGaps: boolean
  /** The metadata log has no `partition.metadata`, and its indexes may be of any size. */
  readonly isMetadata: boolean
  readonly onBytes: (bytes: number) => void
}

export interface PartitionTotals {
  readonly segments: number
  readonly batches: number
  readonly records: number
  readonly bytes: number
}

const nothing: PartitionTotals = { segments: 0, batches: 0, records: 0, bytes: 0 }

export async function checkPartition(check: PartitionCheck): Promise<PartitionTotals> {
  const { findings, path, files } = check
  try {
    const listed = await listPartition(files, path)
    return await new PartitionChecker(check, listed).run()
  } catch (error) {
    findings.failure(path, error)
    return nothing
  }
}

class PartitionChecker {
  readonly #check: PartitionCheck
  readonly #listed: PartitionFiles
  /** Set when the next start would cut the log here: what lies behind is not looked at. */
  #cut = false

  constructor(check: PartitionCheck, listed: PartitionFiles) {
    this.#check = check
    this.#listed = listed
  }

  async run(): Promise<PartitionTotals> {
    const { findings, path, inUse } = this.#check
    const { segments, unfinished, unknown } = this.#listed
    if (segments.length === 0) findings.note(path, 'has no segment: a broker begins an empty log')
    for (const name of unfinished) {
      if (!inUse)
        findings.note(`${path}/${name}`, 'is left of an interrupted or delayed change: the next start settles it')
    }
    for (const name of unknown) findings.note(`${path}/${name}`, 'is no file of Kafka: it is left alone')
    let totals = nothing
    let end = segments[0]?.base ?? 0n
    const epochs: LeaderEpochEntry[] = []
    for (const [index, segment] of segments.entries()) {
      if (this.#cut) break
      if (index > 0) this.#join(segments[index - 1]!, segment, end)
      const verdict = await this.#segment(segment)
      if (verdict === null) continue
      end = verdict.end.nextOffset
      for (const entry of verdict.epochs) if (entry.epoch !== epochs.at(-1)?.epoch) epochs.push(entry)
      totals = {
        segments: totals.segments + 1,
        batches: totals.batches + verdict.batches,
        records: totals.records + verdict.records,
        bytes: totals.bytes + verdict.end.position,
      }
    }
    this.#checkOffsets(end)
    await findings.guard(path, () => this.#checkEpochs(epochs, end))
    await this.#checkSnapshots(end)
    if (!this.#check.isMetadata) await findings.guard(path, () => this.#checkTopicId())
    return totals
  }

  /** What a fault at `offset` is. */
  #severity(offset: bigint): Severity {
    const { clean, recoveryPoint } = this.#check
    return clean || offset < (recoveryPoint ?? 0n) ? 'problem' : 'note'
  }

  #join(before: SegmentFiles, segment: SegmentFiles, end: bigint): void {
    const { findings, mayHaveGaps } = this.#check
    if (segment.base < end) {
      findings.add(this.#severity(end), segment.logPath, `begins at ${segment.base}, the one before ends at ${end}`)
    } else if (segment.base > end && !mayHaveGaps) {
      findings.problem(
        segment.logPath,
        `the offsets ${end} to ${segment.base - 1n} behind ${before.logPath} are missing`,
      )
    }
  }

  async #segment(segment: SegmentFiles): Promise<SegmentVerdict | null> {
    const { findings, files, tools, onBytes, mayHaveGaps } = this.#check
    const { logPath } = segment
    let verdict: SegmentVerdict
    try {
      verdict = await checkSegment({ files, tools, listed: this.#listed, segment, onBytes })
    } catch (error) {
      findings.failure(logPath, error)
      return null
    }
    this.#faults(segment, verdict)
    if (verdict.missingOffsets > 0n && !mayHaveGaps) {
      findings.problem(
        logPath,
        `${verdict.missingOffsets} offsets are missing between its batches, and its topic is not compacted`,
      )
    }
    if (verdict.legacyBatches > 0) {
      const text = `has ${verdict.legacyBatches} batches in the message formats 0 and 1; their checksums hold unless said otherwise`
      findings.note(logPath, text)
    }
    if (verdict.hugeBatches > 0)
      findings.note(logPath, `${verdict.hugeBatches} batches are too large to be checked inside`)
    const isLast = segment === this.#listed.segments.at(-1)
    for (const { suffix, text, missing } of verdict.beside) {
      const file = besideLog(this.#listed, segment.base, suffix)
      // after an unclean stop the indexes of everything that reaches past the recovery point are made anew
      const rebuilt = missing || this.#severity(isLast ? verdict.end.nextOffset : this.#nextBase(segment)) === 'note'
      if (rebuilt) findings.note(file, `${text}: the next start makes it anew`)
      else findings.problem(file, text)
    }
    return verdict
  }

  #nextBase(segment: SegmentFiles): bigint {
    const { segments } = this.#listed
    const next = segments[segments.indexOf(segment) + 1]
    return next === undefined ? segment.base : next.base
  }

  #faults(segment: SegmentFiles, { end, firstUnsound, unsoundBatches }: SegmentVerdict): void {
    const { findings } = this.#check
    const { logPath, sizeBytes } = segment
    const fault = firstUnsound ?? end.fault
    // of the metadata log that was told when it was read
    if (fault === null || this.#check.isMetadata) return
    const severity = this.#severity(fault.offset)
    const place = `at byte ${fault.position}, offset ${fault.offset}: ${fault.reason}`
    if (severity === 'note') {
      this.#cut = true
      findings.note(logPath, `${this.#expected(sizeBytes - fault.position, segment)} ${place}`)
      return
    }
    if (firstUnsound !== null) {
      const more = unsoundBatches > 1 ? ` (and ${unsoundBatches - 1} more batches of this segment)` : ''
      findings.problem(logPath, `is damaged ${place}${more}`)
    }
    if (end.fault !== null) {
      const { position, offset, reason } = end.fault
      const lost = sizeBytes - position
      findings.problem(
        logPath,
        `is damaged at byte ${position}, offset ${offset}: ${reason}; the ${lost} bytes from there are unreadable`,
      )
    }
  }

  #expected(bytes: number, segment: SegmentFiles): string {
    const { segments } = this.#listed
    if (this.#check.inUse) return `is being written: ${bytes} bytes are not whole yet`
    const behind = segments.length - 1 - segments.indexOf(segment)
    const more = behind > 0 ? ` and the ${behind} segments behind it` : ''
    return `was not closed, as after a kill: the next start cuts the last ${bytes} bytes${more}`
  }

  #checkOffsets(end: bigint): void {
    const { findings, path, startOffset, recoveryPoint, highWatermark, clean } = this.#check
    const severity: Severity = clean ? 'problem' : 'note'
    if (startOffset !== null && startOffset > end) {
      findings.add(severity, path, `the checkpoint of start offsets says ${startOffset}, the log ends at ${end}`)
    }
    if (this.#cut) return
    if (recoveryPoint !== null && recoveryPoint > end) {
      findings.problem(path, `ends at ${end}, but was on the disk up to ${recoveryPoint}`)
    } else if (highWatermark !== null && highWatermark > end) {
      findings.add(severity, path, `ends at ${end}, below its high watermark ${highWatermark}`)
    }
  }

  /** Every batch lies in the range of its epoch. */
  async #checkEpochs(seen: readonly LeaderEpochEntry[], end: bigint): Promise<void> {
    const { findings, path, files, startOffset } = this.#check
    const file = `${path}/${EPOCHS_FILE}`
    const text = await readText(files, file)
    if (text === null) {
      findings.note(file, 'is missing: the next start makes it anew')
      return
    }
    const saved = parseEpochs(text)
    if (saved === null) {
      findings.problem(file, 'is no list of leader epochs: its version, its count or its order does not hold')
      return
    }
    for (const { epoch, startOffset: from } of seen) {
      if (startOffset !== null && from < startOffset) continue
      const entry = saved.find((candidate) => candidate.epoch === epoch)
      const until = endOffsetForEpoch(saved, epoch, end)?.endOffset ?? end
      if (entry !== undefined && entry.startOffset <= from && from < until) continue
      const what = entry === undefined ? 'does not have the epoch' : `has from ${entry.startOffset} on the epoch`
      findings.add(this.#severity(from), file, `${what} ${epoch}, in which the log was written at offset ${from}`)
    }
  }

  async #checkSnapshots(end: bigint): Promise<void> {
    const { findings, files, tools } = this.#check
    for (const offset of this.#listed.snapshots) {
      const file = besideLog(this.#listed, offset, SNAPSHOT_SUFFIX)
      await findings.guard(file, async () => {
        const bytes = await files.readFile(file)
        if (bytes === null) return
        if (offset > end) {
          findings.add(this.#severity(end), file, `is of offset ${offset}, the log ends at ${end}`)
          return
        }
        const states = decodeProducerSnapshot(bytes, (part) => tools.checksum.crc32c(part))
        if (states === null) {
          findings.add(
            this.#severity(offset),
            file,
            'is no producer snapshot: its version, length or CRC does not hold',
          )
          return
        }
        for (const { producerId, lastOffset, currentTxnFirstOffset } of states.entries()) {
          if (lastOffset < offset && currentTxnFirstOffset < offset) continue
          findings.problem(file, `says of producer ${producerId} what is at or behind the offset of the snapshot`)
        }
      })
    }
  }

  async #checkTopicId(): Promise<void> {
    const { findings, path, files, topicId } = this.#check
    const file = `${path}/${METADATA_FILE}`
    const text = await readText(files, file)
    if (text === null) {
      findings.problem(file, 'is missing: Kafka sets such a folder aside and begins an empty partition')
      return
    }
    const found = parseTopicId(text)
    if (found === null) {
      findings.problem(file, 'is no partition.metadata of version 0 with a topic id')
    } else if (topicId === null) {
      findings.problem(path, 'its topic is not in the metadata: Kafka sets such a folder aside')
    } else if (topicId !== undefined && topicId !== found) {
      findings.problem(file, `says topic id ${found}, the metadata ${topicId}: Kafka sets such a folder aside`)
    }
  }
}
