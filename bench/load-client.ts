/**
 * The load generator's side of a connection: sends pre-encoded frames with a bounded number in flight and counts
 * the answers. It looks only at sizes (and hands the first answer out for checking), so that it costs little itself.
 */
import net from 'node:net'
import { once } from 'node:events'

export interface LoadPlan {
  readonly host: string
  readonly port: number
  readonly connections: number
  /** Requests in flight on each connection; clients keep up to five. */
  readonly inFlight: number
  /** The frames to send, in turn; each with its size field. Sent `requests` times in all over all connections. */
  readonly frames: readonly Uint8Array[]
  readonly requests: number
  /** Called with the first answer of each connection, without the size field; throws when it is not as expected. */
  readonly check: (answer: Buffer) => void
}

export interface LoadResult {
  readonly seconds: number
  readonly requests: number
  readonly bytesReceived: number
}

/** Counts length-prefixed answers in a stream without keeping them; hands the first one out whole. */
class AnswerCounter {
  answers = 0
  bytes = 0
  readonly #onFirst: (answer: Buffer) => void
  readonly #head = Buffer.alloc(4)
  #headBytes = 0
  #left = 0
  #first: Buffer[] | null = []

  constructor(onFirst: (answer: Buffer) => void) {
    this.#onFirst = onFirst
  }

  take(data: Buffer): void {
    this.bytes += data.length
    let at = 0
    while (at < data.length) {
      if (this.#left === 0) {
        while (this.#headBytes < 4 && at < data.length) this.#head[this.#headBytes++] = data[at++]!
        if (this.#headBytes < 4) return
        this.#headBytes = 0
        this.#left = this.#head.readInt32BE(0)
      }
      const part = Math.min(this.#left, data.length - at)
      this.#first?.push(data.subarray(at, at + part))
      at += part
      this.#left -= part
      if (this.#left === 0) this.#answered()
    }
  }

  #answered(): void {
    this.answers++
    if (this.#first === null) return
    this.#onFirst(Buffer.concat(this.#first))
    this.#first = null
  }
}

/** Runs a plan to its end; rejects when a connection breaks before its answers have come. */
export async function load(plan: LoadPlan): Promise<LoadResult> {
  const sockets = await Promise.all(Array.from({ length: plan.connections }, () => connect(plan.host, plan.port)))
  const started = performance.now()
  let unsent = plan.requests
  let turn = 0
  const nextFrame = () => plan.frames[turn++ % plan.frames.length]!
  const counters = await Promise.all(
    sockets.map(
      (socket) =>
        new Promise<AnswerCounter>((resolve, reject) => {
          let mine = 0
          const counter = new AnswerCounter(plan.check)
          const fill = () => {
            while (unsent > 0 && mine - counter.answers < plan.inFlight) {
              unsent--
              mine++
              socket.write(nextFrame())
            }
            if (unsent === 0 && mine === counter.answers) resolve(counter)
          }
          socket.on('data', (data) => {
            counter.take(data)
            fill()
          })
          socket.on('error', reject)
          socket.on('close', () => reject(new Error('the broker closed a connection under load')))
          fill()
        }),
    ),
  )
  const seconds = (performance.now() - started) / 1000
  for (const socket of sockets) socket.destroy()
  return { seconds, requests: plan.requests, bytesReceived: counters.reduce((sum, counter) => sum + counter.bytes, 0) }
}

/** Sends one frame at a time at a fixed rate over one connection; the answer's delay from the time it was due. */
export async function latencies(
  host: string,
  port: number,
  frame: Uint8Array,
  ratePerSecond: number,
  requests: number,
): Promise<number[]> {
  const socket = await connect(host, port)
  const due: number[] = []
  const delays: number[] = []
  const counter = new AnswerCounter(() => undefined)
  const done = new Promise<void>((resolve, reject) => {
    socket.on('error', reject)
    socket.on('data', (data) => {
      counter.take(data)
      while (delays.length < counter.answers) delays.push(performance.now() - due[delays.length]!)
      if (delays.length === requests) resolve()
    })
  })
  const started = performance.now()
  await new Promise<void>((resolve) => {
    const pace = setInterval(() => {
      while (due.length < requests && performance.now() >= started + (due.length * 1000) / ratePerSecond) {
        due.push(started + (due.length * 1000) / ratePerSecond)
        socket.write(frame)
      }
      if (due.length < requests) return
      clearInterval(pace)
      resolve()
    }, 1)
  })
  await done
  socket.destroy()
  return delays.sort((a, b) => a - b)
}

/** One request, one answer (without its size field). */
export async function ask(host: string, port: number, frame: Uint8Array): Promise<Buffer> {
  const socket = await connect(host, port)
  return new Promise((resolve, reject) => {
    const counter = new AnswerCounter((answer) => {
      socket.destroy()
      resolve(answer)
    })
    socket.on('data', (data) => counter.take(data))
    socket.on('error', reject)
    socket.write(frame)
  })
}

async function connect(host: string, port: number): Promise<net.Socket> {
  const socket = net.connect({ host, port, noDelay: true })
  await once(socket, 'connect')
  return socket
}
