/** DescribeLogDirs, versions 1 to 5. */
import type { DescribeLogDirs, DescribedLogDir } from '../../../application/use-cases/records/describe-log-dirs.ts'
import { errorCode } from '../../../domain/errors.ts'
import type { RequestOf, ResponseOf } from '../api.ts'
import type { describeLogDirs } from '../apis/35-describe-log-dirs.ts'
import type { Handler } from '../handler.ts'

type Request = RequestOf<typeof describeLogDirs>
type Response = ResponseOf<typeof describeLogDirs>

export function describeLogDirsHandler(useCase: DescribeLogDirs): Handler<Request, Response> {
  return async (request) => {
    const directories = await useCase.execute({ topics: request.topics })
    return { throttleTimeMs: 0, errorCode: errorCode('NONE'), results: directories.map(toResult) }
  }
}

function toResult(directory: DescribedLogDir): Response['results'][number] {
  const { error, logDir, topics, totalBytes, usableBytes, isCordoned } = directory
  return {
    errorCode: errorCode(error),
    logDir,
    topics: topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex, sizeBytes, offsetLag, isFuture }) => ({
        partitionIndex,
        partitionSize: BigInt(sizeBytes),
        offsetLag,
        isFutureKey: isFuture,
      })),
    })),
    totalBytes,
    usableBytes,
    isCordoned,
  }
}
