/** When a deletion is answered. What it decides is topics.test.ts. */
import { describe, expect, it } from '@jest/globals'
import { MemoryMetadataRepository } from '../../../../src/adapters/memory-metadata/memory-metadata-repository.ts'
import { DeleteTopics } from '../../../../src/application/use-cases/cluster/delete-topics.ts'
import { settle } from '../../../support/stalling-log-store.ts'

describe('DeleteTopics', () => {
  it('answers when the logs are out of use', async () => {
    const topicId = 'YS10b3BpYy10aGF0LWdvZQ'
    const metadata = new MemoryMetadataRepository(
      { integer: () => 0, uuid: () => topicId },
      { nodeId: 1, endPoints: () => [], rack: null, minInsyncReplicas: 1 },
    )
    await metadata.start()
    await metadata.commit(() => ({ records: [{ type: 'TopicRecord', name: 't', topicId }], answer: null }))
    let remove: () => void = () => undefined
    const removed = new Promise<void>((resolve) => (remove = resolve))
    const asked: string[] = []
    const removal = { whenRemoved: (id: string) => (asked.push(id), removed) }
    const quiet = () => undefined
    const logger = { debug: quiet, info: quiet, warn: quiet, error: quiet }
    const use = new DeleteTopics(metadata, removal, logger, () => ({ deleteTopicEnable: true }))

    let answered = false
    const answer = use.execute({ topics: [{ name: 't', topicId: 'AAAAAAAAAAAAAAAAAAAAAA' }], timeoutMs: 1000 })
    void answer.then(() => (answered = true))
    await settle()
    expect([asked, answered]).toEqual([[topicId], false])
    remove()
    expect(await answer).toMatchObject([{ name: 't', error: 'NONE' }])
  })
})
