/**
 * One connection that speaks about one group to a broker, whichever it is, and writes down what was said so that two
 * brokers can be compared: ids that a broker draws become `id1`, `id2` …, the topic's id `topic`, times are left out.
 */
import { errorCode } from '../../src/domain/errors.ts'
import { readRecords } from '../../src/domain/log/record.ts'
import { GroupRecordCodec } from '../../src/adapters/internal-records/group-record-codec.ts'
import { createTopics } from '../../src/adapters/wire/apis/19-create-topics.ts'
import { findCoordinator } from '../../src/adapters/wire/apis/10-find-coordinator.ts'
import { consumerGroupHeartbeat } from '../../src/adapters/wire/apis/68-consumer-group-heartbeat.ts'
import { heartbeat } from '../../src/adapters/wire/apis/12-heartbeat.ts'
import { joinGroup } from '../../src/adapters/wire/apis/11-join-group.ts'
import { leaveGroup } from '../../src/adapters/wire/apis/13-leave-group.ts'
import { syncGroup } from '../../src/adapters/wire/apis/14-sync-group.ts'
import type { Api } from '../../src/adapters/wire/api.ts'
import type { WritableOf } from '../../src/adapters/codec/schema.ts'
import { batchesIn, readPartition, topicIdOf } from './records.ts'
import type { ResponseValue, WireClient } from './wire-client.ts'

export const TOPIC = 'conversions'
const PARTITIONS = 4

export interface Subscription {
  readonly topics: readonly string[]
  readonly owned?: readonly number[]
  readonly version?: number
}

/** ConsumerProtocolSubscription bytes over TOPIC's partitions. */
export function subscriptionBytes({ topics, owned = [], version = 1 }: Subscription): Buffer {
  const parts = [int16(version), int32(topics.length), ...topics.map(text), int32(-1)]
  if (version >= 1) parts.push(int32(owned.length === 0 ? 0 : 1))
  if (version >= 1 && owned.length > 0) parts.push(text(TOPIC), int32(owned.length), ...owned.map(int32))
  if (version >= 2) parts.push(int32(-1))
  if (version >= 3) parts.push(int16(-1))
  return Buffer.concat(parts)
}

/** ConsumerProtocolAssignment bytes of TOPIC's partitions. */
export function assignmentOf(partitions: readonly number[], userData: Buffer | null = null): Buffer {
  const user = userData === null ? [int32(-1)] : [int32(userData.length), userData]
  return Buffer.concat([int16(1), int32(1), text(TOPIC), int32(partitions.length), ...partitions.map(int32), ...user])
}

export class GroupConversation {
  readonly groupId: string
  readonly said: unknown[] = []
  readonly #client: WireClient
  readonly #aside: WireClient
  readonly #names = new Map<string, string>()
  #topicId = ''

  /** `aside`: another connection to the same broker, for requests that wait: a real broker answers in their order. */
  constructor(client: WireClient, aside: WireClient, groupId: string) {
    this.#client = client
    this.#aside = aside
    this.groupId = groupId
  }

  /** Makes the topic if it is not there and finds the coordinator. */
  async begin(): Promise<void> {
    const topic = { name: TOPIC, numPartitions: PARTITIONS, replicationFactor: 1, assignments: [], configs: [] }
    await this.#client.send(createTopics, 7, { topics: [topic], timeoutMs: 10_000 })
    this.#topicId = await topicIdOf(this.#client, TOPIC)
    await this.#until(async () => {
      const found = await this.#client.send(findCoordinator, 4, { keyType: 0, coordinatorKeys: [this.groupId] })
      return found.coordinators[0]!.errorCode === 0
    })
    // A real broker loads the coordinator after it has said where it is.
    await this.#until(async () => {
      const answer = await this.#client.send(heartbeat, 4, { groupId: this.groupId, generationId: 1, memberId: 'x' })
      return answer.errorCode === errorCode('UNKNOWN_MEMBER_ID')
    })
  }

  async #until(done: () => Promise<boolean>): Promise<void> {
    for (let i = 0; i < 300; i++) {
      if (await done()) return
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    throw new Error('the coordinator does not come up')
  }

  join(memberId: string, changes: Partial<WritableOf<typeof joinGroup.request>> = {}, version = 9) {
    const metadata = subscriptionBytes({ topics: [TOPIC] })
    return this.#say(joinGroup, version, {
      groupId: this.groupId,
      sessionTimeoutMs: 30_000,
      rebalanceTimeoutMs: 60_000,
      memberId,
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata }],
      ...changes,
    })
  }

  /** A new member that waits for the rebalance; its answer is not written down by itself. */
  joinAside() {
    return this.#aside.send(joinGroup, 3, {
      groupId: this.groupId,
      sessionTimeoutMs: 30_000,
      rebalanceTimeoutMs: 60_000,
      memberId: '',
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: subscriptionBytes({ topics: [TOPIC] }) }],
    })
  }

  sync(memberId: string, generationId: number, changes: Partial<WritableOf<typeof syncGroup.request>> = {}) {
    const more = { groupId: this.groupId, protocolType: 'consumer', protocolName: 'range', assignments: [] }
    return this.#say(syncGroup, 5, { ...more, generationId, memberId, ...changes })
  }

  beat(memberId: string, generationId: number, groupInstanceId: string | null = null) {
    return this.#say(heartbeat, 4, { groupId: this.groupId, generationId, memberId, groupInstanceId })
  }

  /** A heartbeat that is not written down; its error. */
  async heartbeat(memberId: string, generationId: number): Promise<number> {
    const answer = await this.#client.send(heartbeat, 4, { groupId: this.groupId, generationId, memberId })
    return answer.errorCode
  }

  leave(...members: readonly { memberId?: string; groupInstanceId?: string | null }[]) {
    return this.#say(leaveGroup, 5, {
      groupId: this.groupId,
      members: members.map(({ memberId = '', groupInstanceId = null }) => ({ memberId, groupInstanceId })),
    })
  }

  /** A heartbeat of the consumer protocol. */
  consume(memberId: string, memberEpoch: number, changes: Partial<WritableOf<typeof consumerGroupHeartbeat.request>>) {
    return this.#say(consumerGroupHeartbeat, 1, { groupId: this.groupId, memberId, memberEpoch, ...changes })
  }

  consumeJoin(memberId: string, changes: Partial<WritableOf<typeof consumerGroupHeartbeat.request>> = {}) {
    const all = { rebalanceTimeoutMs: 60_000, subscribedTopicNames: [TOPIC], topicPartitions: [] }
    return this.consume(memberId, 0, { ...all, ...changes })
  }

  /** What a member of the consumer protocol holds. */
  holding(...partitions: number[]) {
    return { topicPartitions: partitions.length === 0 ? [] : [{ topicId: this.#topicId, partitions }] }
  }

  async #say<A extends Api>(api: A, version: number, body: WritableOf<A['request']>): Promise<ResponseValue<A>> {
    const answer = await this.#client.send(api, version, body)
    this.said.push([api.name, this.#plain(answer)])
    return answer
  }

  note(answer: unknown): void {
    this.said.push(this.#plain(answer))
  }

  /** Any request, written down like the others. */
  say<A extends Api>(api: A, version: number, body: WritableOf<A['request']>): Promise<ResponseValue<A>> {
    return this.#say(api, version, body)
  }

  /** The group's records, batch by batch; those of one batch in no particular order, as members are in a hash table. */
  async log(partitions: number): Promise<readonly unknown[]> {
    const codec = new GroupRecordCodec()
    const batches: unknown[] = []
    for (let partition = 0; partition < partitions; partition++) {
      const { bytes } = await readPartition(this.#client, '__consumer_offsets', partition)
      for (const batch of batchesIn(bytes)) {
        const own = [...readRecords(batch, batch.records())]
          .map(({ key, value }) => codec.decode(key!, value))
          .filter((record) => JSON.stringify(record?.key ?? {}).includes(`"${this.groupId}"`))
          .map((record) => this.#plain(record))
        if (own.length > 0) batches.push(own.map((record) => JSON.stringify(record)).sort())
      }
    }
    return batches
  }

  #plain(value: unknown, key = ''): unknown {
    if (typeof value === 'bigint')
      return /timestamp|hash/i.test(key) ? (value > 0n || value < -1n ? 'set' : 'unset') : Number(value)
    if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
    if (Array.isArray(value)) {
      const items = value.map((item) => this.#plain(item, key))
      // Members lie in a hash table.
      return key === 'members' ? sorted(items) : items
    }
    if (typeof value === 'string') return this.#named(value, key)
    if (value === null || typeof value !== 'object') return value
    return Object.fromEntries(Object.entries(value).map(([field, inner]) => [field, this.#plain(inner, field)]))
  }

  #named(value: string, key: string): string {
    if (value === this.#topicId) return 'topic'
    if (value === this.groupId) return 'group'
    const plain = value
      .replaceAll(this.groupId, 'group')
      .replaceAll(/(wire-client-)?[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, (id) =>
        this.#idName(id),
      )
    return /^(memberId|leader)$/.test(key) && /^[\w-]{22}$/.test(plain) ? this.#idName(plain) : plain
  }

  #idName(id: string): string {
    const name = this.#names.get(id) ?? `id${this.#names.size + 1}`
    this.#names.set(id, name)
    return name
  }
}

function sorted(items: readonly unknown[]): readonly unknown[] {
  const byText = items.map((item) => [JSON.stringify(item), item] as const)
  return byText.sort(([a], [b]) => (a < b ? -1 : 1)).map(([, item]) => item)
}

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeInt16BE(value)
  return bytes
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

function text(value: string): Buffer {
  return Buffer.concat([int16(Buffer.byteLength(value)), Buffer.from(value)])
}
