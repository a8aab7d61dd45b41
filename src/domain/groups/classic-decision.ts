/**
 * What deciding about a classic group comes to, and the draft in which a decision builds the group's next state.
 * Time is an argument, deadlines are an outcome: whoever runs the decisions sets them and decides again when one is due.
 */
import type { ErrorName } from '../errors.ts'
import {
  ClassicGroup,
  type ClassicGroupFields,
  type ClassicMember,
  type ClassicState,
  NO_BYTES,
  type Ticket,
} from './classic-group.ts'
import type { GroupRecord } from './group-record.ts'

/** The broker configs of the same names. */
export interface ClassicRules {
  readonly groupMinSessionTimeoutMs: number
  readonly groupMaxSessionTimeoutMs: number
  readonly groupMaxSize: number
  readonly groupInitialRebalanceDelayMs: number
}

export interface JoinAnswer {
  readonly error: ErrorName
  /** -1 with an error. */
  readonly generation: number
  readonly protocolType: string | null
  readonly protocol: string | null
  readonly leader: string
  /** The leader need not assign: nothing has changed (KIP-814). */
  readonly skipAssignment: boolean
  readonly memberId: string
  /** For the leader only. */
  readonly members: readonly {
    readonly memberId: string
    readonly groupInstanceId: string | null
    readonly metadata: Uint8Array
  }[]
}

export interface SyncAnswer {
  readonly error: ErrorName
  readonly protocolType: string | null
  readonly protocol: string | null
  readonly assignment: Uint8Array
}

/** Answers a request that waits, perhaps the one being decided about. */
export type ClassicReply =
  { readonly ticket: Ticket; readonly join: JoinAnswer } | { readonly ticket: Ticket; readonly sync: SyncAnswer }

/** Something that happens to the group when time has passed. */
export type ClassicDeadline =
  /** The first rebalance waits for more members; `remainingMs` = how much longer it may be put off after this. */
  | { readonly kind: 'initial join'; readonly delayMs: number; readonly remainingMs: number }
  /** Members that have not rejoined by now are out. */
  | { readonly kind: 'join' }
  /** Members that have not asked for their assignment of this generation by now are out. */
  | { readonly kind: 'sync'; readonly generation: number }
  /** No sign of life of a member, or of one that was given an id. */
  | { readonly kind: 'member'; readonly memberId: string }

/** Setting a deadline replaces the one of the same key. */
export interface DeadlineChange {
  readonly key: string
  /** null = cancel it. */
  readonly set: { readonly afterMs: number; readonly due: ClassicDeadline } | null
}

export interface ClassicDecision {
  /** The group's next state. */
  readonly group: ClassicGroup
  readonly records: readonly GroupRecord[]
  /** To be given once the records are written. */
  readonly replies: readonly ClassicReply[]
  readonly deadlines: readonly DeadlineChange[]
  /** Why a rebalance began, for the operator; null when none did. */
  readonly rebalance: string | null
}

/** A decision that changes nothing but perhaps deadlines. */
export function unchanged(
  group: ClassicGroup,
  replies: readonly ClassicReply[],
  deadlines: readonly DeadlineChange[] = [],
): ClassicDecision {
  return { group, records: [], replies, deadlines, rebalance: null }
}

export function joinError(error: ErrorName, memberId: string): JoinAnswer {
  return {
    error,
    generation: -1,
    protocolType: null,
    protocol: null,
    leader: '',
    skipAssignment: false,
    memberId,
    members: [],
  }
}

export function syncError(error: ErrorName): SyncAnswer {
  return { error, protocolType: null, protocol: null, assignment: NO_BYTES }
}

function memberKey(memberId: string): string {
  return `member ${memberId}`
}

/** The next sign of life of a member is due after this long. */
export function memberDeadline(memberId: string, afterMs: number): DeadlineChange {
  return { key: memberKey(memberId), set: { afterMs, due: { kind: 'member', memberId } } }
}

type Writable = { -readonly [Key in keyof ClassicGroupFields]: ClassicGroupFields[Key] }

/** The next state of a group, and everything that follows from it, in the making. */
export class ClassicDraft {
  readonly next: Writable
  readonly members: Map<string, ClassicMember>
  readonly staticMembers: Map<string, string>
  readonly pendingJoins: Set<string>
  pendingSyncs: Set<string>
  readonly records: GroupRecord[] = []
  readonly replies: ClassicReply[] = []
  readonly deadlines: DeadlineChange[] = []
  rebalance: string | null = null
  readonly nowMs: bigint

  constructor(group: ClassicGroup, nowMs: bigint) {
    this.nowMs = nowMs
    this.members = new Map(group.members)
    this.staticMembers = new Map(group.staticMembers)
    this.pendingJoins = new Set(group.pendingJoins)
    this.pendingSyncs = new Set(group.pendingSyncs)
    this.next = {
      groupId: group.groupId,
      state: group.state,
      previousState: group.previousState,
      stateTimestampMs: group.stateTimestampMs,
      generation: group.generation,
      protocolType: group.protocolType,
      protocol: group.protocol,
      leader: group.leader,
      newMemberAdded: group.newMemberAdded,
      subscriptions: group.subscriptions,
      members: this.members,
      staticMembers: this.staticMembers,
      pendingJoins: this.pendingJoins,
      pendingSyncs: this.pendingSyncs,
    }
  }

  /** The draft as it is now. It shares its collections: to be kept only as the last thing. */
  group(): ClassicGroup {
    return new ClassicGroup({ ...this.next, pendingSyncs: this.pendingSyncs })
  }

  decided(): ClassicDecision {
    const { records, replies, deadlines, rebalance } = this
    return { group: this.group(), records, replies, deadlines, rebalance }
  }

  enter(state: ClassicState): void {
    this.next.previousState = this.next.state
    this.next.state = state
    this.next.stateTimestampMs = this.nowMs
  }

  set(key: string, afterMs: number, due: ClassicDeadline): void {
    this.deadlines.push({ key, set: { afterMs, due } })
  }

  cancel(key: string): void {
    this.deadlines.push({ key, set: null })
  }

  /** The member's session begins anew. */
  expectSign(member: ClassicMember, afterMs = member.sessionTimeoutMs): void {
    this.deadlines.push(memberDeadline(member.memberId, afterMs))
  }

  update(member: ClassicMember, changes: Partial<ClassicMember>): ClassicMember {
    const changed = { ...member, ...changes }
    this.members.set(changed.memberId, changed)
    return changed
  }

  /** A member more; the first one sets the protocol type. */
  add(member: ClassicMember, protocolType: string): void {
    if (this.members.size === 0) this.next.protocolType = protocolType
    this.next.leader ??= member.memberId
    this.members.set(member.memberId, member)
    this.pendingJoins.delete(member.memberId)
    if (member.groupInstanceId !== null) this.staticMembers.set(member.groupInstanceId, member.memberId)
  }

  /** Forgets a member, or an id given out, and tells what waits of it that it is none. */
  remove(memberId: string): void {
    this.answerJoin(memberId, joinError('UNKNOWN_MEMBER_ID', ''))
    this.answerSync(memberId, syncError('UNKNOWN_MEMBER_ID'))
    const instanceId = this.members.get(memberId)?.groupInstanceId ?? null
    if (instanceId !== null) this.staticMembers.delete(instanceId)
    this.members.delete(memberId)
    this.pendingJoins.delete(memberId)
    this.pendingSyncs.delete(memberId)
    if (this.next.leader === memberId) this.next.leader = this.members.keys().next().value ?? null
    this.cancel(memberKey(memberId))
  }

  /** Answers the JoinGroup of a member that waits, if one does. */
  answerJoin(memberId: string, join: JoinAnswer): void {
    const member = this.members.get(memberId)
    if (member === undefined || member.joining === null) return
    this.replies.push({ ticket: member.joining, join })
    this.update(member, { joining: null })
  }

  /** Answers the SyncGroup of a member that waits, if one does; says whether one did. */
  answerSync(memberId: string, sync: SyncAnswer): boolean {
    const member = this.members.get(memberId)
    if (member === undefined || member.syncing === null) return false
    this.replies.push({ ticket: member.syncing, sync })
    this.update(member, { syncing: null })
    return true
  }
}
