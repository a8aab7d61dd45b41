/**
 * ApiVersions (key 18): the versions of each API and the features that this broker knows. Its response header is
 * always v0 (see header.ts).
 *
 *  v1  throttleTimeMs
 *  v2  quota delays are slept by the client: the response leaves before the throttle (KIP-219)
 *  v3  flexible; the client names its software (KIP-511); supported and finalized features (KIP-584)
 *  v4  supported features with a minimum of 0 are listed too (KIP-1022)
 *  v5  the client says which cluster and node it means to reach (KIP-1242)
 */
import { array, bool, int16, int32, int64, string } from '../../codec/schema.ts'
import { api } from '../api.ts'

/** From this version on the client names its software (KIP-511). */
export const SOFTWARE_SINCE = 3
/** From this version on features whose lowest level is 0 are told too (KIP-1022): older clients stumble over them. */
export const LEVEL_ZERO_SINCE = 4
/** From this version on the client says which broker it means to reach (KIP-1242). */
export const IDENTITY_SINCE = 5

export const apiVersions = api({
  key: 18,
  name: 'ApiVersions',
  versions: '0-5',
  flexible: '3+',
  request: {
    clientSoftwareName: string('3+', { ignorable: true }),
    clientSoftwareVersion: string('3+', { ignorable: true }),
    clusterId: string('5+', { nullable: true, default: null, ignorable: true }),
    nodeId: int32('5+', { default: -1, ignorable: true }),
  },
  response: {
    errorCode: int16(),
    apiKeys: array({
      apiKey: int16(),
      minVersion: int16(),
      maxVersion: int16(),
    }),
    throttleTimeMs: int32('1+', { ignorable: true }),
    supportedFeatures: array(
      '3+',
      { tag: 0, ignorable: true },
      {
        name: string(),
        minVersion: int16(),
        maxVersion: int16(),
      },
    ),
    finalizedFeaturesEpoch: int64('3+', { default: -1n, tag: 1, ignorable: true }),
    finalizedFeatures: array(
      '3+',
      { tag: 2, ignorable: true },
      {
        name: string(),
        maxVersionLevel: int16(),
        minVersionLevel: int16(),
      },
    ),
    zkMigrationReady: bool('3+', { tag: 3, ignorable: true }),
  },
})
