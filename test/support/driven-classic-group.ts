/** A classic group with its log, its deadlines and its parked requests, driven decision by decision without a broker. */
import type { ClassicGroup } from '../../src/domain/groups/classic-group.ts'
import type {
  ClassicDeadline,
  ClassicDecision,
  ClassicReply,
  ClassicRules,
  DeadlineChange,
  JoinAnswer,
  SyncAnswer,
} from '../../src/domain/groups/classic-decision.ts'
import { decideJoin, refuseJoin, type JoinCommand } from '../../src/domain/groups/classic-join.ts'
import {
  decideDue,
  decideHeartbeat,
  decideLeave,
  deadlinesOnLoad,
  type LeavingMember,
} from '../../src/domain/groups/classic-membership.ts'
import { decideSync } from '../../src/domain/groups/classic-sync.ts'
import type { GroupRecord } from '../../src/domain/groups/group-record.ts'
import { GroupShard } from '../../src/domain/groups/group-shard.ts'

export const rules: ClassicRules = {
  groupMinSessionTimeoutMs: 6_000,
  groupMaxSessionTimeoutMs: 1_800_000,
  groupMaxSize: 2147483647,
  groupInitialRebalanceDelayMs: 3_000,
}

export const SESSION_MS = 10_000
export const REBALANCE_MS = 60_000

export type Answer = JoinAnswer | SyncAnswer

export class DrivenGroup {
  shard = new GroupShard()
  readonly log: GroupRecord[] = []
  readonly rules: ClassicRules
  nowMs = 1_000_000
  /** What each ticket was answered; a ticket answered twice is an error at once. */
  readonly answers = new Map<number, Answer>()
  readonly deadlines = new Map<string, { readonly atMs: number; readonly due: ClassicDeadline }>()
  /** Tickets that wait. */
  readonly waiting = new Set<number>()
  #tickets = 0
  #ids = 0

  constructor(changed: Partial<ClassicRules> = {}) {
    this.rules = { ...rules, ...changed }
  }

  get group(): ClassicGroup | null {
    return this.shard.classicGroup('g')
  }

  /** The ticket of the request. */
  join(memberId: string, changes: Partial<JoinCommand> = {}): number {
    const ticket = this.#ticket()
    const command: JoinCommand = {
      groupId: 'g',
      memberId,
      groupInstanceId: null,
      clientId: 'c',
      clientHost: '/127.0.0.1',
      sessionTimeoutMs: SESSION_MS,
      rebalanceTimeoutMs: REBALANCE_MS,
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: Uint8Array.of(1) }],
      reason: null,
      requiresMemberId: false,
      canSkipAssignment: true,
      newMemberId: `m${++this.#ids}`,
      newConsumerMemberId: `u${this.#ids}`,
      ticket,
      ...changes,
    }
    const refused = refuseJoin(command, this.rules)
    if (refused !== null) throw new Error(refused)
    const decision = decideJoin(this.group, command, this.rules, BigInt(this.nowMs))
    if ('group' in decision) this.#apply(decision)
    else this.#reply([{ ticket, join: decision }])
    return ticket
  }

  sync(memberId: string, changes: Partial<Parameters<typeof decideSync>[1]> = {}): number {
    const ticket = this.#ticket()
    const { group } = this
    const command = {
      groupId: 'g',
      memberId,
      groupInstanceId: null,
      generation: group!.generation,
      protocolType: null,
      protocol: null,
      assignments: new Map([...group!.members.keys()].map((id, i) => [id, Uint8Array.of(i + 1)])),
      ticket,
      ...changes,
    }
    this.#apply(decideSync(group!, command, BigInt(this.nowMs)))
    return ticket
  }

  heartbeat(memberId: string, generation = this.group!.generation, groupInstanceId: string | null = null): string {
    const { error, deadlines } = decideHeartbeat(this.group!, { groupId: 'g', memberId, groupInstanceId, generation })
    this.#expect(deadlines)
    return error
  }

  leave(...members: readonly Partial<LeavingMember>[]): readonly string[] {
    const leaving = members.map((member) => ({ memberId: '', groupInstanceId: null, reason: null, ...member }))
    const decision = decideLeave(this.group!, leaving, this.rules, BigInt(this.nowMs))
    this.#apply(decision)
    return decision.left.map(({ error }) => error)
  }

  /** Lets time pass; deadlines are decided about in their order. */
  advance(ms: number): void {
    const untilMs = this.nowMs + ms
    for (;;) {
      const next = [...this.deadlines].sort(([, a], [, b]) => a.atMs - b.atMs)[0]
      if (next === undefined || next[1].atMs > untilMs) break
      this.deadlines.delete(next[0])
      this.nowMs = next[1].atMs
      const decision = this.group && decideDue(this.group, next[1].due, this.rules, BigInt(this.nowMs))
      if (decision !== null) this.#apply(decision)
    }
    this.nowMs = untilMs
  }

  /** Another broker takes over: the state is what the log says, and whoever waited is gone. */
  restart(): void {
    this.shard = this.replayed()
    this.deadlines.clear()
    this.waiting.clear()
    if (this.group !== null) this.#expect(deadlinesOnLoad(this.group))
  }

  replayed(): GroupShard {
    const shard = new GroupShard()
    this.log.forEach((record, i) => {
      shard.evolve(record, BigInt(i), -1n)
    })
    return shard
  }

  joined(ticket: number): JoinAnswer {
    return this.answers.get(ticket) as JoinAnswer
  }

  synced(ticket: number): SyncAnswer {
    return this.answers.get(ticket) as SyncAnswer
  }

  #ticket(): number {
    const ticket = ++this.#tickets
    this.waiting.add(ticket)
    return ticket
  }

  #apply({ group, records, replies, deadlines }: ClassicDecision): void {
    for (const record of records) {
      this.shard.evolve(record, BigInt(this.log.length), -1n)
      this.log.push(record)
    }
    this.shard.place(group)
    this.#expect(deadlines)
    this.#reply(replies)
  }

  #reply(replies: readonly ClassicReply[]): void {
    for (const reply of replies) {
      if (!this.waiting.delete(reply.ticket)) throw new Error(`ticket ${reply.ticket} does not wait`)
      this.answers.set(reply.ticket, 'join' in reply ? reply.join : reply.sync)
    }
  }

  #expect(changes: readonly DeadlineChange[]): void {
    for (const { key, set } of changes) {
      if (set === null) this.deadlines.delete(key)
      else this.deadlines.set(key, { atMs: this.nowMs + set.afterMs, due: set.due })
    }
  }
}
