/**
 * DescribeLogDirs (key 35): the log directories of this broker, with what is in them.
 *
 *  v1  the oldest that is served
 *  v2  flexible
 *  v3  an errorCode for the whole response
 *  v4  size and free space of the volume (KIP-827)
 *  v5  isCordoned: the directory takes no new replicas (KIP-1066)
 */
import { array, bool, int16, int32, int64, string } from '../../codec/schema.ts'
import { api } from '../api.ts'

export const describeLogDirs = api({
  key: 35,
  name: 'DescribeLogDirs',
  versions: '1-5',
  flexible: '2+',
  request: {
    topics: array(
      { nullable: true },
      {
        topic: string(),
        partitions: array('int32'),
      },
    ),
  },
  response: {
    throttleTimeMs: int32(),
    errorCode: int16('3+', { ignorable: true }),
    results: array({
      errorCode: int16(),
      logDir: string(),
      topics: array({
        name: string(),
        partitions: array({
          partitionIndex: int32(),
          partitionSize: int64(),
          offsetLag: int64(),
          isFutureKey: bool(),
        }),
      }),
      totalBytes: int64('4+', { default: -1n, ignorable: true }),
      usableBytes: int64('4+', { default: -1n, ignorable: true }),
      isCordoned: bool('5+', { ignorable: true }),
    }),
  },
})
