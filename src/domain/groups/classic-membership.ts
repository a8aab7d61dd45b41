/** Staying in a classic group, leaving it, and falling out of it. */
import type { ErrorName } from '../errors.ts'
import type { ClassicGroup } from './classic-group.ts'
import {
  ClassicDraft,
  memberDeadline,
  unchanged,
  type ClassicDeadline,
  type ClassicDecision,
  type ClassicRules,
  type DeadlineChange,
} from './classic-decision.ts'
import {
  completeJoin,
  completeJoinIfAllJoined,
  endInitialDelay,
  prepareRebalance,
  rebalanceOrComplete,
} from './classic-rebalance.ts'

export interface HeartbeatCommand {
  readonly groupId: string
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly generation: number
}

/** A heartbeat never changes the group: it moves the member's deadline. */
export function decideHeartbeat(
  group: ClassicGroup,
  { memberId, groupInstanceId, generation }: HeartbeatCommand,
): { readonly error: ErrorName; readonly deadlines: readonly DeadlineChange[] } {
  const refused = group.refuseMember(memberId, groupInstanceId)
  if (refused !== null) return { error: refused, deadlines: [] }
  if (generation !== group.generation) return { error: 'ILLEGAL_GENERATION', deadlines: [] }
  if (group.state === 'Empty') return { error: 'UNKNOWN_MEMBER_ID', deadlines: [] }
  return {
    error: group.state === 'PreparingRebalance' ? 'REBALANCE_IN_PROGRESS' : 'NONE',
    deadlines: [memberDeadline(memberId, group.members.get(memberId)!.sessionTimeoutMs)],
  }
}

/** An offset commit is a sign of life too, except while members wait for their assignments. */
export function signOfCommit(group: ClassicGroup, memberId: string): readonly DeadlineChange[] {
  const member = group.members.get(memberId)
  const counts = group.state === 'Stable' || group.state === 'PreparingRebalance'
  return member !== undefined && counts ? [memberDeadline(memberId, member.sessionTimeoutMs)] : []
}

/** Deadlines of a group that was just loaded: its members have a whole session to come back. */
export function deadlinesOnLoad(group: ClassicGroup): readonly DeadlineChange[] {
  return [...group.members.values()].map(({ memberId, sessionTimeoutMs }) => memberDeadline(memberId, sessionTimeoutMs))
}

export interface LeavingMember {
  /** '' = the static member of this instance, whatever its id (as admins remove members). */
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly reason: string | null
}

export interface LeftMember {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly error: ErrorName
}

export function decideLeave(
  group: ClassicGroup,
  leaving: readonly LeavingMember[],
  rules: ClassicRules,
  nowMs: bigint,
): ClassicDecision & { readonly left: readonly LeftMember[] } {
  const draft = new ClassicDraft(group, nowMs)
  const left = leaving.map((member) => leave(draft, member))
  const reasons = leaving.filter((_, i) => left[i]!.error === 'NONE').map(({ reason }) => reason ?? 'not provided')
  if (reasons.length === 0) return { ...unchanged(group, []), left }
  const reason = `members left; client reasons: ${[...new Set(reasons)].join(', ')}`
  goOnWithout(draft, rules, reason)
  return { ...draft.decided(), left }
}

function leave(draft: ClassicDraft, { memberId, groupInstanceId }: LeavingMember): LeftMember {
  if (memberId === '') {
    const owner = groupInstanceId === null ? undefined : draft.staticMembers.get(groupInstanceId)
    if (owner === undefined) return { memberId, groupInstanceId, error: 'UNKNOWN_MEMBER_ID' }
    draft.remove(owner)
    return { memberId, groupInstanceId, error: 'NONE' }
  }
  const refused = draft.pendingJoins.has(memberId) ? null : draft.group().refuseMember(memberId, groupInstanceId)
  if (refused !== null) return { memberId, groupInstanceId, error: refused }
  draft.remove(memberId)
  return { memberId, groupInstanceId, error: 'NONE' }
}

/** What a group does when members are gone. */
function goOnWithout(draft: ClassicDraft, rules: ClassicRules, reason: string): void {
  switch (draft.next.state) {
    case 'Stable':
    case 'CompletingRebalance':
      rebalanceOrComplete(draft, rules, reason)
      return
    case 'PreparingRebalance':
      completeJoinIfAllJoined(draft)
      return
    case 'Empty':
      return
  }
}

/** A deadline has passed. It may be too late for it to mean anything: then null. */
export function decideDue(
  group: ClassicGroup,
  due: ClassicDeadline,
  rules: ClassicRules,
  nowMs: bigint,
): ClassicDecision | null {
  const draft = new ClassicDraft(group, nowMs)
  switch (due.kind) {
    case 'initial join':
      if (group.state !== 'PreparingRebalance') return null
      endInitialDelay(draft, rules, due.delayMs, due.remainingMs)
      break
    case 'join':
      if (group.state !== 'PreparingRebalance') return null
      completeJoin(draft)
      break
    case 'sync': {
      const late = [...group.pendingSyncs]
      const counts = group.state === 'CompletingRebalance' || group.state === 'Stable'
      if (due.generation !== group.generation || !counts || late.length === 0) return null
      for (const memberId of late) draft.remove(memberId)
      prepareRebalance(draft, rules, `no SyncGroup of ${late.join(', ')} in time`)
      break
    }
    case 'member':
      if (!loseMember(draft, due.memberId, rules)) return null
  }
  return draft.decided()
}

function loseMember(draft: ClassicDraft, memberId: string, rules: ClassicRules): boolean {
  if (draft.pendingJoins.has(memberId)) {
    draft.remove(memberId)
    completeJoinIfAllJoined(draft)
    return true
  }
  const member = draft.members.get(memberId)
  if (member === undefined) return false
  // Who waits to be answered is alive; a new member that waits too long is taken for gone.
  if (!member.isNew && (member.joining !== null || member.syncing !== null)) return false
  draft.remove(memberId)
  goOnWithout(draft, rules, `no heartbeat of ${memberId} within its session timeout`)
  return true
}

/** A loaded group has more members than are allowed now: the next rebalance leaves the last ones out. */
export function shrinkOnLoad(group: ClassicGroup, rules: ClassicRules, nowMs: bigint): ClassicDecision {
  const draft = new ClassicDraft(group, nowMs)
  prepareRebalance(draft, rules, 'the group is larger than group.max.size')
  return draft.decided()
}
