import { describe, expect, it } from '@jest/globals'
import { spawnSync } from 'node:child_process'
import type { AddressInfo } from 'node:net'
import process from 'node:process'
import { close, listen } from '../../../src/adapters/wire/listening.ts'

/** Connects all at once and ends when all are connected; whoever is kept waiting is killed by the test's limit. */
const burst = `
  const net = require('node:net')
  const [port, count] = process.argv.slice(1).map(Number)
  let connected = 0
  for (let i = 0; i < count; i++) {
    net.connect(port, '127.0.0.1', () => { if (++connected === count) process.exit(0) })
  }
`

describe('the queue of connections', () => {
  it('holds a burst of clients while the process is at work', async () => {
    const [server] = await listen({ name: 'PLAINTEXT', host: '127.0.0.1', port: 0, backlog: 50 }, (socket) => {
      socket.destroy()
    })
    const { port } = server!.address() as AddressInfo
    try {
      // This process accepts nothing before the other one has ended.
      const { status } = spawnSync(process.execPath, ['-e', burst, String(port), '100'], { timeout: 60_000 })
      expect(status).toBe(0)
    } finally {
      await close(server!)
    }
  }, 90_000)
})
