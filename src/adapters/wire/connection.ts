/**
 * One client connection: requests are answered concurrently, and their replies leave in the order of the requests.
 *
 * - A slow request never keeps the next one from being decoded and started, until as many requests, or as many bytes
 *   of requests, are under way as the limits allow; then the socket is paused until there is room again.
 * - A client that does not read its responses is not read from either, once `unsentBytesMax` bytes wait for it.
 * - A request that cannot be answered closes the connection in its turn: what was asked before it is answered first,
 *   as by a broker that handles one request after the other.
 * - A client that half-closes gets its outstanding answers. Resets are everyday events, logged at debug.
 *
 * It knows no API and decides nothing about a request; `RequestResponder` does.
 */
import type { Socket } from 'node:net'
import process from 'node:process'
import type { Timer } from '../../application/ports/timers.ts'
import type { ConnectionSurroundings } from './connection-surroundings.ts'
import type { Framer, InboundFrame } from './framer.ts'
import { NO_RESPONSE, type ConnectionInfo } from './handler.ts'
import type { Arrival } from './incoming-budget.ts'
import { Outbox } from './outbox.ts'
import type { AfterSent, OnAbandoned, Reply } from './reply.ts'
import { readInto, type ReadSink } from './socket-reader.ts'

/** How long a drained connection waits for its client to hang up before it does so itself. */
const lingerMs = 200

/** A request in the queue of replies. */
interface Slot {
  reply: Reply | null
  releases: (() => void)[]
  /** Called when the connection goes before there is a reply; null = there is one, or nobody asked for it. */
  abandoned: (() => void)[] | null
  /** Its response has left, or its connection is gone: what is registered now runs at once. */
  over: boolean
}

export class Connection implements ReadSink {
  readonly info: ConnectionInfo
  readonly #framer: Framer
  readonly #arrival: Arrival
  readonly #around: ConnectionSurroundings<Connection>
  readonly #socket: Socket
  readonly #outbox: Outbox
  /** In the order of the requests; the head is the next to be sent. */
  readonly #slots: Slot[] = []
  #inFlightBytes = 0
  #reading = false
  #inputEnded = false
  /** No more requests are taken; the connection ends when those under way are answered. */
  #draining = false
  /** Nothing more is sent but what the outbox holds. */
  #ending = false
  #endStarted = false
  /** Input is read and dropped: closing a socket with unread input would make the client lose its last responses. */
  #discarding = false
  #linger: Timer | null = null
  #gone = false
  #inTurn = false
  #turnScheduled = false
  #lastActiveTick: number

  /** @param accepted - a socket that was accepted with `pauseOnConnect`; it is taken over. */
  constructor(
    accepted: Socket,
    info: ConnectionInfo,
    framer: Framer,
    arrival: Arrival,
    around: ConnectionSurroundings<Connection>,
  ) {
    this.info = info
    this.#framer = framer
    this.#arrival = arrival
    arrival.events = { wake: this.#turnNow, tooSlow: () => this.#tooSlow() }
    this.#around = around
    this.#lastActiveTick = around.activity.tick
    const socket = readInto(accepted, this)
    this.#socket = socket
    this.#outbox = new Outbox(socket, this.#run, () => this.#sent())
    socket.on('end', () => {
      this.#inputEnded = true
      this.#turn()
    })
    socket.on('error', (error: Error) => {
      around.logger.debug('connection failed', { ...this.#who(), error: error.message })
    })
    socket.on('close', () => this.#closed())
  }

  /** The tick of the last bytes in or out. */
  get lastActiveTick(): number {
    return this.#lastActiveTick
  }

  /** Begins to read. */
  open(): void {
    this.#reading = true
    this.#socket.resume()
  }

  target(): Uint8Array {
    return this.#framer.target()
  }

  filled(count: number): boolean {
    if (this.#discarding) return true
    this.#lastActiveTick = this.#around.activity.tick
    this.#framer.filled(count)
    this.#arrival.received(count, this.#framer.partialBytes, this.#framer.ready)
    this.#turn()
    return this.#reading
  }

  /** Takes no further request; closes when those under way are answered and sent. */
  drain(): void {
    this.#draining = true
    this.#discarding = true
    this.#framer.close()
    this.#arrival.end()
    this.#turn()
  }

  /** Closes at once; whatever is under way is dropped. */
  destroy(): void {
    this.#socket.destroy()
  }

  /** Takes what may be taken, sends what may be sent, and reads on or pauses accordingly. */
  #turn(): void {
    if (this.#inTurn || this.#gone) return
    this.#inTurn = true
    this.#takeRequests()
    this.#outbox.flush()
    this.#endWhenDone()
    this.#inTurn = false
    this.#readOrPause()
  }

  #takeRequests(): void {
    while (!this.#ending && !this.#draining && this.#mayTake()) {
      const frame = this.#framer.next()
      if (frame !== null) {
        this.#start(frame)
        continue
      }
      if (this.#framer.failure !== null) {
        this.#draining = true
        this.#slots.push({ reply: { close: this.#framer.failure }, releases: [], abandoned: null, over: false })
        this.#sendReplies()
      }
      return
    }
  }

  #mayTake(): boolean {
    const { limits, budget } = this.#around
    if (this.#outbox.unsentBytes >= limits.unsentBytesMax) return false
    if (this.#slots.length === 0) return true
    if (this.#slots.length >= limits.inFlightRequestsMax || this.#inFlightBytes >= limits.inFlightBytesMax) return false
    if (!budget.exhausted) return true
    budget.whenAvailable(this.#turnNow)
    return false
  }

  #start(frame: InboundFrame): void {
    const slot: Slot = { reply: null, releases: [], abandoned: null, over: false }
    const afterSent: AfterSent = (release) => {
      if (slot.over) this.#run([release])
      else slot.releases.push(release)
    }
    const onAbandoned: OnAbandoned = (listener) => {
      if (this.#gone) this.#run([listener])
      else (slot.abandoned ??= []).push(listener)
    }
    this.#slots.push(slot)
    this.#inFlightBytes += frame.bytes.length
    this.#around.budget.take(frame.bytes.length)
    const reply = this.#around.responder.respond(frame, this.info, afterSent, onAbandoned)
    if (reply instanceof Promise) void reply.then((settled) => this.#settle(slot, frame, settled))
    else this.#settle(slot, frame, reply)
  }

  #settle(slot: Slot, frame: InboundFrame, reply: Reply): void {
    const bytes = frame.bytes.length
    slot.reply = reply
    slot.abandoned = null
    this.#inFlightBytes -= bytes
    frame.lease.release()
    if (this.#gone) this.#finish(slot)
    else {
      if (slot === this.#slots[0]) this.#sendReplies()
      this.#scheduleTurn()
    }
    this.#around.budget.give(bytes)
  }

  /** Moves the replies that are due into the outbox. */
  #sendReplies(): void {
    if (this.#ending) return
    let sent = 0
    for (const slot of this.#slots) {
      const { reply } = slot
      if (reply === null) break
      sent += 1
      if (reply === NO_RESPONSE) this.#finish(slot)
      else if ('close' in reply) {
        this.#refuse(reply.close)
        break
      } else {
        slot.over = true
        this.#outbox.add(reply, slot.releases)
      }
    }
    if (sent === 1) this.#slots.shift()
    else this.#slots.splice(0, sent)
  }

  #finish(slot: Slot): void {
    slot.over = true
    this.#run(slot.releases)
  }

  #refuse(reason: string | null): void {
    this.#ending = true
    if (reason !== null) this.#around.logger.warn('connection closed', { ...this.#who(), reason })
  }

  /** Ends the connection once everything that is owed has been handed to the socket. */
  #endWhenDone(): void {
    if (this.#endStarted) return
    const nothingOwed = this.#slots.length === 0
    const nothingToCome = this.#draining || (this.#inputEnded && !this.#framer.ready)
    if (!this.#ending && !(nothingOwed && nothingToCome)) return
    this.#ending = true
    this.#endStarted = true
    if (!this.#discarding) {
      this.#socket.destroySoon()
      return
    }
    // The socket destroys itself as soon as the client has hung up too.
    this.#socket.end(() => {
      if (!this.#gone) this.#linger = this.#around.timers.after(lingerMs, () => this.destroy())
    })
  }

  #readOrPause(): void {
    const willing = !this.#inputEnded && !this.#draining && !this.#ending && !this.#framer.ready && this.#mayTake()
    const read = this.#discarding || this.#arrival.mayRead(willing)
    if (read === this.#reading || this.#gone) return
    this.#reading = read
    if (read) this.#socket.resume()
    else this.#socket.pause()
  }

  readonly #turnNow = (): void => this.#turn()

  #sent(): void {
    this.#lastActiveTick = this.#around.activity.tick
    this.#turn()
  }

  /** One turn for all replies that become ready in the same pass of the event loop's microtasks. */
  #scheduleTurn(): void {
    if (this.#inTurn || this.#turnScheduled) return
    this.#turnScheduled = true
    process.nextTick(() => {
      this.#turnScheduled = false
      this.#turn()
    })
  }

  #closed(): void {
    this.#gone = true
    this.#reading = false
    this.#linger?.cancel()
    if (this.#framer.midFrame) this.#around.logger.debug('connection closed inside a request', this.#who())
    this.#framer.close()
    this.#arrival.end()
    this.#around.budget.forget(this.#turnNow)
    this.#outbox.abandon()
    // A handler that is still at work may still read what it wants released: those run when it is done.
    for (const slot of this.#slots.splice(0)) {
      if (slot.reply !== null) this.#finish(slot)
      else if (slot.abandoned !== null) this.#run(slot.abandoned)
    }
    this.#around.onClosed(this)
  }

  #tooSlow(): void {
    const reason = 'a request arrives too slowly while the memory for requests is used up'
    this.#around.logger.warn('connection closed', { ...this.#who(), reason })
    this.destroy()
  }

  readonly #run = (releases: readonly (() => void)[]): void => {
    for (const release of releases) {
      try {
        release()
      } catch (error) {
        this.#around.logger.error('clean-up after a response failed', { ...this.#who(), error })
      }
    }
  }

  #who(): Record<string, unknown> {
    return { connection: this.info.id, listener: this.info.listener, client: this.info.clientHost }
  }
}
