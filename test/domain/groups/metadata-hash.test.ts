import { describe, expect, it } from '@jest/globals'
import { metadataHash } from '../../../src/domain/groups/metadata-hash.ts'
import { groupImage } from '../../support/group-images.ts'

describe('the metadata hash of a group', () => {
  const image = groupImage({
    inputs: { id: 'ROwQBvNZTLmDlA07i0xToQ', partitions: 2 },
    alpha: { id: 'uJdpv3uISvKcJahUrKkxvg', partitions: 4 },
    beta: { id: 'tRJHT5akT6yhRBs-a56WDg', partitions: 2 },
    gamma: { id: 'RgeHihAuTWyJjiuYJ_qRoA', partitions: 3 },
  })

  it.each([
    [['inputs'], 4473460069107124754n],
    [['alpha'], 4991385968875557118n],
    [['beta', 'alpha'], -6767748967146716625n],
    [['gamma', 'alpha', 'beta', 'alpha', 'nosuch'], -884486562728682548n],
    [[], 0n],
    [['nosuch'], 0n],
  ])('of %p is the one that 4.3.1 wrote for the same topic ids', (names, hash) => {
    expect(metadataHash(names, image)).toBe(hash)
  })

  it('changes with the racks of the replicas', () => {
    const topics = { a: { id: 'ROwQBvNZTLmDlA07i0xToQ', partitions: 300 } }
    const hashes = [null, 'r1', 'r2'].map((rack) => metadataHash(['a'], groupImage(topics, rack)))
    expect(new Set(hashes).size).toBe(3)
  })
})
