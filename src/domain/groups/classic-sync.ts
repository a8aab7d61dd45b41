/** SyncGroup: the leader hands in the assignments, every member gets its own. */
import type { ErrorName } from '../errors.ts'
import { NO_BYTES, type ClassicGroup, type Ticket } from './classic-group.ts'
import { ClassicDraft, syncError, unchanged, type ClassicDecision, type SyncAnswer } from './classic-decision.ts'

export interface SyncCommand {
  readonly groupId: string
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly generation: number
  /** null = not said (before SyncGroup v5). */
  readonly protocolType: string | null
  readonly protocol: string | null
  /** From the leader, by member id. */
  readonly assignments: ReadonlyMap<string, Uint8Array>
  readonly ticket: Ticket
}

export function decideSync(group: ClassicGroup, command: SyncCommand, nowMs: bigint): ClassicDecision {
  const { memberId, ticket } = command
  const refused = refuseSync(group, command)
  if (refused !== null) return unchanged(group, [{ ticket, sync: syncError(refused) }])
  const draft = new ClassicDraft(group, nowMs)
  draft.pendingSyncs.delete(memberId)
  if (draft.pendingSyncs.size === 0) draft.cancel('sync')
  if (group.state === 'Stable') {
    draft.replies.push({ ticket, sync: assigned(group, group.members.get(memberId)!.assignment) })
    return draft.decided()
  }
  draft.answerSync(memberId, syncError('REBALANCE_IN_PROGRESS'))
  draft.update(draft.members.get(memberId)!, { syncing: ticket })
  if (group.leader === memberId) stabilise(draft, command.assignments)
  return draft.decided()
}

function refuseSync(group: ClassicGroup, command: SyncCommand): ErrorName | null {
  const notMember = group.refuseMember(command.memberId, command.groupInstanceId)
  if (notMember !== null) return notMember
  if (command.generation !== group.generation) return 'ILLEGAL_GENERATION'
  if (differs(command.protocolType, group.protocolType) || differs(command.protocol, group.protocol)) {
    return 'INCONSISTENT_GROUP_PROTOCOL'
  }
  if (group.state === 'Empty') return 'UNKNOWN_MEMBER_ID'
  return group.state === 'PreparingRebalance' ? 'REBALANCE_IN_PROGRESS' : null
}

function differs(said: string | null, is: string | null): boolean {
  return said !== null && is !== null && said !== is
}

function assigned({ protocolType, protocol }: ClassicGroup, assignment: Uint8Array): SyncAnswer {
  return { error: 'NONE', protocolType, protocol, assignment }
}

/** The group is stable; whoever the leader forgot gets nothing. */
function stabilise(draft: ClassicDraft, assignments: ReadonlyMap<string, Uint8Array>): void {
  for (const member of [...draft.members.values()]) {
    draft.update(member, { assignment: assignments.get(member.memberId) ?? NO_BYTES })
  }
  const group = draft.group()
  // The record is of the moment before, as a real broker's is: it has the time of the state that ends.
  draft.records.push(group.toRecord(({ assignment }) => assignment))
  draft.enter('Stable')
  for (const { memberId, assignment } of [...draft.members.values()]) {
    // A session that ended while its member waited here did not count, so it begins anew.
    if (draft.answerSync(memberId, assigned(group, assignment))) draft.expectSign(draft.members.get(memberId)!)
  }
}
