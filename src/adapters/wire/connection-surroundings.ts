/** What a connection needs of its server, and the limits that hold for it. */
import type { Logger } from '../../application/ports/logger.ts'
import type { Timers } from '../../application/ports/timers.ts'
import type { IncomingBudget } from './incoming-budget.ts'
import type { RequestResponder } from './reply.ts'
import type { RequestBudget } from './request-budget.ts'

export interface ConnectionLimits {
  /** Requests under way or waiting for the answer to an earlier one. */
  readonly inFlightRequestsMax: number
  /** Their bytes; the one that crosses the bound is still taken. */
  readonly inFlightBytesMax: number
  /** Response bytes that the client has not taken; the response that crosses the bound is still sent. */
  readonly unsentBytesMax: number
}

/** What a connection (`Client`) needs of the server. */
export interface ConnectionSurroundings<Client> {
  readonly responder: RequestResponder
  readonly limits: ConnectionLimits
  readonly budget: RequestBudget
  readonly incoming: IncomingBudget
  readonly logger: Logger
  /** Counts up with time; a connection notes it at each sign of life. */
  readonly activity: { readonly tick: number }
  readonly timers: Timers
  /** Called once, when the socket is gone. */
  readonly onClosed: (connection: Client) => void
}
