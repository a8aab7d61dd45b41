/** ConsumerGroupHeartbeat (KIP-848): a member joins, stays, reconciles or leaves. */
import type { ConsumerHeartbeat, GroupRefusal, HeartbeatAnswer } from '../../../domain/groups/consumer-decision.ts'
import { refuseHeartbeat } from '../../../domain/groups/heartbeat-validity.ts'
import type { ConsumerGroups, Undecided } from '../../consumer-groups.ts'
import type { Random } from '../../ports/random.ts'

export interface ConsumerGroupHeartbeatCommand extends ConsumerHeartbeat {
  /** Who joins may come without an id and is given one (version 0). */
  readonly mayLackMemberId: boolean
}

export class ConsumerGroupHeartbeat {
  readonly #groups: ConsumerGroups
  readonly #random: Random

  constructor(groups: ConsumerGroups, random: Random) {
    this.#groups = groups
    this.#random = random
  }

  async execute(command: ConsumerGroupHeartbeatCommand): Promise<HeartbeatAnswer | GroupRefusal | Undecided> {
    const { mayLackMemberId, ...heartbeat } = command
    const { assignors } = this.#groups.settings(heartbeat.groupId)
    const refused = refuseHeartbeat(heartbeat, assignors, mayLackMemberId)
    if (refused !== null) return refused
    const memberId = heartbeat.memberId === '' ? this.#random.uuid() : heartbeat.memberId
    return this.#groups.heartbeat({ ...heartbeat, memberId })
  }
}
