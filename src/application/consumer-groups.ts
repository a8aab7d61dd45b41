/**
 * What members of the consumer protocol (KIP-848) say to their groups. Nobody waits here: an answer is given once its
 * records are written. A classic group takes up the protocol of who joins it, with its members in it if
 * `group.consumer.migration.policy` allows that.
 */
import type { KafkaError } from '../domain/errors.ts'
import type {
  ConsumerGroupSettings,
  ConsumerHeartbeat,
  GroupRefusal,
  HeartbeatAnswer,
} from '../domain/groups/consumer-decision.ts'
import { decideRegexes } from '../domain/groups/consumer-regex.ts'
import { decideConsumerHeartbeat } from '../domain/groups/group-entry.ts'
import type { GroupRunner } from './group-runner.ts'

/** The coordinator itself could not decide or write. */
export interface Undecided {
  readonly error: KafkaError
  readonly message: null
}

export class ConsumerGroups {
  readonly #runner: GroupRunner

  constructor(runner: GroupRunner) {
    this.#runner = runner
  }

  settings(groupId: string): ConsumerGroupSettings {
    return this.#runner.rules.consumer(groupId)
  }

  /** A member joins, stays or (with a negative epoch) leaves. */
  async heartbeat(heartbeat: ConsumerHeartbeat): Promise<HeartbeatAnswer | GroupRefusal | Undecided> {
    const { groupId } = heartbeat
    const ran = this.#runner.run(groupId, null, (shard, nowMs) => {
      const context = this.#runner.context(groupId, nowMs)
      return this.#runner.ofConsumer(groupId, decideConsumerHeartbeat(shard, heartbeat, context))
    })
    // Decided by now, whether it is written or not: what patterns stand for comes right behind it.
    void this.#refreshRegexes(groupId)
    const { error, answer } = await ran
    return error === null ? answer : { error, message: null }
  }

  async #refreshRegexes(groupId: string): Promise<void> {
    await this.#runner.run(groupId, null, (shard, nowMs) => {
      const group = shard.consumerGroup(groupId)
      if (group === null) return { records: [], answer: null }
      const context = this.#runner.context(groupId, nowMs)
      const { records, refreshed } = decideRegexes(group, context)
      const enact = (): void => {
        if (refreshed) group.regexesSeen = { topics: context.image.topicsByName, atMs: nowMs }
      }
      return { records, answer: null, enact }
    })
  }
}
