/**
 * GetTelemetrySubscriptions (key 71): which metrics a client is to push, how often and how (KIP-714). Not advertised:
 * no telemetry receiver.
 */
import { array, bool, int16, int32, uuid } from '../../codec/schema.ts'
import { api } from '../api.ts'

export const getTelemetrySubscriptions = api({
  key: 71,
  name: 'GetTelemetrySubscriptions',
  versions: '0',
  advertised: 'none',
  flexible: '0+',
  request: {
    clientInstanceId: uuid(),
  },
  response: {
    throttleTimeMs: int32(),
    errorCode: int16(),
    clientInstanceId: uuid(),
    subscriptionId: int32(),
    acceptedCompressionTypes: array('int8'),
    pushIntervalMs: int32(),
    telemetryMaxBytes: int32(),
    deltaTemporality: bool(),
    requestedMetrics: array('string'),
  },
})
