/**
 * Members of consumer groups as the load plays them: one connection each, heartbeats at a fixed interval, and nothing
 * of a real client's other work. Classic members hand out one byte as an assignment; those of the consumer protocol
 * (KIP-848) give up and take over what they are told.
 */
import net from 'node:net'
import { once } from 'node:events'
import { joinGroup } from '../src/adapters/wire/apis/11-join-group.ts'
import { heartbeat } from '../src/adapters/wire/apis/12-heartbeat.ts'
import { syncGroup } from '../src/adapters/wire/apis/14-sync-group.ts'
import { consumerGroupHeartbeat } from '../src/adapters/wire/apis/68-consumer-group-heartbeat.ts'
import { errorCode } from '../src/domain/errors.ts'
import { decodeResponse, encodeRequest } from '../test/support/wire-client.ts'

const versions = { join: 5, sync: 3, heartbeat: 3, consumer: 1 } as const
const NONE = errorCode('NONE')
const MEMBER_ID_REQUIRED = errorCode('MEMBER_ID_REQUIRED')
const REBALANCE_IN_PROGRESS = errorCode('REBALANCE_IN_PROGRESS')

const everyMs = 3_000
/** As kafkajs and Kafka's own clients have it, or nearly. */
const sessionTimeoutMs = 45_000
const rebalanceTimeoutMs = 60_000

/** One connection on which answers come in the order of the requests. */
export class Line {
  readonly #socket: net.Socket
  #received: Buffer = Buffer.alloc(0)
  readonly #waiting: ((answer: Buffer) => void)[] = []

  static async open(host: string, port: number): Promise<Line> {
    const socket = net.connect({ host, port, noDelay: true })
    await once(socket, 'connect')
    return new Line(socket)
  }

  private constructor(socket: net.Socket) {
    this.#socket = socket
    socket.on('data', (data) => this.#take(data))
  }

  send(frame: Uint8Array, answered: (answer: Buffer) => void): void {
    this.#waiting.push(answered)
    this.#socket.write(frame)
  }

  #take(data: Buffer): void {
    const all = this.#received.length === 0 ? data : Buffer.concat([this.#received, data])
    let at = 0
    while (all.length - at >= 4 && all.length - at >= 4 + all.readInt32BE(at)) {
      const end = at + 4 + all.readInt32BE(at)
      this.#waiting.shift()?.(all.subarray(at + 4, end))
      at = end
    }
    this.#received = all.subarray(at)
  }

  close(): void {
    this.#socket.destroy()
  }
}

export interface Member {
  /** Sends the first join. */
  join(): void
  /** Identifies what it holds; members of one group are stable together when these fit. null = not in the group now. */
  readonly holding: { readonly generation: number; readonly partitions: readonly number[] } | null
  readonly memberId: string
  leave(): void
}

const beats = (run: () => void): NodeJS.Timeout => setInterval(run, everyMs)

export class ClassicMember implements Member {
  memberId = ''
  holding: Member['holding'] = null
  readonly #line: Line
  readonly #groupId: string
  readonly #changed: () => void
  #generation = -1
  #beat: Uint8Array = new Uint8Array()
  #timer: NodeJS.Timeout | null = null

  constructor(line: Line, groupId: string, changed: () => void) {
    this.#line = line
    this.#groupId = groupId
    this.#changed = changed
  }

  join(): void {
    const { memberId } = this
    this.holding = null
    const protocols = [{ name: 'range', metadata: Buffer.alloc(30) }]
    const frame = encodeRequest(joinGroup, versions.join, {
      groupId: this.#groupId,
      sessionTimeoutMs,
      rebalanceTimeoutMs,
      memberId,
      protocolType: 'consumer',
      protocols,
    })
    this.#line.send(frame, (bytes) => {
      const answer = decodeResponse(joinGroup, versions.join, bytes)
      const { errorCode: error } = answer
      this.memberId = answer.memberId
      if (error === MEMBER_ID_REQUIRED) this.join()
      else if (error !== NONE) throw new Error(`JoinGroup was answered with ${String(error)}`)
      else this.#sync(answer.generationId, answer.leader === answer.memberId ? answer.members : [])
    })
  }

  #sync(generationId: number, led: readonly { readonly memberId: string }[]): void {
    const { memberId } = this
    const groupId = this.#groupId
    const assignments = led.map((member) => ({ memberId: member.memberId, assignment: Buffer.alloc(1) }))
    const frame = encodeRequest(syncGroup, versions.sync, { groupId, generationId, memberId, assignments })
    this.#generation = generationId
    this.#beat = encodeRequest(heartbeat, versions.heartbeat, { groupId, generationId, memberId })
    this.#timer ??= beats(() => this.#heartbeat())
    this.#line.send(frame, (bytes) => {
      const { errorCode: error } = decodeResponse(syncGroup, versions.sync, bytes)
      if (error === REBALANCE_IN_PROGRESS) this.join()
      else if (error !== NONE) throw new Error(`SyncGroup was answered with ${String(error)}`)
      else {
        this.holding = { generation: this.#generation, partitions: [] }
        this.#changed()
      }
    })
  }

  #heartbeat(): void {
    if (this.holding === null) return
    this.#line.send(this.#beat, (bytes) => {
      const { errorCode: error } = decodeResponse(heartbeat, versions.heartbeat, bytes)
      if (error === REBALANCE_IN_PROGRESS) {
        if (this.holding !== null) this.join()
      } else if (error !== NONE) throw new Error(`Heartbeat was answered with ${String(error)}`)
    })
  }

  leave(): void {
    clearInterval(this.#timer ?? undefined)
    this.#line.close()
  }
}

export class ConsumerMember implements Member {
  readonly memberId: string
  holding: Member['holding'] = null
  readonly #line: Line
  readonly #groupId: string
  readonly #topic: string
  readonly #changed: () => void
  #epoch = 0
  #owned: { readonly topicId: string; readonly partitions: number[] }[] = []
  #timer: NodeJS.Timeout | null = null
  #underWay = false

  constructor(line: Line, groupId: string, memberId: string, topic: string, changed: () => void) {
    this.#line = line
    this.#groupId = groupId
    this.memberId = memberId
    this.#topic = topic
    this.#changed = changed
  }

  join(): void {
    const subscribed = { rebalanceTimeoutMs, subscribedTopicNames: [this.#topic], topicPartitions: [] }
    this.#send(subscribed)
    this.#timer = beats(() => this.#send({}))
  }

  #send(more: object): void {
    if (this.#underWay) return
    this.#underWay = true
    const frame = encodeRequest(consumerGroupHeartbeat, versions.consumer, {
      groupId: this.#groupId,
      memberId: this.memberId,
      memberEpoch: this.#epoch,
      ...more,
    })
    this.#line.send(frame, (bytes) => {
      const answer = decodeResponse(consumerGroupHeartbeat, versions.consumer, bytes)
      if (answer.errorCode !== 0) {
        throw new Error(`ConsumerGroupHeartbeat was answered with ${String(answer.errorCode)}`)
      }
      this.#underWay = false
      this.#epoch = answer.memberEpoch
      if (answer.assignment !== null) this.#take(answer.assignment.topicPartitions)
      this.#hold()
    })
  }

  /** Revokes at once and says so at once, as clients without work on hand do. */
  #take(assigned: readonly { readonly topicId: string; readonly partitions: readonly number[] }[]): void {
    this.#owned = assigned.map(({ topicId, partitions }) => ({ topicId, partitions: [...partitions] }))
    this.#send({ topicPartitions: this.#owned })
  }

  #hold(): void {
    this.holding = { generation: this.#epoch, partitions: this.#owned.flatMap(({ partitions }) => partitions) }
    this.#changed()
  }

  leave(): void {
    clearInterval(this.#timer ?? undefined)
    this.#line.close()
  }
}
