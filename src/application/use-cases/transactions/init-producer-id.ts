/**
 * Gives a producer its id and epoch: an idempotent one any id that nobody has had, a transactional one (KIP-98) that of
 * its transactional id with a raised epoch, so that whoever had it before is fenced.
 *
 * A transaction that is still open is aborted first. Kafka answers CONCURRENT_TRANSACTIONS then and lets the client
 * come back; here the answer waits a while for the abort to be complete.
 */
import type { ErrorName, KafkaError } from '../../../domain/errors.ts'
import { decideInitProducer, refuseTimeout } from '../../../domain/transactions/init-producer.ts'
import { isEnding } from '../../../domain/transactions/transaction.ts'
import type { ProducerIds } from '../../producer-ids.ts'
import type { Changed, TransactionCoordinator } from '../../transaction-coordinator.ts'

export interface InitProducerIdCommand {
  readonly transactionalId: string | null
  readonly transactionTimeoutMs: number
  /** What the producer has already, -1 = nothing. */
  readonly producerId: bigint
  readonly producerEpoch: number
}

export interface InitProducerIdResult {
  readonly error: ErrorName
  readonly producerId: bigint
  readonly producerEpoch: number
}

export interface InitProducerIdSettings {
  readonly transactionMaxTimeoutMs: number
}

export class InitProducerId {
  readonly #producerIds: ProducerIds
  readonly #transactions: TransactionCoordinator
  readonly #settings: () => InitProducerIdSettings

  constructor(producerIds: ProducerIds, transactions: TransactionCoordinator, settings: () => InitProducerIdSettings) {
    this.#producerIds = producerIds
    this.#transactions = transactions
    this.#settings = settings
  }

  async execute(command: InitProducerIdCommand): Promise<InitProducerIdResult> {
    const { transactionalId, transactionTimeoutMs: timeoutMs, producerId, producerEpoch } = command
    if ((producerId === -1n) !== (producerEpoch === -1)) return failed('INVALID_REQUEST')
    if (transactionalId === null) {
      return { error: 'NONE', producerId: await this.#producerIds.next(), producerEpoch: 0 }
    }
    if (transactionalId === '') return failed('INVALID_REQUEST')
    const refused = refuseTimeout(timeoutMs, this.#settings().transactionMaxTimeoutMs)
    if (refused !== null) return failed(refused)
    const expected = producerId === -1n ? null : { producerId, producerEpoch }
    const changed = await this.#init({ transactionalId, timeoutMs, expected })
    if (changed.error !== null) return failed(changed.error)
    // The epoch that fenced the producer before is never given to anybody.
    if (isEnding(changed.transaction)) return failed('CONCURRENT_TRANSACTIONS')
    return {
      error: 'NONE',
      producerId: changed.transaction.producerId,
      producerEpoch: changed.transaction.producerEpoch,
    }
  }

  async #init(command: Parameters<typeof decideInitProducer>[1]): Promise<Changed> {
    const { transactionalId } = command
    const init = () =>
      this.#transactions.changeWhenComplete(transactionalId, (present, take, nowMs) =>
        decideInitProducer(present, command, this.#transactions.transactionVersion, take, nowMs),
      )
    const changed = await init()
    const aborts = changed.error === null && isEnding(changed.transaction)
    return aborts && (await this.#transactions.whenComplete(transactionalId)) ? init() : changed
  }
}

function failed(error: KafkaError): InitProducerIdResult {
  return { error, producerId: -1n, producerEpoch: -1 }
}
