/**
 * How the floors get from a socket to whole frames (without their size fields), in two ways:
 *
 * - `plain`: what a careful program on Node's streams does. `data` events; a frame that lies in one chunk is a slice of
 *   it, one that does not is put together in a pooled buffer, with one copy.
 * - `tight`: what the broker does. Sockets are read straight into pooled frames; nothing cheaper is known.
 */
import type net from 'node:net'
import { Frame, FramePool } from '../src/adapters/wire/frame-pool.ts'
import { Framer, type InboundFrame } from '../src/adapters/wire/framer.ts'
import { readInto } from '../src/adapters/wire/socket-reader.ts'

export type FloorKind = 'plain' | 'tight'

/** Takes one frame, with one reference to its lease. */
export type TakeFrame = (socket: net.Socket, frame: InboundFrame) => void

const sizeBytes = 4
const pool = new FramePool(48 << 20)
const scratch = Buffer.allocUnsafeSlow(65_536)

/** @param accepted - a socket that was accepted with `pauseOnConnect`. */
export function readFrames(kind: FloorKind, accepted: net.Socket, take: TakeFrame): void {
  accepted.setNoDelay(true)
  const socket = kind === 'plain' ? fromData(accepted, take) : intoFrames(accepted, take)
  socket.on('error', () => socket.destroy())
  socket.on('end', () => socket.destroy())
  socket.resume()
}

function intoFrames(accepted: net.Socket, take: TakeFrame): net.Socket {
  const framer = new Framer({ pool, scratch, frameBytesMax: 1 << 30 })
  const socket = readInto(accepted, {
    target: () => framer.target(),
    filled(count) {
      framer.filled(count)
      for (let frame = framer.next(); frame !== null; frame = framer.next()) take(socket, frame)
      return true
    },
  })
  return socket
}

function fromData(socket: net.Socket, take: TakeFrame): net.Socket {
  const cutter = new ChunkCutter((frame) => take(socket, frame))
  return socket.on('data', (chunk: Buffer) => cutter.push(chunk))
}

/** Cuts chunks into frames. */
class ChunkCutter {
  readonly #take: (frame: InboundFrame) => void
  readonly #head = Buffer.alloc(sizeBytes)
  #headBytes = 0
  /** A frame whose end has not arrived. */
  #partial: Frame | null = null
  #size = 0
  #arrived = 0

  constructor(take: (frame: InboundFrame) => void) {
    this.#take = take
  }

  push(chunk: Buffer): void {
    let at = 0
    while (at < chunk.length) {
      if (this.#partial !== null) at += this.#extend(this.#partial, chunk, at)
      else if (this.#headBytes === 0 && chunk.length - at >= sizeBytes) at = this.#begin(chunk, at)
      else {
        this.#head[this.#headBytes++] = chunk[at++]!
        if (this.#headBytes === sizeBytes) this.#expect(this.#head.readInt32BE(0))
      }
    }
  }

  /** A frame whose size lies in the chunk: whole in it, or not. */
  #begin(chunk: Buffer, at: number): number {
    const size = chunk.readInt32BE(at)
    const from = at + sizeBytes
    if (from + size > chunk.length) {
      this.#expect(size)
      return from
    }
    this.#take({ bytes: chunk.subarray(from, from + size), lease: new Frame(chunk, null) })
    return from + size
  }

  #expect(size: number): void {
    this.#headBytes = 0
    this.#size = size
    this.#arrived = 0
    this.#partial = pool.take(size)
  }

  #extend(partial: Frame, chunk: Buffer, at: number): number {
    const count = Math.min(this.#size - this.#arrived, chunk.length - at)
    chunk.copy(partial.bytes, this.#arrived, at, at + count)
    this.#arrived += count
    if (this.#arrived === this.#size) {
      this.#partial = null
      this.#take({ bytes: partial.bytes.subarray(0, this.#size), lease: partial })
    }
    return count
  }
}
