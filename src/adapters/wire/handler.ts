/**
 * What a handler is: one function per API that turns a request into a command for a use case and the result into
 * the response. The router decodes before it and encodes after it; a handler never sees bytes (but records) and
 * never decides a rule.
 */
import type { Lease } from '../../application/ports/lease.ts'

/** The connection that a request came in on, as handlers may see it. */
export interface ConnectionInfo {
  /** Unique within the broker's life. */
  readonly id: string
  /** The listener's name, upper case. */
  readonly listener: string
  /** The address that the client dialled, without brackets: what clients are told when nothing is advertised. */
  readonly localAddress: string
  readonly localPort: number
  /** As Kafka prints it in DescribeGroups: `/127.0.0.1`. */
  readonly clientHost: string
  /** `User:ANONYMOUS` on PLAINTEXT listeners. */
  readonly principal: string
  /** Name and version that the client gave in ApiVersions (KIP-511), null before. */
  readonly software: string | null
  /** Notes what the client said about itself; called by the ApiVersions handler. */
  identify(softwareName: string, softwareVersion: string): void
}

export interface RequestContext {
  readonly apiKey: number
  readonly apiVersion: number
  readonly correlationId: number
  readonly clientId: string | null
  readonly connection: ConnectionInfo
  /** Holds the request's frame: retain it before keeping a slice of the records past the handler's promise. */
  readonly lease: Lease
  /** Runs once when the response's bytes have left or will never leave: the place to release what they point into. */
  afterSent(release: () => void): void
  /** Runs once if the connection closes before the handler has answered: the place to stop waiting. */
  onAbandoned(listener: () => void): void
}

/** Produce with acks=0: nothing is sent. */
export const NO_RESPONSE = Symbol('no response')

/** The connection is closed without an answer (Produce with acks=0 that failed). */
export const CLOSE_CONNECTION = Symbol('close connection')

export type HandlerResult<Response> = Response | typeof NO_RESPONSE | typeof CLOSE_CONNECTION

/**
 * Handles one decoded request. What it does before its first `await` happens in the order of the connection's
 * requests; a throw is answered with UNKNOWN_SERVER_ERROR and logged once.
 */
export type Handler<Request, Response> = (
  request: Request,
  context: RequestContext,
) => HandlerResult<Response> | Promise<HandlerResult<Response>>
