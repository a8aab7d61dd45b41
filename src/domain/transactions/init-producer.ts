/**
 * InitProducerId for a transactional id: a producer that begins, or goes on after an error (KIP-360), gets its producer
 * id with an epoch that nobody has had, so that whoever had the id before is fenced.
 *
 * A transaction that is open is aborted first: the next one asking gets the epoch.
 */
import type { KafkaError } from '../errors.ts'
import {
  decided,
  needsProducerId,
  refuse,
  type Decided,
  type NeedsProducerId,
  type Refused,
  type TakeProducerId,
} from './decision.ts'
import { decideFence } from './end-transaction.ts'
import { isEnding, isEpochUsedUp, newTransaction, NO_EPOCH, type Transaction } from './transaction.ts'

export interface InitProducerCommand {
  readonly transactionalId: string
  readonly timeoutMs: number
  /** What the producer has already; null = nothing. */
  readonly expected: { readonly producerId: bigint; readonly producerEpoch: number } | null
}

/** Why no transaction of the broker may be open for so long, or null. */
export function refuseTimeout(timeoutMs: number, transactionMaxTimeoutMs: number): KafkaError | null {
  return timeoutMs > 0 && timeoutMs <= transactionMaxTimeoutMs ? null : 'INVALID_TRANSACTION_TIMEOUT'
}

export function decideInitProducer(
  known: Transaction | null,
  { transactionalId, timeoutMs, expected }: InitProducerCommand,
  transactionVersion: number,
  takeProducerId: TakeProducerId,
  nowMs: bigint,
): Decided | Refused | NeedsProducerId {
  let present = known
  if (present === null) {
    const producerId = takeProducerId()
    if (producerId === null) return needsProducerId
    present = newTransaction(transactionalId, producerId, nowMs)
  }
  if (isEnding(present)) return refuse('CONCURRENT_TRANSACTIONS')
  if (expected !== null && !mayHave(present, expected)) return refuse('PRODUCER_FENCED')
  if (present.state === 'Ongoing') return decideFence(present, transactionVersion, takeProducerId, nowMs)
  const begun: Omit<Transaction, 'producerId' | 'producerEpoch' | 'lastProducerEpoch'> = {
    transactionalId,
    previousProducerId: present.producerId,
    nextProducerId: -1n,
    timeoutMs,
    state: 'Empty',
    partitions: new Map(),
    startMs: -1n,
    updatedMs: nowMs,
    clientVersion: present.clientVersion,
  }
  if (isEpochUsedUp(present.producerEpoch) && (expected === null || expected.producerEpoch === present.producerEpoch)) {
    const producerId = takeProducerId()
    if (producerId === null) return needsProducerId
    const lastProducerEpoch = expected === null ? NO_EPOCH : present.producerEpoch
    return decided({ ...begun, producerId, producerEpoch: 0, lastProducerEpoch })
  }
  const epochs = nextEpochs(present, expected?.producerEpoch ?? null)
  return epochs === null ? refuse('PRODUCER_FENCED') : decided({ ...begun, producerId: present.producerId, ...epochs })
}

/** Whether it can be this producer that asks: the present one, or one whose answer with a new producer id was lost. */
function mayHave(present: Transaction, expected: NonNullable<InitProducerCommand['expected']>): boolean {
  return (
    present.producerEpoch === NO_EPOCH ||
    expected.producerId === present.producerId ||
    (expected.producerId === present.previousProducerId && isEpochUsedUp(expected.producerEpoch))
  )
}

function nextEpochs(
  { producerEpoch, lastProducerEpoch }: Transaction,
  expected: number | null,
): Pick<Transaction, 'producerEpoch' | 'lastProducerEpoch'> | null {
  const raised = producerEpoch + 1
  if (expected === null) return { producerEpoch: raised, lastProducerEpoch: NO_EPOCH }
  if (producerEpoch === NO_EPOCH || expected === producerEpoch) {
    return { producerEpoch: raised, lastProducerEpoch: producerEpoch }
  }
  // It got this epoch already and asks again; another producer since then would have made the last epoch -1.
  return expected === lastProducerEpoch ? { producerEpoch, lastProducerEpoch } : null
}
