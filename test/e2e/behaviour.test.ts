/**
 * What a real Apache Kafka 4.3.1 answered to odd requests (`behaviour.jsonl`), row by row: the same frames, in the same
 * order, go over TCP to one whole broker on a directory, and each answer must be the same. Where ours differs on
 * purpose the row stands in `deviations`, with the reason.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { errorCode } from '../../src/domain/errors.ts'
import {
  type Answer,
  type AnsweredTopic,
  apiOf,
  expectedOf,
  isServed,
  recorded,
  rowNumbered,
  rows,
  unplayable,
  versionOf,
  wholeBatches,
} from '../support/behaviour-rows.ts'
import { type Outcome, RowPlayer } from '../support/row-player.ts'
import { decodeResponse } from '../support/wire-client.ts'

interface Deviation {
  readonly rows: readonly number[]
  readonly because: string
  /** What is expected instead of the recorded answer, which it may change. */
  readonly expected?: (recorded: Answer) => unknown
  /** What of our answer is compared. */
  readonly compared?: (ours: Answer) => unknown
}

/** Topic configs that came with 4.4. */
const newerConfigs = /^(errors\.deadletterqueue\.|max\.decompressed\.|remote\.copy\.)/

const byName = (a: AnsweredTopic, b: AnsweredTopic): number => (a.name < b.name ? -1 : 1)

/** Topics and their sizes, of those topics that exist on both sides, in one order. */
function sizesOf({ results }: Answer): AnsweredTopic[] {
  const topics = results[0]!.topics.filter(({ name }) => !/^(__|txt|auto2$)/.test(name))
  for (const topic of topics) topic.partitions.sort((a, b) => a.partitionIndex - b.partitionIndex)
  return topics.sort(byName)
}

function commonVersionsOf({ errorCode, finalizedFeatures, zkMigrationReady }: Answer): unknown {
  return { errorCode, zkMigrationReady, features: finalizedFeatures.map(({ name }) => name).sort() }
}

function withWholeBatches(answer: Answer): Answer {
  for (const partition of answer.responses[0]!.partitions) {
    partition.records = Buffer.concat(wholeBatches(partition.records))
  }
  return answer
}

const deviations: readonly Deviation[] = [
  {
    rows: [12],
    because:
      'only what is served is told; the ranges and features are those of 4.4, and the cluster that we format is at 4.2',
    expected: commonVersionsOf,
    compared: commonVersionsOf,
  },
  {
    rows: [37],
    because: 'a real broker lists all topics in the order of a hash table, and had two more by then',
    expected: (answer) => ({ ...answer, topics: answer.topics.sort(byName) }),
    compared: (answer) => {
      const known = new Set(expectedOf(37).topics.map(({ name }) => name))
      return { ...answer, topics: answer.topics.filter(({ name }) => known.has(name)).sort(byName) }
    },
  },
  {
    rows: [72, 79, 80, 85, 86],
    because: '4.4 has topic configs that 4.3.1 has not',
    compared: (answer) => {
      for (const topic of answer.topics) {
        topic.configs = topic.configs?.filter(({ name }) => !newerConfigs.test(name)) ?? null
      }
      return answer
    },
  },
  {
    rows: [144],
    because: 'the batch is at fault, not the server: INVALID_RECORD for UNKNOWN_SERVER_ERROR',
    expected: (answer) => {
      answer.responses[0]!.partitionResponses[0]!.errorCode = errorCode('INVALID_RECORD')
      return answer
    },
  },
  {
    rows: [169, 186, 192],
    because:
      'a real broker cuts the last batch at the byte limit, clients throw the piece away; ours sends whole batches',
    expected: withWholeBatches,
    compared: withWholeBatches,
  },
  {
    rows: [195],
    because: 'there is no isolation level 7: INVALID_REQUEST for UNKNOWN_SERVER_ERROR',
    expected: (answer) => {
      answer.errorCode = errorCode('INVALID_REQUEST')
      answer.responses[0]!.partitions[0]!.errorCode = errorCode('INVALID_REQUEST')
      return answer
    },
  },
  {
    rows: [219],
    because: 'the real broker had just started and had no block of producer ids yet',
    expected: (answer) => ({ ...answer, errorCode: 0, producerId: 0n, producerEpoch: 0 }),
  },
  {
    rows: [229],
    because: 'the first sending, seven milliseconds older, left no frame; the same frame stands in for it',
    expected: (answer) => {
      answer.responses[0]!.partitionResponses[0]!.logAppendTimeMs += 7n
      return answer
    },
  },
  {
    rows: [259],
    because: 'our markers may be written by the time of the next request: then it is as row 261',
    expected: () => true,
    compared: ({ errorCode: code }) =>
      code === errorCode('CONCURRENT_TRANSACTIONS') || code === errorCode('INVALID_TXN_STATE'),
  },
  {
    rows: [339],
    because: 'the id of the member is random',
    expected: (answer) => ({ ...answer, memberId: 22 }),
    compared: (answer) => ({ ...answer, memberId: answer.memberId.length }),
  },
  {
    rows: [329],
    because: 'a real broker answers in the order of a hash table, ours in the order of the request',
    expected: (answer) => ({ ...answer, results: [...answer.results].reverse() }),
  },
  {
    rows: [364],
    because: 'the directory has another name and disk, and lacks the internal topics and transactions of the real one',
    expected: sizesOf,
    compared: sizesOf,
  },
]

let player: RowPlayer
const outcomes = new Map<number, Outcome>()

beforeAll(async () => {
  player = new RowPlayer()
  await player.open()
  for (const row of rows) outcomes.set(row.row, await player.play(row))
})

afterAll(async () => {
  await player.close()
})

function answerTo(number: number): Answer {
  const row = rowNumbered.get(number)!
  const outcome = outcomes.get(number)!
  if (typeof outcome === 'string') throw new Error(`${outcome} without an answer`)
  const answer = decodeResponse(apiOf(row)!, versionOf(row), outcome) as unknown as Answer
  // Slices of the response's buffer compare as what they hold.
  if (apiOf(row)!.name === 'Fetch') {
    for (const { partitions } of answer.responses) {
      for (const partition of partitions) partition.records = Buffer.from(partition.records)
    }
  }
  return answer
}

const deviating = new Set([7, 9, 254, ...deviations.flatMap(({ rows }) => rows)])
const answered = rows.filter(({ responseHex, row }) => responseHex !== null && !deviating.has(row))
const unanswered = rows.filter(({ responseHex, row }) => responseHex === null && row !== 254)

describe('odd requests over TCP get the answer of a real broker', () => {
  it.each(answered)('row $row: $api, $what', ({ row }) => {
    expect(answerTo(row)).toEqual(expectedOf(row))
  })

  it.each(unanswered)('row $row: $api, $what: no answer', ({ row }) => {
    expect(outcomes.get(row)).toBe(row === 31 ? 'open' : 'closed')
  })

  it('row 7: an unknown version of ApiVersions is answered in version 0, with our highest version, 5, where 4.3 has 4', () => {
    const expected = rowNumbered.get(7)!.responseHex!.replace(/0004$/, '0005')
    expect((outcomes.get(7) as Buffer).toString('hex')).toBe(expected)
  })

  it('row 9: ApiVersions v5 with the body of v3 cannot be read, because 5 is a version that 4.4 has', () => {
    expect(outcomes.get(9)).toBe('closed')
  })

  it('row 254: AddPartitionsToTxn v5 about no transaction is answered, where a real broker waits for one for ever', () => {
    expect(answerTo(254)).toMatchObject({ errorCode: 0, resultsByTransaction: [] })
  })

  it.each(deviations.flatMap(({ rows, ...deviation }) => rows.map((row) => ({ row, ...deviation }))))(
    'row $row: $because',
    ({ row, expected, compared }) => {
      const ours = answerTo(row)
      const real = expectedOf(row)
      expect(compared?.(ours) ?? ours).toEqual(expected?.(real) ?? real)
    },
  )

  it('leaves out no row of the APIs that are served but those that stand on others', () => {
    expect(new Set([...answered, ...unanswered].map(({ row }) => row)).size + deviating.size).toBe(rows.length)
    expect(recorded.filter((row) => !isServed(row) && apiOf(row) !== undefined).map(({ row }) => row)).toEqual([
      ...unplayable,
    ])
  })
})
