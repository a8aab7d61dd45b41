/** `--metadata`: the newest whole snapshot, then every record of the metadata log, readable or as JSON lines. */
import type { MetadataBatch } from '../kraft-metadata/metadata-batches.ts'
import type { DumpRange } from './dump.ts'
import type { Findings } from './findings.ts'
import { readBatches, readSnapshotFile, snapshotFiles, type ReadBatch } from './metadata-log.ts'
import type { Output } from './output.ts'
import { listPartition } from './partition-files.ts'
import { jsonOf, timeText } from './readable.ts'
import type { ToolPorts } from './survey.ts'

export interface MetadataRequest extends DumpRange {
  readonly folder: string
  readonly json: boolean
  readonly snapshot: boolean
}

export async function dumpMetadata(
  ports: ToolPorts,
  request: MetadataRequest,
  output: Output,
  findings: Findings,
): Promise<void> {
  const { folder } = request
  const dumper = new MetadataDumper(request, output, findings)
  if (request.snapshot) {
    const sources = { ...ports, findings, folder, clean: true }
    for (const file of (await snapshotFiles(ports.files, folder)).toReversed()) {
      const records = await readSnapshotFile(sources, file)
      if (typeof records === 'string') {
        findings.problem(file.path, `is damaged ${records}`)
        continue
      }
      await dumper.begin(`snapshot ${file.name}: up to offset ${file.endOffset} (exclusive), epoch ${file.epoch}`)
      await readBatches(ports, file.path, (read) => dumper.batch(read, file.path, true))
      break
    }
  }
  const { segments } = await listPartition(ports.files, folder)
  for (const { logPath, base } of segments) {
    if (dumper.done) break
    await findings.guard(logPath, async () => {
      await dumper.begin(`log from offset ${base} on: ${logPath.slice(logPath.lastIndexOf('/') + 1)}`)
      const end = await readBatches(ports, logPath, (read) => dumper.batch(read, logPath, false))
      if (end.fault === null) return
      const { position, offset, reason } = end.fault
      findings.problem(logPath, `cannot be read on from byte ${position}, offset ${offset}: ${reason}`)
    })
  }
}

class MetadataDumper {
  readonly #request: MetadataRequest
  readonly #output: Output
  readonly #findings: Findings
  #printed = 0
  done = false

  constructor(request: MetadataRequest, output: Output, findings: Findings) {
    this.#request = request
    this.#output = output
    this.#findings = findings
  }

  async begin(title: string): Promise<void> {
    if (!this.#request.json) await this.#output.line(title)
  }

  async batch(read: ReadBatch, path: string, inSnapshot: boolean): Promise<boolean> {
    if (read.batch === null) {
      this.#findings.problem(path, `the batch at offset ${read.offset} cannot be read: ${read.problem}`)
      return true
    }
    const { from, to, max } = this.#request
    for (const line of this.#lines(read.batch, inSnapshot)) {
      if (!inSnapshot && from !== null && line.offset < from) continue
      if (!inSnapshot && to !== null && line.offset >= to) return this.#stop()
      const full = this.#output.line(line.text)
      if (full !== undefined) await full
      this.#printed++
      if (this.#output.closed || this.#printed === max) return this.#stop()
    }
    return true
  }

  #stop(): boolean {
    this.done = true
    return false
  }

  *#lines(batch: MetadataBatch, snapshot: boolean): Generator<{ readonly offset: bigint; readonly text: string }> {
    const { leaderEpoch: epoch, maxTimestamp: timestamp } = batch
    let offset = batch.baseOffset
    for (const { type, value } of batch.control) {
      yield { offset, text: this.#line({ snapshot, offset, timestamp, epoch, type, version: null, value }) }
      offset++
    }
    for (const { offset: at, version, record } of batch.data) {
      const { type, ...value } = record
      yield { offset: at, text: this.#line({ snapshot, offset: at, timestamp, epoch, type, version, value }) }
    }
  }

  #line(line: MetadataLine): string {
    if (this.#request.json) return jsonOf(line)
    const { offset, timestamp, type, version, value } = line
    return `  ${offset} ${timeText(timestamp)} ${type}${version === null ? '' : ` v${version}`} ${jsonOf(value)}`
  }
}

interface MetadataLine {
  /** Whether it lies in the snapshot, where offsets count from 0. */
  readonly snapshot: boolean
  readonly offset: bigint
  readonly timestamp: bigint
  readonly epoch: number
  readonly type: string
  /** null = a control record, whose value says its own version. */
  readonly version: number | null
  readonly value: unknown
}
