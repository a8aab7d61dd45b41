/**
 * AlterReplicaLogDirs (key 34): moves replicas between the log directories of this broker.
 *
 *  v1  the oldest that is served
 *  v2  flexible
 */
import { array, int16, int32, string } from '../../codec/schema.ts'
import { api } from '../api.ts'

export const alterReplicaLogDirs = api({
  key: 34,
  name: 'AlterReplicaLogDirs',
  versions: '1-2',
  flexible: '2+',
  request: {
    dirs: array({
      path: string(),
      topics: array({
        name: string(),
        partitions: array('int32'),
      }),
    }),
  },
  response: {
    throttleTimeMs: int32(),
    results: array({
      topicName: string(),
      partitions: array({
        partitionIndex: int32(),
        errorCode: int16(),
      }),
    }),
  },
})
