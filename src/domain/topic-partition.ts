/** Names one partition of one topic. */
export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

/** `topic-partition`, the form of Kafka's folders and log lines; unique, because partition numbers hold no dash. */
export function topicPartitionKey(topic: string, partition: number): string {
  return `${topic}-${String(partition)}`
}
