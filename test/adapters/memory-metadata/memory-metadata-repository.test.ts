import { describe, expect, it } from '@jest/globals'
import { MemoryMetadataRepository } from '../../../src/adapters/memory-metadata/memory-metadata-repository.ts'
import type { MemoryMetadataOptions } from '../../../src/adapters/memory-metadata/memory-metadata-repository.ts'
import { metadataRepositoryContract } from '../../contracts/metadata-repository.ts'

const endPoint = { name: 'PLAINTEXT', host: 'localhost', port: 9092, securityProtocol: 0 }

function create(options: Partial<MemoryMetadataOptions> = {}): MemoryMetadataRepository {
  let drawn = 0
  const random = { uuid: () => `uuid${String(drawn++).padStart(18, '0')}`, integer: () => 0 }
  const defaults = { nodeId: 1, endPoints: () => [endPoint], rack: null, minInsyncReplicas: 1 }
  return new MemoryMetadataRepository(random, { ...defaults, ...options })
}

metadataRepositoryContract('MemoryMetadataRepository', async () => {
  const repository = create()
  await repository.start()
  return repository
})

describe('MemoryMetadataRepository', () => {
  it('shows its broker as the options say, and commits before the promise is returned', async () => {
    const repository = create({ nodeId: 7, clusterId: 'BasicCleanAAAAAAAAAAAA', rack: 'r1' })
    await repository.start()
    expect(repository.image().clusterId).toBe('BasicCleanAAAAAAAAAAAA')
    expect(repository.image().brokers.get(7)).toMatchObject({ rack: 'r1', endPoints: [endPoint], epoch: 0n })
    const record = { type: 'ProducerIdsRecord', brokerId: 7, brokerEpoch: 0n, nextProducerId: 1000n } as const
    const committing = repository.commit(() => ({ records: [record], answer: null }))
    expect(repository.image().nextProducerId).toBe(1000n)
    await committing
  })

  it('answers nothing before it is started', () => {
    expect(() => create().image()).toThrow('not started')
  })
})
