/**
 * The table that the router works by: each served API with its handler and with what it answers when that fails.
 */
import type { Api } from '../api.ts'
import type { ServedApi } from '../router.ts'
import { type AnsweringBroker, apiVersionsHandler } from './api-versions.ts'
import { errorResponses } from './error-responses.ts'
import { saslAuthenticateHandler, saslHandshakeHandler } from './sasl.ts'
import { type AllHandlers, type Handlers, type Served, servedApis } from './served-apis.ts'

/** @param handlers - those that stand on use cases; the others need nothing but the broker. */
export function served(handlers: Handlers, broker: AnsweringBroker): readonly ServedApi[] {
  const all: AllHandlers = {
    ...handlers,
    ApiVersions: apiVersionsHandler(servedApis, broker),
    SaslHandshake: saslHandshakeHandler(),
    SaslAuthenticate: saslAuthenticateHandler(),
  }
  return servedApis.map((api: Api) => {
    const name = api.name as Served['name']
    // Each handler belongs to the schemas beside it, which the types above have checked and a list cannot express.
    return { api, handle: all[name], failure: errorResponses[name] } as unknown as ServedApi
  })
}
