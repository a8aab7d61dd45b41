/**
 * `--dump topic-partition`: batches and records in their order, readable or as JSON lines, one record each. A damaged
 * batch is told and passed over as long as its frame holds.
 */
import { readRecords, scanRecords, type LogRecord } from '../../domain/log/record.ts'
import { addToSequence } from '../../domain/log/producer-state.ts'
import { NO_PRODUCER_ID, type RecordBatchView } from '../../domain/log/record-batch.ts'
import { OFFSET_INDEX_SUFFIX } from '../storage-fs/file-names.ts'
import { OffsetIndex } from '../../domain/log/offset-index.ts'
import { lastOffsetOf, walkBatches } from './batch-walk.ts'
import { plainRecords, problemOfCrc } from './batch-verdict.ts'
import { controlText } from './control-text.ts'
import type { Findings } from './findings.ts'
import { decoderFor, type Decode } from './internal-topics.ts'
import type { Output } from './output.ts'
import { besideLog, listPartition, type PartitionFiles, type SegmentFiles } from './partition-files.ts'
import { jsonOf, textOf, timeText } from './readable.ts'
import { withReadOnly } from './read-only-files.ts'
import type { ToolPorts } from './survey.ts'

export interface DumpRange {
  /** The first offset; null = the log's first. */
  readonly from: bigint | null
  /** Exclusive; null = the log's end. */
  readonly to: bigint | null
  /** Records at most; null = all. */
  readonly max: number | null
}

export interface DumpRequest extends DumpRange {
  /** `topic-partition`, as it is to be named. */
  readonly topic: string
  readonly partition: number
  readonly path: string
  readonly json: boolean
}

export async function dump(ports: ToolPorts, request: DumpRequest, output: Output, findings: Findings): Promise<void> {
  const listed = await listPartition(ports.files, request.path)
  const dumper = new Dumper(ports, request, output, findings)
  for (const [index, segment] of listed.segments.entries()) {
    const next = listed.segments[index + 1]
    if (request.from !== null && next !== undefined && next.base <= request.from) continue
    await findings.guard(segment.logPath, () => dumper.segment(listed, segment))
    if (dumper.done) break
  }
}

class Dumper {
  readonly #ports: ToolPorts
  readonly #request: DumpRequest
  readonly #output: Output
  readonly #findings: Findings
  readonly #decode: Decode | null
  #printed = 0
  done = false

  constructor(ports: ToolPorts, request: DumpRequest, output: Output, findings: Findings) {
    this.#ports = ports
    this.#request = request
    this.#output = output
    this.#findings = findings
    this.#decode = decoderFor(request.topic)
  }

  async segment(listed: PartitionFiles, segment: SegmentFiles): Promise<void> {
    const { files } = this.#ports
    const { base, logPath, sizeBytes } = segment
    const from = await this.#beginning(listed, segment)
    const end = await withReadOnly(files, logPath, (fd) =>
      walkBatches(files, fd, { from, to: sizeBytes, offsetMin: base }, (view, position, whole) =>
        this.#batch(view, position, whole, logPath),
      ),
    )
    if (end.fault === null || this.done) return
    const { position, offset, reason } = end.fault
    this.#findings.problem(logPath, `cannot be read on from byte ${position}, offset ${offset}: ${reason}`)
  }

  /** Where to begin so that `from` is seen: the index is a hint, and its word is taken only for a batch that it names. */
  async #beginning(listed: PartitionFiles, { base, logPath, sizeBytes }: SegmentFiles): Promise<number> {
    const { from } = this.#request
    const { files } = this.#ports
    if (from === null || from <= base) return 0
    const bytes = await files.readFile(besideLog(listed, base, OFFSET_INDEX_SUFFIX))
    const position = (bytes === null ? null : OffsetIndex.parse(bytes))?.floorPosition(Number(from - base)) ?? 0
    if (position === 0 || position >= sizeBytes) return 0
    const seen = { fits: false }
    await withReadOnly(files, logPath, (fd) =>
      walkBatches(files, fd, { from: position, to: sizeBytes, offsetMin: base, headersOnly: true }, (view) => {
        seen.fits = view.magic === 2 && view.baseOffset <= from
        return false
      }),
    )
    return seen.fits ? position : 0
  }

  async #batch(view: RecordBatchView, position: number, whole: boolean, path: string): Promise<boolean> {
    const { from, to, json } = this.#request
    if (to !== null && view.baseOffset >= to) return this.#stop()
    if (from !== null && lastOffsetOf(view) < from) return true
    const problem = this.#problem(view, whole)
    if (!json) await this.#output.line(batchText(view, position, path))
    if (typeof problem === 'string') {
      this.#findings.problem(
        path,
        `the batch at byte ${position}, offset ${view.baseOffset} cannot be read: ${problem}`,
      )
      return true
    }
    for (const record of readRecords(view, problem)) {
      if (from !== null && record.offset < from) continue
      if (to !== null && record.offset >= to) return this.#stop()
      const full = this.#output.line(json ? this.#json(view, record) : this.#text(view, record))
      if (full !== undefined) await full
      this.#printed++
      if (this.#output.closed || this.#printed === this.#request.max) return this.#stop()
    }
    return true
  }

  #stop(): boolean {
    this.done = true
    return false
  }

  /** The plain records, or why there are none. */
  #problem(view: RecordBatchView, whole: boolean): Uint8Array | string {
    if (!whole) return `it is ${view.sizeBytes} bytes large`
    const crc = problemOfCrc(view, this.#ports.tools)
    if (crc !== null) return crc
    if (view.magic < 2) return `it is of message format ${view.magic}, whose records are not read here`
    const records = plainRecords(view, this.#ports.tools.compressor)
    if (typeof records === 'string') return records
    return scanRecords(records, view.count).problem ?? records
  }

  #json(view: RecordBatchView, record: LogRecord): string {
    const { topic, partition } = this.#request
    const control = view.isControl ? controlText(record) : null
    const decoded = this.#decoded(view, record)
    return jsonOf({
      topic,
      partition,
      offset: record.offset,
      timestamp: record.timestamp,
      timestampType: view.isLogAppendTime ? 'LogAppendTime' : 'CreateTime',
      leaderEpoch: view.leaderEpoch,
      ...(control !== null && { control: control.type, controlValue: control.value }),
      ...(decoded !== null && ('record' in decoded ? { decoded: decoded.record } : decoded)),
      ...(control === null && (decoded === null || 'undecodable' in decoded) && rawFields(record)),
      ...(view.producerId !== NO_PRODUCER_ID && { producerId: view.producerId, producerEpoch: view.producerEpoch }),
      ...(view.producerId !== NO_PRODUCER_ID && view.baseSequence >= 0 && { sequence: sequenceOf(view, record) }),
      ...(view.isTransactional && { transactional: true }),
      ...(view.codec !== 'none' && { codec: view.codec }),
    })
  }

  #text(view: RecordBatchView, record: LogRecord): string {
    const begin = `  ${record.offset} ${timeText(record.timestamp)}`
    if (view.isControl) {
      const { type, value } = controlText(record)
      return `${begin} ${type} ${jsonOf(value)}`
    }
    const decoded = this.#decoded(view, record)
    if (decoded !== null && 'record' in decoded) return `${begin} ${jsonOf(decoded.record)}`
    const headers = record.headers.map(({ key, value }) => `${jsonOf(key)}=${textOf(value)}`)
    const tail = headers.length === 0 ? '' : ` headers={${headers.join(', ')}}`
    const why = decoded === null ? '' : ` (not decoded: ${decoded.undecodable})`
    return `${begin} key=${textOf(record.key)} value=${textOf(record.value)}${tail}${why}`
  }

  #decoded(view: RecordBatchView, record: LogRecord) {
    if (this.#decode === null || view.isControl || record.key === null) return null
    return this.#decode(record.key, record.value)
  }
}

function rawFields({ key, value, headers }: LogRecord) {
  return { key, value, headers: headers.map((header) => ({ key: header.key, value: header.value })) }
}

function sequenceOf(view: RecordBatchView, { offset }: LogRecord): number {
  return addToSequence(view.baseSequence, Number(offset - view.baseOffset))
}

/** One line for a batch, with what is not said of each of its records. */
function batchText(view: RecordBatchView, position: number, path: string): string {
  const file = path.slice(path.lastIndexOf('/') + 1)
  const place = `${view.sizeBytes} bytes at ${position} of ${file}`
  if (view.magic < 2) return `batch ${view.baseOffset} of message format ${view.magic}, ${place}`
  const parts = [
    `batch ${view.baseOffset} to ${view.lastOffset}`,
    `${view.count} records`,
    view.codec === 'none' ? 'not compressed' : (view.codec ?? 'unknown codec'),
    `leader epoch ${view.leaderEpoch}`,
    view.isLogAppendTime ? 'LogAppendTime' : 'CreateTime',
  ]
  if (view.producerId !== NO_PRODUCER_ID) {
    parts.push(`producer ${view.producerId} epoch ${view.producerEpoch} sequence ${view.baseSequence}`)
  }
  if (view.isTransactional) parts.push('transactional')
  if (view.isControl) parts.push('control')
  if (view.hasDeleteHorizon) parts.push(`delete horizon ${timeText(view.baseTimestamp)}`)
  return `${parts.join(', ')}, ${place}`
}
