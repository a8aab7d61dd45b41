/**
 * DescribeConfigs (key 32): the configuration of topics, brokers, groups and client metrics subscriptions.
 *
 *  v1  the oldest that is served: synonyms and the source of each value (KIP-226)
 *  v2  quota delays are slept by the client: the response leaves before the throttle (KIP-219)
 *  v3  types and documentation, when asked for (KIP-569)
 *  v4  flexible
 */
import { array, bool, int16, int32, int8, string } from '../../codec/schema.ts'
import { api } from '../api.ts'

export const describeConfigs = api({
  key: 32,
  name: 'DescribeConfigs',
  versions: '1-4',
  flexible: '4+',
  request: {
    resources: array({
      resourceType: int8(),
      resourceName: string(),
      configurationKeys: array({ nullable: true }, 'string'),
    }),
    includeSynonyms: bool('1+'),
    includeDocumentation: bool('3+'),
  },
  response: {
    throttleTimeMs: int32(),
    results: array({
      errorCode: int16(),
      errorMessage: string({ nullable: true }),
      resourceType: int8(),
      resourceName: string(),
      configs: array({
        name: string(),
        value: string({ nullable: true }),
        readOnly: bool(),
        configSource: int8('1+', { default: -1, ignorable: true }),
        isSensitive: bool(),
        synonyms: array(
          '1+',
          { ignorable: true },
          {
            name: string(),
            value: string({ nullable: true }),
            source: int8(),
          },
        ),
        configType: int8('3+', { ignorable: true }),
        documentation: string('3+', { nullable: true, ignorable: true }),
      }),
    }),
  },
})
