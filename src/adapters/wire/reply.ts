/** What a request came to, as the router tells the connection. */
import type { ConnectionInfo } from './handler.ts'
import type { InboundFrame } from './framer.ts'
import type { NO_RESPONSE } from './handler.ts'

/** The connection is to be closed; `reason` is logged, null = it has been, or there is nothing to say. */
export interface CloseReply {
  readonly close: string | null
}

/** The response frame in pieces (its size first), or why there is none. */
export type Reply = readonly Uint8Array[] | typeof NO_RESPONSE | CloseReply

/** Where what must happen after the response has left is registered. */
export type AfterSent = (release: () => void) => void

/** Where what is to be stopped when nobody waits for the reply any more is registered. */
export type OnAbandoned = (listener: () => void) => void

/**
 * Answers one frame. It never throws and never rejects. The frame's bytes stay valid until the reply is there; whoever
 * keeps them longer retains the lease. What runs before the first `await` runs in the order of the calls.
 */
export interface RequestResponder {
  respond(
    frame: InboundFrame,
    connection: ConnectionInfo,
    afterSent: AfterSent,
    onAbandoned: OnAbandoned,
  ): Reply | Promise<Reply>
}
