import { afterEach, describe, expect, it } from '@jest/globals'
import type { OnAbandoned, Reply } from '../../../src/adapters/wire/reply.ts'
import { requestFrame, responseChunks, startServer, turns, until, type RunningServer } from '../../support/tcp.ts'

let running: RunningServer | null = null

afterEach(async () => {
  await running?.stop()
  running = null
})

describe('onAbandoned', () => {
  it('runs once for each request that its client did not wait for, and for no other', async () => {
    const abandoned: number[] = []
    const asked = new Map<number, { answer: (reply: Reply) => void; onAbandoned: OnAbandoned }>()
    running = await startServer({
      respond: (frame, _, __, onAbandoned) => {
        const id = frame.bytes.readInt32BE(4)
        onAbandoned(() => abandoned.push(id))
        return new Promise<Reply>((answer) => asked.set(id, { answer, onAbandoned }))
      },
    })
    const { server } = running
    const client = await running.connect()
    client.write(Buffer.concat([1, 2, 3].map((id) => requestFrame(id))))
    await until(() => asked.size === 3)
    asked.get(1)!.answer(responseChunks(1))
    await client.receive(1)
    client.socket.resetAndDestroy()
    await until(() => server.connectionCount === 0)
    expect(abandoned).toEqual([2, 3])
    asked.get(3)!.onAbandoned(() => abandoned.push(33))
    for (const id of [2, 3]) asked.get(id)!.answer(responseChunks(id))
    await turns()
    expect(abandoned).toEqual([2, 3, 33])
  })
})
