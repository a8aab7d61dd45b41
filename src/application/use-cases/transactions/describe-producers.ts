/** DescribeProducers: who has written to a partition and is still known, with the transactions that are open (KIP-664). */
import { topicNameProblem } from '../../../domain/cluster/topic-name.ts'
import type { ErrorName } from '../../../domain/errors.ts'
import type { ProducerEntry } from '../../../domain/log/producer-state.ts'
import type { Partitions } from '../../partitions.ts'

export interface DescribedProducers {
  readonly error: ErrorName
  readonly message: string | null
  readonly producers: readonly ProducerEntry[]
}

const unknownTopic = failed('UNKNOWN_TOPIC_OR_PARTITION', 'This server does not host this topic-partition.')

export class DescribeProducers {
  readonly #partitions: Partitions

  constructor(partitions: Partitions) {
    this.#partitions = partitions
  }

  async execute(topic: string, partition: number): Promise<DescribedProducers> {
    const problem = topicNameProblem(topic)
    if (problem !== null) return failed('INVALID_TOPIC_EXCEPTION', problem)
    const hosted = this.#partitions.find(topic, partition)
    if (hosted === null) {
      // Every topic has a partition 0. Only for an unknown topic there are words (observed on 4.3.1).
      return this.#partitions.find(topic, 0) === null ? unknownTopic : failed('UNKNOWN_TOPIC_OR_PARTITION')
    }
    await hosted.whenOpen()
    if (hosted.state === 'closed') return unknownTopic
    if (hosted.state === 'offline') return failed('KAFKA_STORAGE_ERROR')
    return { error: 'NONE', message: null, producers: hosted.producers() }
  }
}

function failed(error: ErrorName, message: string | null = null): DescribedProducers {
  return { error, message, producers: [] }
}
