/**
 * SaslHandshake (0 to 1) and SaslAuthenticate (0 to 2) on a PLAINTEXT listener: clients count as authenticated from
 * the start there, so that both come at the wrong time. They are advertised all the same, as by Kafka.
 */
import { errorCode } from '../../../domain/errors.ts'
import type { RequestOf, ResponseOf } from '../api.ts'
import type { saslHandshake } from '../apis/17-sasl-handshake.ts'
import type { saslAuthenticate } from '../apis/36-sasl-authenticate.ts'
import type { Handler } from '../handler.ts'

export function saslHandshakeHandler(): Handler<RequestOf<typeof saslHandshake>, ResponseOf<typeof saslHandshake>> {
  return () => ({ errorCode: errorCode('ILLEGAL_SASL_STATE'), mechanisms: [] })
}

export function saslAuthenticateHandler(): Handler<
  RequestOf<typeof saslAuthenticate>,
  ResponseOf<typeof saslAuthenticate>
> {
  return () => ({
    errorCode: errorCode('ILLEGAL_SASL_STATE'),
    errorMessage: 'SaslAuthenticate request received after successful authentication',
    authBytes: new Uint8Array(),
    sessionLifetimeMs: 0n,
  })
}
