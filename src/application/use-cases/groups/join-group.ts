/** A member enters a classic group; the answer comes when the rebalance is over. */
import type { JoinAnswer } from '../../../domain/groups/classic-decision.ts'
import type { JoinCommand } from '../../../domain/groups/classic-join.ts'
import { dashedUuid } from '../../../domain/uuid.ts'
import type { ClassicGroups } from '../../classic-groups.ts'
import type { Random } from '../../ports/random.ts'

export type JoinGroupCommand = Omit<JoinCommand, 'ticket' | 'newMemberId' | 'newConsumerMemberId'>

export class JoinGroup {
  readonly #groups: ClassicGroups
  readonly #random: Random

  constructor(groups: ClassicGroups, random: Random) {
    this.#groups = groups
    this.#random = random
  }

  execute(command: JoinGroupCommand): Promise<JoinAnswer> {
    const { memberId, clientId, groupInstanceId } = command
    if (memberId !== '') return this.#groups.join({ ...command, newMemberId: memberId, newConsumerMemberId: memberId })
    const uuid = this.#random.uuid()
    const newMemberId = `${groupInstanceId ?? clientId}-${dashedUuid(uuid)}`
    return this.#groups.join({ ...command, newMemberId, newConsumerMemberId: uuid })
  }
}
