/**
 * ListConfigResources (key 74): the names of resources that have a configuration.
 *
 *  v0  client metrics subscriptions only (KIP-714)
 *  v1  topics, brokers, groups too (KIP-1142)
 */
import { array, int16, int32, int8, string } from '../../codec/schema.ts'
import { api } from '../api.ts'

/** Before this version a request asks for client metrics subscriptions and cannot say so (KIP-1142). */
export const RESOURCE_TYPES_SINCE = 1

export const listConfigResources = api({
  key: 74,
  name: 'ListConfigResources',
  versions: '0-1',
  flexible: '0+',
  request: {
    resourceTypes: array('1+', 'int8'),
  },
  response: {
    throttleTimeMs: int32(),
    errorCode: int16(),
    configResources: array({
      resourceName: string(),
      resourceType: int8('1+', { default: 16, ignorable: true }),
    }),
  },
})
