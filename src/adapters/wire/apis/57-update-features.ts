/**
 * UpdateFeatures (key 57): raises or lowers finalized feature levels.
 *
 *  v1  upgradeType instead of allowDowngrade; validateOnly (KIP-778)
 *  v2  all or nothing: no results for each feature (KIP-1022)
 */
import { array, bool, int16, int32, int8, string } from '../../codec/schema.ts'
import { api } from '../api.ts'

export const updateFeatures = api({
  key: 57,
  name: 'UpdateFeatures',
  versions: '0-2',
  flexible: '0+',
  request: {
    timeoutMs: int32({ default: 60000 }),
    featureUpdates: array({
      feature: string(),
      maxVersionLevel: int16(),
      allowDowngrade: bool('0'),
      upgradeType: int8('1+', { default: 1 }),
    }),
    validateOnly: bool('1+'),
  },
  response: {
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: string({ nullable: true }),
    results: array(
      '0-1',
      { ignorable: true },
      {
        feature: string(),
        errorCode: int16(),
        errorMessage: string({ nullable: true }),
      },
    ),
  },
})
