/**
 * From a frame to its reply: which API and version, header and body by the schema, handler, response by the schema.
 *
 * - A request that cannot be read, or that asks for something not served, closes its connection, with the reason.
 * - An ApiVersions request of an unknown version is answered with UNSUPPORTED_VERSION in the oldest body, so that the
 *   client can ask again (KIP-511).
 * - A handler that throws is logged once with what was asked, and answered with UNKNOWN_SERVER_ERROR in the response of
 *   its API; with KAFKA_STORAGE_ERROR, and without a line, when it met a failure of the storage that has been logged.
 *
 * It knows no rule of any API and keeps no state but the buffer that responses are written into.
 */
import type { Logger } from '../../application/ports/logger.ts'
import { ReportedStorageError } from '../../application/ports/reported-storage-error.ts'
import { errorCode } from '../../domain/errors.ts'
import { ProtocolError } from '../codec/protocol-error.ts'
import { Reader } from '../codec/reader.ts'
import { Writer } from '../codec/writer.ts'
import type { Api, RequestOf, ResponseOf } from './api.ts'
import { apiVersions } from './apis/18-api-versions.ts'
import type { InboundFrame } from './framer.ts'
import {
  CLOSE_CONNECTION,
  NO_RESPONSE,
  type ConnectionInfo,
  type Handler,
  type HandlerResult,
  type RequestContext,
} from './handler.ts'
import { peekRequest, readRequestBody, readRequestHeader, writeResponse } from './header.ts'
import type { AfterSent, CloseReply, OnAbandoned, Reply, RequestResponder } from './reply.ts'

type Request = RequestOf<Api>
type Response = ResponseOf<Api>

/** One line of the table of served APIs. */
export interface ServedApi {
  readonly api: Api
  readonly handle: Handler<Request, Response>
  /** The response that carries an error for everything that was asked; null when there is no place for it. */
  readonly failure: (request: Request, errorCode: number) => Response | null
}

/**
 * Array items that one request may hold. A real broker takes as many as there are bytes and may run out of memory over
 * them; the largest request that makes sense here, a fetch of every partition of a large node, has far fewer.
 */
const REQUEST_ITEMS_MAX = 262_144

interface Decoded {
  readonly served: ServedApi
  readonly request: Request
  readonly context: RequestContext
}

export class Router implements RequestResponder {
  readonly #served: ReadonlyMap<number, ServedApi>
  readonly #logger: Logger
  readonly #writer = new Writer()

  constructor(served: readonly ServedApi[], logger: Logger) {
    this.#served = new Map(served.map((line) => [line.api.key, line]))
    this.#logger = logger
  }

  respond(
    frame: InboundFrame,
    connection: ConnectionInfo,
    afterSent: AfterSent,
    onAbandoned: OnAbandoned,
  ): Reply | Promise<Reply> {
    let decoded: Decoded | Reply
    try {
      decoded = this.#decode(frame, connection, afterSent, onAbandoned)
    } catch (error) {
      return this.#unreadable(frame, error)
    }
    if (!isDecoded(decoded)) return decoded
    const asked = decoded
    let result
    try {
      result = asked.served.handle(asked.request, asked.context)
    } catch (error) {
      return this.#failed(asked, error)
    }
    if (!(result instanceof Promise)) return this.#toReply(asked, result)
    return result.then(
      (settled) => this.#toReply(asked, settled),
      (error: unknown) => this.#failed(asked, error),
    )
  }

  #decode(
    frame: InboundFrame,
    connection: ConnectionInfo,
    afterSent: AfterSent,
    onAbandoned: OnAbandoned,
  ): Decoded | Reply {
    const { bytes, lease } = frame
    const peeked = peekRequest(bytes)
    if (peeked === undefined) return { close: 'a request is too short for a header' }
    const { apiKey, apiVersion } = peeked
    const served = this.#served.get(apiKey)
    if (served === undefined) return { close: `API key ${apiKey} is not served` }
    const { api } = served
    const supported = api.versions.min <= apiVersion && apiVersion <= api.versions.max
    if (!supported && api.key !== apiVersions.key) return { close: `${api.name} v${apiVersion} is not served` }
    const reader = new Reader(bytes, 0, REQUEST_ITEMS_MAX)
    const { correlationId, clientId } = readRequestHeader(api, apiVersion, reader)
    if (!supported) return this.#unsupportedApiVersions(correlationId)
    const request = readRequestBody(api, apiVersion, reader)
    const context: RequestContext = {
      apiKey,
      apiVersion,
      correlationId,
      clientId,
      connection,
      lease,
      afterSent,
      onAbandoned,
    }
    return { served, request, context }
  }

  #unsupportedApiVersions(correlationId: number): Reply {
    const { min, max } = apiVersions.versions
    return writeResponse(this.#writer, apiVersions, 0, correlationId, {
      errorCode: errorCode('UNSUPPORTED_VERSION'),
      apiKeys: [{ apiKey: apiVersions.key, minVersion: min, maxVersion: max }],
    })
  }

  #unreadable(frame: InboundFrame, error: unknown): CloseReply {
    const peeked = peekRequest(frame.bytes)
    const api = peeked && this.#served.get(peeked.apiKey)?.api
    if (!(error instanceof ProtocolError)) this.#logger.error('decoding failed', { ...peeked, error })
    const what = peeked && api ? `a request ${api.name} v${peeked.apiVersion}` : 'a request'
    return { close: `${what} cannot be read: ${error instanceof Error ? error.message : String(error)}` }
  }

  #toReply(asked: Decoded, result: HandlerResult<Response>): Reply {
    const { served, context } = asked
    this.#logger.debug('request', describe(asked))
    if (result === NO_RESPONSE) return NO_RESPONSE
    if (result === CLOSE_CONNECTION) {
      this.#logger.info('connection closed: the request failed and its response was not wanted', describe(asked))
      return { close: null }
    }
    try {
      return writeResponse(this.#writer, served.api, context.apiVersion, context.correlationId, result)
    } catch (error) {
      return this.#failed(asked, error)
    }
  }

  #failed(asked: Decoded, error: unknown): Reply {
    const { served, request, context } = asked
    const known = error instanceof ReportedStorageError
    this.#logger[known ? 'debug' : 'error']('request failed', { ...describe(asked), error })
    try {
      const code = errorCode(known ? 'KAFKA_STORAGE_ERROR' : 'UNKNOWN_SERVER_ERROR')
      const response = served.failure(request, code)
      if (response === null) return { close: null }
      return writeResponse(this.#writer, served.api, context.apiVersion, context.correlationId, response)
    } catch (second) {
      this.#logger.error('the response for a failed request cannot be written', { ...describe(asked), error: second })
      return { close: null }
    }
  }
}

function isDecoded(outcome: Decoded | Reply): outcome is Decoded {
  return typeof outcome === 'object' && 'served' in outcome
}

function describe({ served, context }: Decoded): Record<string, unknown> {
  const { apiVersion, correlationId, clientId, connection } = context
  return {
    api: served.api.name,
    version: apiVersion,
    correlationId,
    clientId,
    connection: connection.id,
    client: connection.clientHost,
    software: connection.software,
  }
}
