/** AlterReplicaLogDirs, versions 1 and 2. */
import type { AlterReplicaLogDirs } from '../../../application/use-cases/cluster/alter-replica-log-dirs.ts'
import { errorCode } from '../../../domain/errors.ts'
import type { RequestOf, ResponseOf } from '../api.ts'
import type { alterReplicaLogDirs } from '../apis/34-alter-replica-log-dirs.ts'
import type { Handler } from '../handler.ts'

type Request = RequestOf<typeof alterReplicaLogDirs>
type Response = ResponseOf<typeof alterReplicaLogDirs>

export function alterReplicaLogDirsHandler(useCase: AlterReplicaLogDirs): Handler<Request, Response> {
  return async ({ dirs }) => {
    const wanted = dirs.flatMap(({ path, topics }) =>
      topics.flatMap(({ name, partitions }) => partitions.map((partition) => ({ path, topic: name, partition }))),
    )
    const topics = new Map<string, Response['results'][number]['partitions'][number][]>()
    for (const { topic, partition, error } of await useCase.execute(wanted)) {
      const partitions = topics.get(topic) ?? []
      topics.set(topic, partitions)
      partitions.push({ partitionIndex: partition, errorCode: errorCode(error ?? 'NONE') })
    }
    const results = [...topics].map(([topicName, partitions]) => ({ topicName, partitions }))
    return { throttleTimeMs: 0, results }
  }
}
