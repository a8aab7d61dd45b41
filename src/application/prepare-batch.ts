/**
 * Everything between a batch as it was sent and the batch as it is stored, except its offset: the append rules with
 * the checksum and the codecs that they need. The bytes are changed in place where that is possible; a batch that
 * changes codec or numbering is built anew.
 */
import type { TopicConfig } from '../domain/config/topic-config.ts'
import {
  judgeRecords,
  refusal,
  refuseFrame,
  refuseHeader,
  refuseSize,
  targetCodec,
  type Refusal,
} from '../domain/log/append-rules.ts'
import { renumberRecords, replaceSection } from '../domain/log/batch-writer.ts'
import type { AppendOrigin } from '../domain/log/producer-state.ts'
import { CRC_COVERS_FROM, type BatchCodec, RecordBatchView } from '../domain/log/record-batch.ts'
import type { Checksum } from './ports/checksum.ts'
import { CorruptCompressedData, type Compressor } from './ports/compressor.ts'

export interface PreparePorts {
  readonly checksum: Checksum
  readonly compressor: Compressor
  /** The largest records section, decompressed, that the broker holds in memory at once. */
  readonly decompressedBytesMax: () => number
}

/** A batch that only lacks its offset. `changed` = it is new memory, not the request's frame any more. */
export interface PreparedBatch {
  readonly view: RecordBatchView
  readonly changed: boolean
}

/** The plain records section of a batch. @throws CorruptCompressedData */
export function plainSection(view: RecordBatchView, compressor: Compressor, bytesMax: number): Uint8Array {
  const codec = view.codec
  if (codec === null) throw new CorruptCompressedData('Unknown compression codec')
  return codec === 'none' ? view.records() : compressor.decompress(codec, view.records(), bytesMax)
}

/** Checks and converts. A batch of the broker's own (`coordinator`) is trusted to be well-formed. */
export function prepareBatch(
  view: RecordBatchView,
  config: TopicConfig,
  origin: AppendOrigin,
  topicPartition: string,
  nowMs: bigint,
  ports: PreparePorts,
): PreparedBatch | Refusal {
  const refused = refuseFrame(view, config, origin)
  if (refused !== null) return refused
  if (origin === 'client' && ports.checksum.crc32c(view.checksummed()) !== view.crc) {
    return refusal('CORRUPT_MESSAGE', false)
  }
  const badHeader = refuseHeader(view, config, origin)
  if (badHeader !== null) return badHeader
  if (view.isControl) return { view, changed: false }
  let section: Uint8Array
  try {
    section =
      view.codec === 'none'
        ? view.records()
        : plainSection(
            view,
            ports.compressor,
            Math.min(config.maxDecompressedMessageBytes, ports.decompressedBytesMax()),
          )
  } catch (error) {
    if (!(error instanceof CorruptCompressedData)) throw error
    // A real broker answers UNKNOWN_SERVER_ERROR to bytes that are not in the codec's format.
    return refusal(error.tooLarge ? 'MESSAGE_TOO_LARGE' : 'INVALID_RECORD', true)
  }
  const judged = judgeRecords(view, section, config, topicPartition, nowMs)
  if ('error' in judged) return judged
  const source = view.codec!
  const target = targetCodec(config, source)
  // A plain batch that stays plain keeps its offset deltas whatever they are; any other is numbered anew, as Kafka does.
  const renumber = !judged.sequential && (source !== 'none' || target !== 'none')
  const logAppendTime = config.messageTimestampType === 'LogAppendTime'
  const maxTimestamp = logAppendTime ? nowMs : judged.maxTimestamp
  if (source === target && !renumber) {
    stampTime(view, logAppendTime, maxTimestamp, ports.checksum)
    return { view, changed: false }
  }
  if (renumber) section = renumberRecords(section, view.count)
  const stored = target === 'none' ? section : ports.compressor.compress(target, section, levelOf(config, target))
  const changed = new RecordBatchView(replaceSection(view, stored, target))
  const tooLarge = refuseSize(changed, config)
  if (tooLarge !== null) return tooLarge
  changed.stampTime(logAppendTime, maxTimestamp)
  changed.setCrc(ports.checksum.crc32c(changed.bytes.subarray(CRC_COVERS_FROM)))
  return { view: changed, changed: true }
}

/** Timestamp type and max timestamp as the topic wants them; the usual batch has them already. */
function stampTime(view: RecordBatchView, logAppendTime: boolean, maxTimestamp: bigint, checksum: Checksum): void {
  if (view.isLogAppendTime === logAppendTime && view.maxTimestamp === maxTimestamp) return
  view.stampTime(logAppendTime, maxTimestamp)
  view.setCrc(checksum.crc32c(view.checksummed()))
}

function levelOf(config: TopicConfig, codec: Exclude<BatchCodec, 'none'>): number | undefined {
  switch (codec) {
    case 'gzip':
      return config.compressionGzipLevel
    case 'lz4':
      return config.compressionLz4Level
    case 'zstd':
      return config.compressionZstdLevel
    case 'snappy':
      return undefined
  }
}
