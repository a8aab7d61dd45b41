/**
 * The rebalance of a classic group: when it begins, when the joining ends, what is chosen then. Everything here works
 * on a draft; the order of the steps is that of Kafka's coordinator, because members see it.
 */
import { metadataFor, NO_BYTES, subscriptionsOf, type ClassicGroup, type ClassicMember } from './classic-group.ts'
import { syncError, type ClassicDraft, type ClassicRules, type JoinAnswer } from './classic-decision.ts'

/** Begins a rebalance if the group is between two, or ends the joining of the one under way if all are there. */
export function rebalanceOrComplete(draft: ClassicDraft, rules: ClassicRules, reason: string): void {
  if (draft.next.state === 'PreparingRebalance') completeJoinIfAllJoined(draft)
  else prepareRebalance(draft, rules, reason)
}

export function prepareRebalance(draft: ClassicDraft, rules: ClassicRules, reason: string): void {
  draft.rebalance = reason
  // Who waits for an assignment that will not come has to join again.
  if (draft.next.state === 'CompletingRebalance') {
    for (const member of draft.members.values()) draft.update(member, { assignment: NO_BYTES })
    for (const memberId of draft.members.keys()) {
      if (draft.answerSync(memberId, syncError('REBALANCE_IN_PROGRESS'))) {
        draft.expectSign(draft.members.get(memberId)!)
      }
    }
  }
  draft.cancel('sync')
  const isFirst = draft.next.state === 'Empty'
  draft.enter('PreparingRebalance')
  if (!isFirst) {
    if (haveAllJoined(draft)) completeJoin(draft)
    else draft.set('join', rebalanceTimeoutMs(draft), { kind: 'join' })
    return
  }
  // A new group: more members are likely to come.
  const delayMs = rules.groupInitialRebalanceDelayMs
  const remainingMs = Math.max(rebalanceTimeoutMs(draft) - delayMs, 0)
  draft.set('join', delayMs, { kind: 'initial join', delayMs, remainingMs })
}

/** The delay of the first rebalance is over: put it off again if members came meanwhile. */
export function endInitialDelay(draft: ClassicDraft, rules: ClassicRules, delayMs: number, remainingMs: number): void {
  if (!draft.next.newMemberAdded || remainingMs === 0) {
    completeJoin(draft)
    return
  }
  draft.next.newMemberAdded = false
  const nextDelayMs = Math.min(rules.groupInitialRebalanceDelayMs, remainingMs)
  draft.set('join', nextDelayMs, {
    kind: 'initial join',
    delayMs: nextDelayMs,
    remainingMs: Math.max(remainingMs - delayMs, 0),
  })
}

/** The first rebalance of a group is never cut short: it ends when its delay does. */
export function completeJoinIfAllJoined(draft: ClassicDraft): void {
  const { state, previousState } = draft.next
  if (state === 'PreparingRebalance' && previousState !== 'Empty' && haveAllJoined(draft)) completeJoin(draft)
}

function haveAllJoined(draft: ClassicDraft): boolean {
  if (draft.pendingJoins.size > 0) return false
  for (const { joining } of draft.members.values()) if (joining === null) return false
  return true
}

function rebalanceTimeoutMs(draft: ClassicDraft): number {
  return draft.group().rebalanceTimeoutMs
}

/** Ends the joining: a new generation of those who are there. */
export function completeJoin(draft: ClassicDraft): void {
  draft.cancel('join')
  for (const { memberId, joining, groupInstanceId } of [...draft.members.values()]) {
    // Static members keep their place until their session ends.
    if (joining === null && groupInstanceId === null) draft.remove(memberId)
  }
  if (draft.members.size > 0 && !electLeader(draft)) {
    // Only static members, and none came back: wait until their sessions end.
    draft.set('join', rebalanceTimeoutMs(draft), { kind: 'join' })
    return
  }
  const { next } = draft
  next.generation++
  draft.pendingSyncs = new Set()
  next.protocol = chooseProtocol(draft.members.values())
  next.subscriptions = subscriptionsOf([...draft.members.values()], next.protocol)
  if (draft.members.size === 0) {
    draft.enter('Empty')
    draft.records.push(draft.group().toRecord(() => NO_BYTES))
    return
  }
  draft.enter('CompletingRebalance')
  const group = draft.group()
  for (const member of [...draft.members.values()]) {
    draft.answerJoin(member.memberId, joined(group, member.memberId))
    draft.expectSign(draft.update(draft.members.get(member.memberId)!, { isNew: false }))
    draft.pendingSyncs.add(member.memberId)
  }
  draft.set('sync', rebalanceTimeoutMs(draft), { kind: 'sync', generation: next.generation })
}

/** Whether the member has (re)joined the rebalance under way. */
export function isWaiting(member: ClassicMember | undefined): boolean {
  return member !== undefined && member.joining !== null
}

/** The leader stays if it has rejoined; otherwise somebody who has takes its place. Says whether there is one. */
function electLeader(draft: ClassicDraft): boolean {
  const { leader } = draft.next
  if (leader === null) return false
  if (isWaiting(draft.members.get(leader))) return true
  for (const { memberId, joining } of draft.members.values()) {
    if (joining === null) continue
    draft.next.leader = memberId
    return true
  }
  return false
}

/** The protocol that most members prefer among those that all of them know; null if there is none. */
export function chooseProtocol(members: Iterable<ClassicMember>): string | null {
  const all = [...members]
  const candidates = new Set(protocolsOfAll(all))
  const votes = new Map<string, number>()
  for (const { protocols } of all) {
    const vote = protocols.find(({ name }) => candidates.has(name))?.name
    if (vote !== undefined) votes.set(vote, (votes.get(vote) ?? 0) + 1)
  }
  let chosen: string | null = null
  for (const [name, count] of votes) if (chosen === null || count > votes.get(chosen)!) chosen = name
  return chosen
}

/** The protocols that every member knows. */
export function protocolsOfAll(members: readonly ClassicMember[]): readonly string[] {
  const counts = new Map<string, number>()
  for (const { protocols } of members) {
    for (const name of new Set(protocols.map((protocol) => protocol.name))) {
      counts.set(name, (counts.get(name) ?? 0) + 1)
    }
  }
  return [...counts].filter(([, count]) => count === members.length).map(([name]) => name)
}

/** What a member is told about the generation; the leader learns of everybody. */
export function joined(group: ClassicGroup, memberId: string): JoinAnswer {
  const { generation, protocolType, protocol, leader } = group
  return {
    error: 'NONE',
    generation,
    protocolType,
    protocol,
    leader: leader ?? '',
    skipAssignment: false,
    memberId,
    members: leader === memberId ? membersForLeader(group) : [],
  }
}

export function membersForLeader(group: ClassicGroup): JoinAnswer['members'] {
  return [...group.members.values()].map((member) => ({
    memberId: member.memberId,
    groupInstanceId: member.groupInstanceId,
    metadata: metadataFor(member, group.protocol ?? ''),
  }))
}
