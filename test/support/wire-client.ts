/** One raw connection: encodes a request with the project's schemas, sends it, decodes the answer. */
import { once } from 'node:events'
import net from 'node:net'
import { codecOf, encode } from '../../src/adapters/codec/codec.ts'
import { Reader } from '../../src/adapters/codec/reader.ts'
import type { ValueOf, WritableOf } from '../../src/adapters/codec/schema.ts'
import type { Api } from '../../src/adapters/wire/api.ts'
import {
  requestHeader,
  requestHeaderVersion,
  responseHeader,
  responseHeaderVersion,
} from '../../src/adapters/wire/header.ts'

export type ResponseValue<A extends Api> = ValueOf<A['response']>

/** A whole request frame, its size included. */
export function encodeRequest<A extends Api>(
  api: A,
  version: number,
  body: WritableOf<A['request']>,
  correlationId = 0,
  clientId: string | null = 'wire-client',
): Buffer {
  const head = encode(requestHeader, requestHeaderVersion(api, version), {
    apiKey: api.key,
    apiVersion: version,
    correlationId,
    clientId,
  })
  const tail = encode(api.request, version, body)
  const frame = Buffer.alloc(4 + head.length + tail.length)
  frame.writeInt32BE(frame.length - 4)
  frame.set(head, 4)
  frame.set(tail, 4 + head.length)
  return frame
}

/** The body of a response frame (without its size). */
export function decodeResponse<A extends Api>(api: A, version: number, frame: Uint8Array): ResponseValue<A> {
  const reader = new Reader(frame)
  codecOf(responseHeader, responseHeaderVersion(api, version)).read(reader)
  return codecOf(api.response, version).read(reader) as ResponseValue<A>
}

export class WireClient {
  readonly #socket: net.Socket
  #received: Buffer = Buffer.alloc(0)
  readonly #waiting: ((frame: Buffer | null) => void)[] = []
  #correlationId = 0

  static async connect(host: string, port: number): Promise<WireClient> {
    const socket = net.connect({ host, port, noDelay: true })
    await once(socket, 'connect')
    return new WireClient(socket)
  }

  constructor(socket: net.Socket) {
    this.#socket = socket
    socket.on('data', (data) => this.#take(data))
    socket.on('close', () => this.#waiting.splice(0).forEach((answer) => answer(null)))
    socket.on('error', () => socket.destroy())
  }

  #take(data: Buffer): void {
    this.#received = Buffer.concat([this.#received, data])
    while (this.#received.length >= 4) {
      const size = 4 + this.#received.readInt32BE(0)
      if (this.#received.length < size) return
      this.#waiting.shift()?.(this.#received.subarray(4, size))
      this.#received = this.#received.subarray(size)
    }
  }

  /** Sends and resolves with the decoded answer; rejects when the connection closes instead. */
  async send<A extends Api>(api: A, version: number, body: WritableOf<A['request']>): Promise<ResponseValue<A>> {
    const frame = await this.sendRaw(encodeRequest(api, version, body, this.#correlationId++))
    if (frame === null) throw new Error(`${api.name} v${String(version)}: the connection was closed`)
    return decodeResponse(api, version, frame)
  }

  /** Sends a whole frame; the next answer without its size, or null when the connection was closed. */
  sendRaw(frame: Uint8Array): Promise<Buffer | null> {
    if (this.#socket.destroyed) return Promise.resolve(null)
    return new Promise((resolve) => {
      this.#waiting.push(resolve)
      this.#socket.write(frame)
    })
  }

  get isClosed(): boolean {
    return this.#socket.destroyed
  }

  close(): void {
    this.#socket.destroy()
  }
}
