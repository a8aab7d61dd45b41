/**
 * OffsetForLeaderEpoch: where a leader epoch ended (KIP-101, KIP-279, KIP-320), for clients that check whether the log
 * they read was cut behind their back.
 */
import type { ErrorName, KafkaError } from '../../../domain/errors.ts'
import { checkLeaderEpoch, endOfEpoch, UNDEFINED_EPOCH } from '../../../domain/log/leader-epoch-lookup.ts'
import type { EpochEndOffset } from '../../../domain/log/leader-epochs.ts'
import type { PartitionDirectory } from '../../partition.ts'
import { openPartition } from './readable.ts'

export interface OffsetForLeaderEpochCommand {
  readonly topics: readonly {
    readonly topic: string
    readonly partitions: readonly EpochQuestion[]
  }[]
}

export interface EpochQuestion {
  readonly partition: number
  /** -1 = not said. */
  readonly currentLeaderEpoch: number
  /** The epoch whose end is asked for. */
  readonly leaderEpoch: number
}

/** -1 and -1n where the epoch is unknown, and with every error. */
export interface EpochAnswer {
  readonly partition: number
  readonly error: ErrorName
  readonly leaderEpoch: number
  readonly endOffset: bigint
}

export interface EpochAnswers {
  readonly topic: string
  readonly partitions: readonly EpochAnswer[]
}

const unknownEnd: EpochEndOffset = { epoch: UNDEFINED_EPOCH, endOffset: -1n }

export class OffsetForLeaderEpoch {
  readonly #partitions: PartitionDirectory

  constructor(partitions: PartitionDirectory) {
    this.#partitions = partitions
  }

  async execute(command: OffsetForLeaderEpochCommand): Promise<readonly EpochAnswers[]> {
    const answers: EpochAnswers[] = []
    for (const { topic, partitions } of command.topics) {
      const ofTopic: EpochAnswer[] = []
      for (const question of partitions) {
        const end = await this.#end(topic, question)
        const error = typeof end === 'string' ? end : 'NONE'
        const { epoch, endOffset } = typeof end === 'string' ? unknownEnd : end
        ofTopic.push({ partition: question.partition, error, leaderEpoch: epoch, endOffset })
      }
      answers.push({ topic, partitions: ofTopic })
    }
    return answers
  }

  async #end(topic: string, question: EpochQuestion): Promise<EpochEndOffset | KafkaError> {
    const partition = await openPartition(this.#partitions, topic, question.partition)
    if (typeof partition === 'string') return partition
    const epochError = checkLeaderEpoch(question.currentLeaderEpoch, partition.leaderEpoch)
    if (epochError !== null) return epochError
    const history = {
      entries: partition.leaderEpochs(),
      currentEpoch: partition.leaderEpoch,
      logEnd: partition.highWatermark,
    }
    return endOfEpoch(history, question.leaderEpoch) ?? unknownEnd
  }
}
