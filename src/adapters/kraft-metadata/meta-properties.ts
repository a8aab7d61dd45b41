/**
 * `meta.properties`: which node and cluster a log directory belongs to (KIP-858 gives each directory an id).
 *
 * Version 1 is read and written; version 0, of ZooKeeper's time, is refused. Keys that we do not know are kept.
 */
import type { Uuid } from '../../domain/uuid.ts'
import { UnusableDirectory } from './unusable-directory.ts'

export interface MetaProperties {
  readonly clusterId: string
  readonly nodeId: number
  /** null in directories older than Kafka 3.7. */
  readonly directoryId: Uuid | null
  readonly others: ReadonlyMap<string, string>
}

/** @throws UnusableDirectory when something is missing or not version 1 */
export function parseMetaProperties(text: string, file: string): MetaProperties {
  const others = parseProperties(text)
  const take = (key: string): string | null => {
    const value = others.get(key) ?? null
    others.delete(key)
    return value
  }
  const version = take('version')
  if (version === '0') {
    throw new UnusableDirectory(file, 'version 0 belongs to a cluster with ZooKeeper, which Kafka 4 no longer opens')
  }
  if (version !== '1') throw new UnusableDirectory(file, `version is ${version ?? 'missing'}, not 1`)
  const clusterId = take('cluster.id')
  if (clusterId === null || clusterId === '') throw new UnusableDirectory(file, 'cluster.id is missing')
  const node = take('node.id')
  if (node === null || !/^\d{1,10}$/.test(node)) {
    throw new UnusableDirectory(file, node === null ? 'node.id is missing' : `node.id ${node} is not a number`)
  }
  const directoryId = take('directory.id')
  if (directoryId !== null && !/^[\w-]{22}$/.test(directoryId)) {
    throw new UnusableDirectory(file, `directory.id ${directoryId} is not an id`)
  }
  return { clusterId, nodeId: Number(node), directoryId, others }
}

/** The file's text, as Java writes properties: a comment with the date, then the keys. */
export function formatMetaProperties(properties: MetaProperties, nowMs: bigint): string {
  const { clusterId, nodeId, directoryId, others } = properties
  const lines = ['#', `#${javaDate(new Date(Number(nowMs)))}`, `node.id=${nodeId}`]
  if (directoryId !== null) lines.push(`directory.id=${directoryId}`)
  lines.push('version=1', `cluster.id=${escape(clusterId)}`)
  for (const [key, value] of others) lines.push(`${escape(key)}=${escape(value)}`)
  return `${lines.join('\n')}\n`
}

/** `Sun Nov 22 13:14:48 UTC 2026`. */
function javaDate(date: Date): string {
  const [weekday, day, month, year, time] = date.toUTCString().replace(',', '').split(' ')
  return `${weekday ?? ''} ${month ?? ''} ${day ?? ''} ${time ?? ''} UTC ${year ?? ''}`
}

/** Enough of Java's format for files that programs write: comments, `=`, `:` or blanks between, escaped characters. */
function parseProperties(text: string): Map<string, string> {
  const properties = new Map<string, string>()
  for (const line of text.split(/\r?\n|\r/)) {
    const match = /^\s*((?:\\.|[^\\=:\s#!])(?:\\.|[^\\=:\s])*)(?:\s*[=:]\s*|\s+|$)(.*)$/.exec(line)
    if (match !== null) properties.set(unescape(match[1]!), unescape(match[2]!))
  }
  return properties
}

function unescape(text: string): string {
  return text.replace(/\\(.)/g, '$1').trim()
}

function escape(text: string): string {
  return text.replace(/[\\=:#!\s]/g, '\\$&')
}
