/** The recorded odd requests of `behaviour.jsonl` and the answers of an Apache Kafka 4.3.1 to them. */
import { readFileSync } from 'node:fs'
import type { Api } from '../../src/adapters/wire/api.ts'
import { servedApis } from '../../src/adapters/wire/handlers/served-apis.ts'
import { RecordBatchView } from '../../src/domain/log/record-batch.ts'
import { decodeResponse } from './wire-client.ts'

/** One request that was sent to a real broker, and what came back. */
export interface Row {
  readonly row: number
  readonly api: string
  readonly what: string
  readonly requestHex: string
  readonly responseHex: string | null
}

interface AnsweredPartition {
  partitionIndex: number
  index: number
  errorCode: number
  baseOffset: bigint
  logAppendTimeMs: bigint
  records: Uint8Array
}

export interface AnsweredTopic {
  name: string
  topicId: string
  errorCode: number
  configs: { name: string }[] | null
  partitions: AnsweredPartition[]
  partitionResponses: AnsweredPartition[]
}

/** A decoded answer of any API: of these fields those that its API has. */
export interface Answer {
  memberId: string
  errorCode: number
  sessionId: number
  zkMigrationReady: boolean
  finalizedFeatures: { name: string }[]
  topics: AnsweredTopic[]
  responses: AnsweredTopic[]
  results: { topics: AnsweredTopic[] }[]
}

export const recorded: readonly Row[] = readFileSync(
  new URL('../fixtures/wire/behaviour.jsonl', import.meta.url),
  'utf8',
)
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Row)
  .sort((a, b) => a.row - b.row)
export const rowNumbered: ReadonlyMap<number, Row> = new Map(recorded.map((row) => [row.row, row]))

export const apiOf = ({ api }: Row): Api | undefined => servedApis.find(({ name }) => name === api.split(' ')[0])
export const versionOf = ({ api }: Row): number => Number(api.split(' v')[1])
/** Rows about a group that members of the KIP-848 protocol made. */
const ofConsumerGroups: ReadonlySet<number> = new Set([349, 350, 351, 352, 354])
const servesConsumerGroups = servedApis.some(({ key }: Api) => key === 68)

const isAboutFrames = ({ row }: Row): boolean => row >= 14 && row <= 36
/** Rows that stand on an API that is not served. */
export const unplayable: ReadonlySet<number> = new Set([...(servesConsumerGroups ? [] : ofConsumerGroups)])

export const isServed = (row: Row): boolean =>
  !unplayable.has(row.row) && (isAboutFrames(row) || apiOf(row) !== undefined)
/** The rows of the APIs that are served, in the order in which they were sent. */
export const rows: readonly Row[] = recorded.filter(isServed)

/** What the real broker answered; the caller may change it. */
export function expectedOf(number: number): Answer {
  const row = rowNumbered.get(number)!
  return decodeResponse(apiOf(row)!, versionOf(row), Buffer.from(row.responseHex!, 'hex')) as unknown as Answer
}

/** Kafka cuts the last batch at the limit, and clients throw the piece away; ours sends whole batches only. */
export function wholeBatches(bytes: Uint8Array): Uint8Array[] {
  const view = new RecordBatchView(bytes)
  const batches: Uint8Array[] = []
  while (bytes.length - view.at >= 61 && view.at + view.sizeBytes <= bytes.length) {
    batches.push(bytes.slice(view.at, view.at + view.sizeBytes))
    view.at += view.sizeBytes
  }
  return batches
}

/** As it went over the socket. */
export function bytesOf({ what, requestHex }: Row): Buffer {
  const bytes = Buffer.from(requestHex, 'hex')
  if (what.includes('INCLUDES the 4 size bytes')) return bytes
  const size = Buffer.alloc(4)
  size.writeInt32BE(bytes.length)
  return Buffer.concat([size, bytes])
}
