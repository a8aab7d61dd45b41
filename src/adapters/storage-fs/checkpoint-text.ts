/**
 * The small text files of a log directory and of a partition's folder: parsing answers null for what is not such a
 * file, and never throws.
 */
import type { LeaderEpochEntry } from '../../domain/log/leader-epochs.ts'
import { topicPartitionKey } from '../../domain/topic-partition.ts'
import type { Uuid } from '../../domain/uuid.ts'

/** The lines of a version 0 checkpoint, as fields, if their number is the announced one. */
function checkpointLines(text: string, fields: number): string[][] | null {
  const lines = text.split('\n')
  if (lines.at(-1) === '') lines.pop()
  if (lines[0]?.trim() !== '0' || !/^\d+$/.test(lines[1]?.trim() ?? '')) return null
  const rows = lines.slice(2).map((line) => line.trim().split(/\s+/))
  if (rows.length !== Number(lines[1])) return null
  return rows.every((row) => row.length === fields && /^-?\d+$/.test(row[fields - 1]!)) ? rows : null
}

/** `recovery-point-`, `log-start-` and `replication-offset-checkpoint`: offsets by `topic-partition`. */
export function parseOffsets(text: string): Map<string, bigint> | null {
  const rows = checkpointLines(text, 3)
  if (rows === null) return null
  const offsets = new Map<string, bigint>()
  for (const [topic, partition, offset] of rows) {
    if (!/^\d{1,10}$/.test(partition!)) return null
    offsets.set(topicPartitionKey(topic!, Number(partition)), BigInt(offset!))
  }
  return offsets
}

export function formatOffsets(offsets: ReadonlyMap<string, bigint>): string {
  let text = `0\n${offsets.size}\n`
  for (const [key, offset] of offsets) {
    const dash = key.lastIndexOf('-')
    text += `${key.slice(0, dash)} ${key.slice(dash + 1)} ${offset}\n`
  }
  return text
}

/** `leader-epoch-checkpoint`; null also when the epochs or offsets do not grow. */
export function parseEpochs(text: string): LeaderEpochEntry[] | null {
  const rows = checkpointLines(text, 2)
  if (rows === null) return null
  const entries: LeaderEpochEntry[] = []
  for (const [epochText, offsetText] of rows) {
    if (!/^\d{1,10}$/.test(epochText!)) return null
    const entry = { epoch: Number(epochText), startOffset: BigInt(offsetText!) }
    const last = entries.at(-1)
    if (last !== undefined && (last.epoch >= entry.epoch || last.startOffset >= entry.startOffset)) return null
    entries.push(entry)
  }
  return entries
}

export function formatEpochs(entries: readonly LeaderEpochEntry[]): string {
  const lines = entries.map(({ epoch, startOffset }) => `${epoch} ${startOffset}\n`)
  return `0\n${entries.length}\n${lines.join('')}`
}

/** The topic id in a `partition.metadata`, with or without base64 padding; null when it is not such a file. */
export function parseTopicId(text: string): Uuid | null {
  if (!/^version:\s*0\s*$/m.test(text)) return null
  return /^topic_id:\s*([A-Za-z0-9_-]{22})={0,2}\s*$/m.exec(text)?.[1] ?? null
}

export function formatTopicId(topicId: Uuid): string {
  return `version: 0\ntopic_id: ${topicId}`
}

/** The broker epoch in a `.kafka_cleanshutdown`; null when it holds none. */
export function parseCleanStop(text: string): bigint | null {
  const epoch = /"brokerEpoch"\s*:\s*(-?\d+)/.exec(text)?.[1]
  return epoch === undefined ? null : BigInt(epoch)
}

export function formatCleanStop(brokerEpoch: bigint): string {
  return `{"version":0,"brokerEpoch":${brokerEpoch}}`
}
