/** Transactional batches on their way into partitions, with a transaction coordinator that the test answers for. */
import { describe, expect, it } from '@jest/globals'
import type { AppendResult } from '../../../../src/application/append-result.ts'
import type { Enrolled, EnrolCommand } from '../../../../src/application/transaction-enrolment.ts'
import type { ProduceCommand } from '../../../../src/application/use-cases/records/produce-records.ts'
import type { KafkaError } from '../../../../src/domain/errors.ts'
import { buildBatch } from '../../../../src/domain/log/batch-writer.ts'
import { buildEndMarker } from '../../../../src/domain/log/end-marker.ts'
import { RecordBatchView } from '../../../../src/domain/log/record-batch.ts'
import { openProduceBroker, testLease } from '../../../support/produce-broker.ts'
import { settled } from '../../../support/settled.ts'
import { testChecksum } from '../../../support/stored-batches.ts'

const crc = (bytes: Uint8Array) => testChecksum.crc32c(bytes)
const ID = 'dG9waWMtaWQtZm9yLXRlc3'
const NOW = 1_700_000_000_000n

interface Sent {
  readonly seq?: number
  readonly epoch?: number
  readonly producerId?: bigint
  readonly transactional?: boolean
}

function records({ seq = 0, epoch = 0, producerId = 7n, transactional = true }: Sent = {}): Uint8Array {
  const framing = { producerId, producerEpoch: epoch, baseSequence: seq, transactional }
  return buildBatch([{ timestamp: NOW, key: null, value: Uint8Array.of(seq) }], framing, crc)
}

/** Answers when it is told to, or at once. */
class Enrolment {
  readonly added: EnrolCommand[] = []
  readonly verified: EnrolCommand[] = []
  readonly #waiting: ((enrolled: Enrolled) => void)[] = []
  error: KafkaError | null = null
  later = false

  add = (command: EnrolCommand): Enrolled | Promise<Enrolled> => {
    this.added.push(command)
    if (this.later) return new Promise((resolve) => this.#waiting.push(resolve))
    return command.partitions.map(() => this.error)
  }

  verify = (command: EnrolCommand): Enrolled => {
    this.verified.push(command)
    return command.partitions.map(() => this.error)
  }

  async answerNext(error: KafkaError | null = null): Promise<void> {
    this.#waiting.shift()!([error, error])
    await settled()
  }
}

async function open(isVerified = true, isOpen = true) {
  const enrolment = new Enrolment()
  const broker = await openProduceBroker([{ name: 't', id: ID, partitions: 2 }], {
    enrolment,
    isVerified,
    startMs: NOW,
  })
  const partition = broker.partitions.find('t', 0)!
  if (isOpen) await partition.whenOpen()
  const results: AppendResult[] = []
  const send = (batches: readonly Uint8Array[], version = 12, transactionalId: string | null = 'tx') => {
    const command: ProduceCommand = {
      acks: -1,
      byId: false,
      zstd: true,
      clientId: null,
      transactionalId,
      addsPartitions: version >= 12,
      knowsAbortable: version >= 11,
      lease: testLease(),
      topics: [{ name: 't', topicId: ID, partitions: batches.map((each, index) => ({ index, records: each })) }],
    }
    return broker.produceRecords.execute(command).then((topics) => {
      const answered = topics[0]!.partitions.map(({ result }) => result)
      results.push(...answered)
      return answered
    })
  }
  const marker = (epoch: number, committed: boolean, transactionVersion = 2) => {
    const end = { producerId: 7n, producerEpoch: epoch, committed, coordinatorEpoch: 0, timestamp: NOW }
    const batch = new RecordBatchView(buildEndMarker(end, crc))
    return new Promise<AppendResult>((resolve) => {
      const command = { batch, origin: 'coordinator', lease: undefined, acksAll: true, transactionVersion } as const
      partition.append(command, resolve)
    })
  }
  return { ...broker, enrolment, partition, send, marker, results }
}

const unable = (error: string) =>
  `Unable to verify the partition has been added to the transaction. Underlying error: ${error}`

describe('a transactional batch', () => {
  it.each<[KafkaError, number, KafkaError, string | null]>([
    ['PRODUCER_FENCED', 12, 'INVALID_PRODUCER_EPOCH', null],
    ['INVALID_PRODUCER_EPOCH', 12, 'INVALID_PRODUCER_EPOCH', null],
    ['INVALID_PRODUCER_ID_MAPPING', 12, 'INVALID_PRODUCER_ID_MAPPING', null],
    ['CONCURRENT_TRANSACTIONS', 12, 'CONCURRENT_TRANSACTIONS', null],
    ['CONCURRENT_TRANSACTIONS', 11, 'NOT_ENOUGH_REPLICAS', unable('CONCURRENT_TRANSACTIONS')],
    ['COORDINATOR_LOAD_IN_PROGRESS', 12, 'NOT_ENOUGH_REPLICAS', unable('COORDINATOR_LOAD_IN_PROGRESS')],
    ['COORDINATOR_NOT_AVAILABLE', 9, 'NOT_ENOUGH_REPLICAS', unable('COORDINATOR_NOT_AVAILABLE')],
    ['NOT_COORDINATOR', 12, 'NOT_ENOUGH_REPLICAS', unable('NOT_COORDINATOR')],
    ['TRANSACTION_ABORTABLE', 11, 'TRANSACTION_ABORTABLE', null],
    ['TRANSACTION_ABORTABLE', 10, 'INVALID_TXN_STATE', 'Partition was not added to the transaction'],
    ['INVALID_TXN_STATE', 12, 'INVALID_TXN_STATE', 'Partition was not added to the transaction'],
  ])(
    'that the coordinator refuses with %s is refused in Produce v%i with %s',
    async (error, version, told, message) => {
      const { enrolment, send, partition } = await open()
      enrolment.error = error
      const [result] = await send([records()], version)
      expect(result).toMatchObject({ error: told, message, baseOffset: -1n, logStartOffset: -1n })
      expect([enrolment.added.length, enrolment.verified.length]).toEqual(version >= 12 ? [1, 0] : [0, 1])
      expect(partition.logEndOffset).toBe(0n)
    },
  )

  it('of a request without a transactional id is refused, with all of that request', async () => {
    const { send, enrolment } = await open()
    const results = await send([records({ transactional: false }), records()], 12, null)
    expect(results.map(({ error }) => error)).toEqual(Array(2).fill('TRANSACTIONAL_ID_AUTHORIZATION_FAILED'))
    expect(enrolment.added).toEqual([])
  })

  it('of another producer than the one beside it is refused, with all of that request', async () => {
    const { send } = await open()
    for (const other of [{ producerId: 8n }, { epoch: 1 }]) {
      const results = await send([records(), records(other)])
      expect(results.map(({ error }) => error)).toEqual(Array(2).fill('INVALID_PRODUCER_ID_MAPPING'))
    }
  })

  it('has its partitions added together, once a transaction', async () => {
    const { send, enrolment, partition } = await open()
    await send([records(), records()])
    await send([records({ seq: 1 }), records({ seq: 1 })])
    const partitions = [0, 1].map((index) => ({ topic: 't', partition: index }))
    expect(enrolment.added).toEqual([{ transactionalId: 'tx', producerId: 7n, producerEpoch: 0, partitions }])
    expect([partition.highWatermark, partition.lastStableOffset]).toEqual([2n, 0n])
  })

  it('is not asked about when nobody verifies', async () => {
    const { send, enrolment } = await open(false)
    expect((await send([records()], 11))[0]).toMatchObject({ error: 'NONE', baseOffset: 0n })
    expect([enrolment.added, enrolment.verified]).toEqual([[], []])
    await send([records({ producerId: 8n })], 12)
    expect(enrolment.added).toHaveLength(1)
  })

  it('waits for the coordinator with all that its producer sends meanwhile, in order, and holds nobody else up', async () => {
    const { send, enrolment, results } = await open()
    enrolment.later = true
    const first = [0, 1, 2].map((seq) => send([records({ seq })]))
    const plain = send([records({ seq: 3, transactional: false })])
    await send([records({ producerId: 9n, transactional: false })])
    expect(results.map(({ baseOffset }) => baseOffset)).toEqual([0n])
    expect(enrolment.added).toHaveLength(3)
    // Answers that come in another order change nothing.
    await enrolment.answerNext()
    await enrolment.answerNext()
    expect(results.map(({ baseOffset }) => baseOffset)).toEqual([0n, 1n, 2n])
    await enrolment.answerNext()
    const sent = await Promise.all([...first, plain])
    expect(sent.map(([result]) => [result!.error, result!.baseOffset])).toEqual([
      ['NONE', 1n],
      ['NONE', 2n],
      ['NONE', 3n],
      ['INVALID_TXN_STATE', -1n],
    ])
  })

  it('that the coordinator turns away lets none of its followers overtake it', async () => {
    const { send, enrolment, partition } = await open()
    enrolment.later = true
    const sent = [send([records()]), send([records({ seq: 1 })])]
    await enrolment.answerNext('COORDINATOR_LOAD_IN_PROGRESS')
    await enrolment.answerNext()
    const [first, second] = await Promise.all(sent)
    expect([first![0]!.error, second![0]!.error]).toEqual(['NOT_ENOUGH_REPLICAS', 'OUT_OF_ORDER_SEQUENCE_NUMBER'])
    expect(partition.logEndOffset).toBe(0n)
    enrolment.later = false
    expect((await send([records()]))[0]!.error).toBe('NONE')
    expect((await send([records({ seq: 1 })]))[0]!.error).toBe('NONE')
  })

  it('is refused when its transaction ended after the coordinator agreed', async () => {
    const { send, enrolment, marker } = await open()
    enrolment.later = true
    const late = send([records()])
    expect(await marker(1, false)).toMatchObject({ error: 'NONE', baseOffset: 0n })
    await enrolment.answerNext()
    expect((await late)[0]).toMatchObject({ error: 'INVALID_TXN_STATE', logStartOffset: 0n })
    enrolment.later = false
    // A zombie: the coordinator would not agree, and the epoch is over.
    expect((await send([records()]))[0]!.error).toBe('INVALID_PRODUCER_EPOCH')
    expect((await send([records({ epoch: 1 })]))[0]!.error).toBe('NONE')
  })

  it('of an epoch that has passed in its partition is refused before the coordinator is asked', async () => {
    const { send, enrolment, marker } = await open()
    await marker(3, false)
    for (const version of [11, 12]) {
      const [result] = await send([records({ epoch: 2 })], version)
      expect(result).toMatchObject({ error: 'INVALID_PRODUCER_EPOCH', message: null, logStartOffset: -1n })
    }
    expect([enrolment.added, enrolment.verified]).toEqual([[], []])
  })

  it('keeps its leave while its partition is being opened', async () => {
    const { send, partition } = await open(true, false)
    expect(partition.state).toBe('opening')
    const sent = [send([records()]), send([records({ seq: 1 })])]
    expect((await Promise.all(sent)).map(([result]) => [result!.error, result!.baseOffset])).toEqual([
      ['NONE', 0n],
      ['NONE', 1n],
    ])
  })
})

describe('a marker', () => {
  it('ends what holds read-committed readers back, and an abort is told to them', async () => {
    const { send, marker, partition, advanced } = await open()
    await send([records()])
    expect([partition.highWatermark, partition.lastStableOffset]).toEqual([1n, 0n])
    const before = advanced.length
    await marker(1, false)
    expect([partition.highWatermark, partition.lastStableOffset]).toEqual([2n, 2n])
    expect(advanced.length).toBeGreaterThan(before)
    await marker(1, false)
    await send([records({ epoch: 1 })])
    await marker(2, true)
    expect(await partition.abortedTransactions(0n, 10n)).toEqual([
      { producerId: 7n, firstOffset: 0n, lastOffset: 1n, lastStableOffset: 2n },
    ])
    expect(await marker(1, false)).toMatchObject({ error: 'INVALID_PRODUCER_EPOCH' })
  })

  it('holds nobody back any more when what the transaction wrote is deleted', async () => {
    const { send, partition } = await open()
    await send([records()])
    await send([records({ seq: 1 })])
    await partition.trim(1n)
    expect(partition.lastStableOffset).toBe(1n)
    await partition.trim(2n)
    expect([partition.lastStableOffset, partition.highWatermark]).toEqual([2n, 2n])
  })
})
