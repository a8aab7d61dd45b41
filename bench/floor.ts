/**
 * The floors: what a Node process must pay for the same bytes, whatever it is. One takes length-prefixed frames, checks
 * the CRC of each record batch and stamps its offset at places told in advance, writes the batches to one file for each
 * partition as asynchronous vectored writes (one in flight a file, all that queued meanwhile in the next), and then
 * answers a fixed frame. A fetch answers a fixed length from memory or with one read of the file and one write. It
 * parses no protocol.
 *
 * There are two, which differ in where bytes lie (`floor-input.ts`, and for a fetch from the file a fresh buffer for
 * each read against one used again): the plain one is what the bounds of the design are stated for, the tight one
 * shares the broker's own ways with memory.
 *
 * Started by the bench as a process of its own: `node floor.js <json of FloorPlan>`; prints `listening <port>`.
 */
import { crc32c } from '@node-rs/crc32'
import fs from 'node:fs'
import net from 'node:net'
import path from 'node:path'
import type { InboundFrame } from '../src/adapters/wire/framer.ts'
import { readFrames, type FloorKind } from './floor-input.ts'

export interface FloorPlan {
  readonly kind: FloorKind
  readonly directory: string
  readonly partitions: number
  /**
   * Where the batches lie in a produce frame (from the start of its size field); empty for fetches. They belong to so
   * many partitions in turn, over all frames, as those of the load do.
   */
  readonly batches: readonly { readonly offset: number; readonly length: number }[]
  /** Each group of writes is followed by an fdatasync before it is answered. */
  readonly sync?: boolean
  /** Length of the answer to a produce frame, size field included. */
  readonly answerBytes: number
  /** Present for fetch scenarios. */
  readonly fetch?: { readonly bytes: number; readonly from: 'memory' | 'file'; readonly fileBytes: number }
}

interface Sink {
  readonly fd: number
  position: number
  end: bigint
  writing: boolean
  queue: { chunk: Uint8Array; done: () => void }[]
}

const plan = JSON.parse(process.argv[2] ?? '{}') as FloorPlan
const sinks: Sink[] = Array.from({ length: plan.partitions }, (_, i) => ({
  fd: fs.openSync(path.join(plan.directory, `floor-${String(i)}.log`), 'w+'),
  position: 0,
  end: 0n,
  writing: false,
  queue: [],
}))

function drain(sink: Sink): void {
  if (sink.writing || sink.queue.length === 0) return
  sink.writing = true
  const batch = sink.queue
  sink.queue = []
  fs.writev(
    sink.fd,
    batch.map((entry) => entry.chunk),
    sink.position,
    (error, written) => {
      if (error !== null) throw error
      sink.position += written
      if (plan.sync === true) fs.fdatasync(sink.fd, done)
      else done(null)
    },
  )
  const done = (error: Error | null): void => {
    if (error !== null) throw error
    sink.writing = false
    for (const entry of batch) entry.done()
    if (plan.sync === true) setImmediate(drain, sink)
    else drain(sink)
  }
}

/** What a frame lacks of its length on the wire. */
const sizeBytes = 4
let turn = 0

function produce(socket: net.Socket, { bytes: frame, lease }: InboundFrame): void {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength)
  let open = plan.batches.length
  const done = () => {
    if (--open > 0) return
    lease.release()
    answer(socket, plan.answerBytes)
  }
  for (const { offset: onWire, length } of plan.batches) {
    const offset = onWire - sizeBytes
    const batch = frame.subarray(offset, offset + length)
    if (crc32c(batch.subarray(21)) !== view.getUint32(offset + 17)) throw new Error('bad CRC')
    const sink = sinks[turn++ % sinks.length]!
    view.setBigInt64(offset, sink.end)
    view.setInt32(offset + 12, 0)
    sink.end += BigInt(view.getInt32(offset + 57))
    sink.queue.push({ chunk: batch, done })
    drain(sink)
  }
}

function answer(socket: net.Socket, bytes: number): void {
  const frame = Buffer.allocUnsafe(bytes)
  frame.fill(0)
  frame.writeInt32BE(bytes - 4, 0)
  socket.write(frame)
}

const inMemory = Buffer.alloc(plan.fetch?.from === 'memory' ? plan.fetch.bytes : 0, 1)
const idleChunks: Buffer[] = []
let filePosition = 0

function fetch(socket: net.Socket): void {
  const { bytes, from, fileBytes } = plan.fetch!
  if (from === 'memory') {
    send(socket, inMemory, () => undefined)
    return
  }
  const chunk = (plan.kind === 'tight' ? idleChunks.pop() : undefined) ?? Buffer.allocUnsafeSlow(bytes)
  if (filePosition + bytes > fileBytes) filePosition = 0
  fs.read(sinks[0]!.fd, chunk, 0, bytes, filePosition, (error) => {
    if (error !== null) throw error
    send(socket, chunk, () => {
      if (plan.kind === 'tight') idleChunks.push(chunk)
    })
  })
  filePosition += bytes
}

function send(socket: net.Socket, chunk: Buffer, sent: () => void): void {
  const head = Buffer.alloc(64)
  head.writeInt32BE(60 + chunk.length, 0)
  socket.cork()
  socket.write(head)
  socket.write(chunk, sent)
  socket.uncork()
}

function take(socket: net.Socket, frame: InboundFrame): void {
  if (plan.fetch === undefined) {
    produce(socket, frame)
    return
  }
  frame.lease.release()
  fetch(socket)
}

if (plan.fetch?.from === 'file') {
  const block = Buffer.alloc(1 << 20, 7)
  for (let at = 0; at < plan.fetch.fileBytes; at += block.length) fs.writeSync(sinks[0]!.fd, block, 0, block.length, at)
}
const server = net
  .createServer({ pauseOnConnect: true }, (socket) => readFrames(plan.kind, socket, take))
  .listen(0, '127.0.0.1', () => {
    console.log(`listening ${String((server.address() as net.AddressInfo).port)}`)
  })
process.on('SIGTERM', () => process.exit(0))
