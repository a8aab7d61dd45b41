/**
 * JoinGroup: a member enters a classic group, comes back, or (static, KIP-345) takes its own place over after a
 * restart. Answers and their order are those of Kafka's coordinator.
 */
import type { ErrorName } from '../errors.ts'
import {
  ClassicGroup,
  NO_BYTES,
  sameProtocols,
  type ClassicMember,
  type ClassicProtocol,
  type Ticket,
} from './classic-group.ts'
import {
  ClassicDraft,
  joinError,
  memberDeadline,
  syncError,
  unchanged,
  type ClassicDecision,
  type ClassicReply,
  type ClassicRules,
  type JoinAnswer,
} from './classic-decision.ts'
import {
  chooseProtocol,
  completeJoinIfAllJoined,
  isWaiting,
  joined,
  membersForLeader,
  prepareRebalance,
  protocolsOfAll,
  rebalanceOrComplete,
} from './classic-rebalance.ts'

export interface JoinCommand {
  readonly groupId: string
  /** '' = a new member. */
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  readonly sessionTimeoutMs: number
  readonly rebalanceTimeoutMs: number
  readonly protocolType: string
  readonly protocols: readonly ClassicProtocol[]
  readonly reason: string | null
  /** From JoinGroup v4 on a new dynamic member is given its id first and joins with it (KIP-394). */
  readonly requiresMemberId: boolean
  /** From JoinGroup v9 on the leader can be told not to assign (KIP-814). */
  readonly canSkipAssignment: boolean
  /** The id to give to a new member. */
  readonly newMemberId: string
  /** The same for a group of the consumer protocol, where ids are bare. */
  readonly newConsumerMemberId: string
  readonly ticket: Ticket
}

/** A new member may be silent this long while it waits for its first answer: it cannot send heartbeats. */
const NEW_MEMBER_JOIN_TIMEOUT_MS = 5 * 60 * 1000

/** Why a JoinGroup is refused whatever the group is, or null. */
export function refuseJoin(command: JoinCommand, rules: ClassicRules): ErrorName | null {
  if (command.groupId === '') return 'INVALID_GROUP_ID'
  const { sessionTimeoutMs } = command
  const allowed =
    rules.groupMinSessionTimeoutMs <= sessionTimeoutMs && sessionTimeoutMs <= rules.groupMaxSessionTimeoutMs
  return allowed ? null : 'INVALID_SESSION_TIMEOUT'
}

/** `known` null = there is no group of this id: a new member makes one, any other is unknown. */
export function decideJoin(
  known: ClassicGroup | null,
  command: JoinCommand,
  rules: ClassicRules,
  nowMs: bigint,
): ClassicDecision | JoinAnswer {
  const { memberId } = command
  if (known === null && memberId !== '') return joinError('UNKNOWN_MEMBER_ID', memberId)
  const group = known ?? ClassicGroup.empty(command.groupId, nowMs)
  const decision = decideForGroup(group, command, rules, nowMs)
  if (known !== null || decision.records.length > 0) return decision
  // A group that has come to be is in the log from then on.
  return { ...decision, records: [group.toRecord(() => NO_BYTES)] }
}

function decideForGroup(
  group: ClassicGroup,
  command: JoinCommand,
  rules: ClassicRules,
  nowMs: bigint,
): ClassicDecision {
  if (!hasRoomFor(group, command.memberId, rules.groupMaxSize)) return refuseOverfull(group, command, nowMs)
  if (!speaksWith(group, command)) return answer(group, command, 'INCONSISTENT_GROUP_PROTOCOL')
  if (command.memberId !== '') return decideKnownId(group, command, rules, nowMs)
  const { groupInstanceId, newMemberId, sessionTimeoutMs } = command
  const replaced = groupInstanceId === null ? undefined : group.staticMembers.get(groupInstanceId)
  const draft = new ClassicDraft(group, nowMs)
  if (replaced !== undefined) {
    replaceStaticMember(draft, replaced, command, rules)
  } else if (groupInstanceId === null && command.requiresMemberId) {
    draft.pendingJoins.add(newMemberId)
    draft.deadlines.push(memberDeadline(newMemberId, sessionTimeoutMs))
    draft.replies.push({ ticket: command.ticket, join: joinError('MEMBER_ID_REQUIRED', newMemberId) })
  } else {
    addMember(draft, newMemberId, command, rules)
  }
  return draft.decided()
}

function decideKnownId(group: ClassicGroup, command: JoinCommand, rules: ClassicRules, nowMs: bigint): ClassicDecision {
  const { memberId, groupInstanceId } = command
  // An id that was given out is nobody's instance.
  if (group.pendingJoins.has(memberId) && groupInstanceId === null) {
    const draft = new ClassicDraft(group, nowMs)
    addMember(draft, memberId, command, rules)
    return draft.decided()
  }
  const refused = group.refuseMember(memberId, groupInstanceId)
  if (refused !== null) return answer(group, command, refused)
  const member = group.members.get(memberId)!
  // A leader that joins again wants a rebalance: the topics may have changed, which its metadata does not show.
  const isRepeated =
    (group.state === 'CompletingRebalance' || (group.state === 'Stable' && group.leader !== memberId)) &&
    sameProtocols(member.protocols, command.protocols)
  if (isRepeated) return unchanged(group, [{ ticket: command.ticket, join: joined(group, memberId) }])
  if (group.state === 'Empty') return answer(group, command, 'UNKNOWN_MEMBER_ID')
  const draft = new ClassicDraft(group, nowMs)
  waitForJoin(draft, member, command)
  const why = group.state === 'Stable' && group.leader === memberId ? 'leader' : 'member'
  rebalanceOrComplete(draft, rules, because(`${why} ${memberId} joins again during ${group.state}`, command))
  return draft.decided()
}

function answer(group: ClassicGroup, { ticket, memberId }: JoinCommand, error: ErrorName): ClassicDecision {
  return unchanged(group, [{ ticket, join: joinError(error, memberId) }])
}

function because(what: string, { reason }: JoinCommand): string {
  return `${what}; client reason: ${reason === null || reason === '' ? 'not provided' : reason}`
}

/** While a rebalance is under way, those count who wait: the last ones to rejoin an overfull group are left out. */
function hasRoomFor(group: ClassicGroup, memberId: string, sizeMax: number): boolean {
  switch (group.state) {
    case 'Empty':
      return true
    case 'PreparingRebalance': {
      if (isWaiting(group.members.get(memberId))) return true
      let waiting = 0
      for (const member of group.members.values()) if (isWaiting(member)) waiting++
      return waiting < sizeMax
    }
    case 'CompletingRebalance':
    case 'Stable':
      return group.members.has(memberId) || group.members.size < sizeMax
  }
}

function refuseOverfull(group: ClassicGroup, command: JoinCommand, nowMs: bigint): ClassicDecision {
  const reply: ClassicReply = { ticket: command.ticket, join: joinError('GROUP_MAX_SIZE_REACHED', '') }
  const { memberId } = command
  if (!group.members.has(memberId) && !group.pendingJoins.has(memberId)) return unchanged(group, [reply])
  const draft = new ClassicDraft(group, nowMs)
  draft.remove(memberId)
  draft.replies.push(reply)
  completeJoinIfAllJoined(draft)
  return draft.decided()
}

/** Whether the member can take part: the group's protocol type, and a protocol that all members know. */
function speaksWith(group: ClassicGroup, { protocolType, protocols }: JoinCommand): boolean {
  if (group.state === 'Empty') return protocolType !== '' && protocols.length > 0
  if (protocolType !== group.protocolType) return false
  const known = new Set(protocolsOfAll([...group.members.values()]))
  return protocols.some(({ name }) => known.has(name))
}

function addMember(draft: ClassicDraft, memberId: string, command: JoinCommand, rules: ClassicRules): void {
  const { state, previousState } = draft.next
  if (state === 'PreparingRebalance' && previousState === 'Empty') draft.next.newMemberAdded = true
  const member: ClassicMember = {
    memberId,
    groupInstanceId: command.groupInstanceId,
    clientId: command.clientId,
    clientHost: command.clientHost,
    rebalanceTimeoutMs: command.rebalanceTimeoutMs,
    sessionTimeoutMs: command.sessionTimeoutMs,
    protocols: command.protocols,
    assignment: NO_BYTES,
    isNew: true,
    joining: command.ticket,
    syncing: null,
  }
  draft.add(member, command.protocolType)
  draft.expectSign(member, NEW_MEMBER_JOIN_TIMEOUT_MS)
  const instance = command.groupInstanceId === null ? '' : ` with group instance id ${command.groupInstanceId}`
  rebalanceOrComplete(draft, rules, because(`new member ${memberId}${instance}`, command))
}

/** The member is what this request says, and waits for the rebalance. A JoinGroup that it sent before is void. */
function waitForJoin(draft: ClassicDraft, member: ClassicMember, command: JoinCommand): void {
  draft.answerJoin(member.memberId, joinError('REBALANCE_IN_PROGRESS', member.memberId))
  draft.update(draft.members.get(member.memberId)!, {
    protocols: command.protocols,
    rebalanceTimeoutMs: command.rebalanceTimeoutMs,
    sessionTimeoutMs: command.sessionTimeoutMs,
    joining: command.ticket,
  })
}

/** A static member came back without its id: it gets a new one, and whoever still uses the old one is fenced. */
function replaceStaticMember(draft: ClassicDraft, oldId: string, command: JoinCommand, rules: ClassicRules): void {
  const { newMemberId } = command
  const oldLeader = draft.next.leader ?? ''
  draft.answerJoin(oldId, joinError('FENCED_INSTANCE_ID', oldId))
  draft.answerSync(oldId, syncError('FENCED_INSTANCE_ID'))
  const member = { ...draft.members.get(oldId)!, memberId: newMemberId, isNew: false }
  draft.members.delete(oldId)
  draft.cancel(`member ${oldId}`)
  draft.pendingSyncs.delete(oldId)
  draft.members.set(newMemberId, member)
  draft.staticMembers.set(command.groupInstanceId!, newMemberId)
  if (draft.next.leader === oldId) draft.next.leader = newMemberId
  draft.expectSign(member)
  waitForJoin(draft, member, command)
  const reason = because(`static member ${command.groupInstanceId!} came back as ${newMemberId}`, command)
  switch (draft.next.state) {
    case 'Stable':
      // Nothing changes for the others unless they would now agree on another protocol.
      if (chooseProtocol(draft.members.values()) !== draft.next.protocol) rebalanceOrComplete(draft, rules, reason)
      else keepPlace(draft, oldLeader, command)
      return
    case 'CompletingRebalance':
      // The leader assigns to the old id now: that must not happen.
      prepareRebalance(draft, rules, reason)
      return
    case 'PreparingRebalance':
    case 'Empty':
      completeJoinIfAllJoined(draft)
  }
}

function keepPlace(draft: ClassicDraft, oldLeader: string, { newMemberId, canSkipAssignment }: JoinCommand): void {
  // The answer ends the waiting, so the record is made of what is left.
  const group = draft.group()
  const isLeader = group.leader === newMemberId
  draft.records.push(group.toRecord(({ assignment }) => assignment))
  // Clients that cannot skip the assignment must not find themselves leaders: they would assign without a rebalance.
  draft.answerJoin(newMemberId, {
    ...joined(group, newMemberId),
    leader: canSkipAssignment ? (group.leader ?? '') : oldLeader,
    skipAssignment: canSkipAssignment && isLeader,
    members: canSkipAssignment && isLeader ? membersForLeader(group) : [],
  })
}
