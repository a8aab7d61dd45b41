/**
 * ListPartitionReassignments (key 46): the reassignments under way.
 */
import { array, int16, int32, string } from '../../codec/schema.ts'
import { api } from '../api.ts'

export const listPartitionReassignments = api({
  key: 46,
  name: 'ListPartitionReassignments',
  versions: '0',
  flexible: '0+',
  request: {
    timeoutMs: int32({ default: 60000 }),
    topics: array(
      { nullable: true, default: null },
      {
        name: string(),
        partitionIndexes: array('int32'),
      },
    ),
  },
  response: {
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: string({ nullable: true }),
    topics: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
        replicas: array('int32'),
        addingReplicas: array('int32'),
        removingReplicas: array('int32'),
      }),
    }),
  },
})
