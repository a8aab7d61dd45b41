/**
 * One broker, assembled: what it takes to start and to close it in the right order, and what a host may ask of it.
 */
import type { BoundListener, ListeningSettings, TcpServer } from '../adapters/wire/tcp-server.ts'
import type { GroupCoordinator } from '../application/group-coordinator.ts'
import type { Partitions } from '../application/partitions.ts'
import type { LogStore } from '../application/ports/log-store.ts'
import type { Logger } from '../application/ports/logger.ts'
import type { MetadataRepository } from '../application/ports/metadata-repository.ts'
import type { TransactionCoordinator } from '../application/transaction-coordinator.ts'
import type { ReadablePartition } from '../application/partition.ts'
import type { Waiters } from '../application/waiters.ts'

/** Where clients connect. */
export interface BrokerAddress {
  readonly host: string
  readonly port: number
}

/** Work that goes on beside the requests. */
interface BackgroundTask {
  start(): void
  /** Resolves when nothing of it is under way any more. */
  close(): Promise<void>
}

/** The parts in the order in which they start; they close in the opposite one. */
export interface BrokerParts {
  readonly logStore: LogStore
  readonly metadata: MetadataRepository
  readonly partitions: Partitions
  readonly groups: GroupCoordinator
  readonly transactions: TransactionCoordinator
  readonly tasks: readonly BackgroundTask[]
  readonly server: TcpServer
  /** Where it listens. */
  readonly listening: ListeningSettings
  /** Told the listeners with their real ports, before the metadata starts and registers them. */
  readonly onBound: (listeners: readonly BoundListener[]) => void
  /** Requests that wait for records: answered with what there is when the broker closes. */
  readonly waiters: Waiters<ReadablePartition>
  readonly logger: Logger
  readonly nodeId: number
  /** Told the broker epoch once this start is registered. */
  readonly onRegistered: (epoch: bigint) => void
}

/** How long requests under way may take to finish when the broker closes. */
const GRACE_MS = 5_000

type State = 'new' | 'starting' | 'started' | 'closed'

export class Broker implements AsyncDisposable {
  readonly #parts: BrokerParts
  #state: State = 'new'
  #starting: Promise<void> | null = null
  #closing: Promise<void> | null = null

  constructor(parts: BrokerParts) {
    this.#parts = parts
  }

  /**
   * Opens storage and metadata and listens; resolves with the broker itself when clients are served. When a part
   * cannot start, what had started is closed again and the promise rejects with the reason.
   */
  async start(): Promise<this> {
    if (this.#state !== 'new') throw new Error(`the broker is ${this.#state}: it can be started once`)
    this.#state = 'starting'
    this.#starting = this.#open()
    await this.#starting
    return this
  }

  async #open(): Promise<void> {
    const { logStore, metadata, partitions, groups, transactions, tasks, server, nodeId, onRegistered } = this.#parts
    // While the storage opens: clients who are early wait in their sockets instead of trying again. What is wrong with
    // the storage is told first.
    const binding = server.bind(this.#parts.listening)
    binding.catch(() => undefined) // awaited below
    const started: (() => Promise<void>)[] = [
      () =>
        binding.then(
          () => server.stop(0),
          () => undefined,
        ),
    ]
    try {
      await logStore.start()
      started.push(() => logStore.close())
      this.#parts.onBound(await binding)
      await metadata.start()
      started.push(() => metadata.close())
      onRegistered(metadata.image().brokers.get(nodeId)?.epoch ?? -1n)
      await partitions.start()
      started.push(() => partitions.close())
      groups.start()
      started.push(() => groups.close())
      transactions.start()
      started.push(() => transactions.close())
      for (const task of tasks) {
        task.start()
        started.push(() => task.close())
      }
      await server.start()
      this.#state = 'started'
    } catch (error) {
      this.#state = 'closed'
      await this.#closeEach(started.reverse())
      throw error
    }
  }

  /** The first listener's address, or that of the one named. Only while the broker is started. */
  address(listener?: string): BrokerAddress {
    const bound = this.#listener(listener)
    const host = bound.host === '' || bound.host === '0.0.0.0' || bound.host === '::' ? 'localhost' : bound.host
    return { host, port: bound.port }
  }

  #listener(name: string | undefined): BoundListener {
    const { listeners } = this.#parts.server
    const found = name === undefined ? listeners[0] : listeners.find((listener) => listener.name === name.toUpperCase())
    if (found === undefined) {
      throw new Error(name === undefined ? `the broker is ${this.#state}` : `there is no listener ${name}`)
    }
    return found
  }

  /**
   * Answers what is under way, writes everything down and gives every handle, timer and file back. May be called in
   * any state and more than once; all calls resolve when the broker is closed.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    // A start that fails closes what it opened itself, and reports its reason to whoever awaits it.
    await this.#starting?.catch(() => undefined)
    if (this.#state !== 'started') {
      this.#state = 'closed'
      return
    }
    this.#state = 'closed'
    const { server, waiters, partitions, groups, transactions, metadata, logStore, tasks } = this.#parts
    waiters.close()
    // Members that wait for a rebalance look for another coordinator.
    await transactions.close()
    await groups.close()
    await server.stop(GRACE_MS)
    const closing = [...tasks, partitions, metadata, logStore].map((part) => () => part.close())
    const failures = await this.#closeEach(closing)
    if (failures.length > 0) throw new AggregateError(failures, 'the broker did not close cleanly')
  }

  /** Closes one after the other, whatever fails; what failed. */
  async #closeEach(closes: readonly (() => Promise<void>)[]): Promise<readonly unknown[]> {
    const failures: unknown[] = []
    for (const close of closes) {
      await close().catch((error: unknown) => {
        this.#parts.logger.error('closing failed', { error })
        failures.push(error)
      })
    }
    return failures
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}
