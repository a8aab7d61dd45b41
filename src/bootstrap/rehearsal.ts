/**
 * A client's first requests, sent over a socket: ApiVersions as old and new clients ask it. The build plays them once
 * before it writes the code cache.
 */
import { connect } from 'node:net'
import type { BrokerAddress } from './broker.ts'

/** ApiVersions v0 and v3 (client software `a`, version `1`), with their sizes. */
const requests = [
  '0000000a' + '0012' + '0000' + '00000001' + 'ffff',
  '00000010' + '0012' + '0003' + '00000002' + 'ffff' + '00' + '0261' + '0231' + '00',
]

/** Resolves when both have been answered; rejects when the connection breaks before. */
export function rehearseClients({ host, port }: BrokerAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    let received = Buffer.alloc(0)
    const socket = connect(port, host, () => requests.forEach((request) => socket.write(Buffer.from(request, 'hex'))))
    socket.on('data', (data) => {
      received = Buffer.concat([received, data])
      if (wholeFrames(received) < requests.length) return
      socket.destroy()
      resolve()
    })
    socket.on('error', reject)
  })
}

function wholeFrames(bytes: Buffer): number {
  let count = 0
  for (let at = 0; at + 4 <= bytes.length; count += 1) {
    at += 4 + bytes.readInt32BE(at)
    if (at > bytes.length) break
  }
  return count
}
