import { describe, expect, it } from '@jest/globals'
import { xxh3 } from '../../../src/domain/groups/xxh3.ts'

/** What the reference implementation (xxHash 0.8, seed 0) makes of the first n bytes of (i * 7 + 3) & 255. */
const reference: readonly (readonly [number, bigint])[] = [
  [0, 3244421341483603138n],
  [1, 1433843135270481901n],
  [2, 2058273368586827884n],
  [3, 12180141160879835164n],
  [4, 7895465118229274323n],
  [7, 10268930274873212462n],
  [8, 6941064856527638883n],
  [9, 18374517719163151272n],
  [16, 13314990914799711621n],
  [17, 8163341949877205007n],
  [32, 1873302701886544469n],
  [33, 4486878507168070088n],
  [64, 2917965298538373825n],
  [65, 9408609914592003654n],
  [96, 17331232145433315139n],
  [97, 2137665177113230204n],
  [128, 7440608504995537343n],
  [129, 14295761343243267012n],
  [160, 15496299788031539331n],
  [240, 7229805477010515663n],
  [241, 10082113959289486871n],
  [256, 4339360625268998362n],
  [512, 17690705279202729245n],
  [1024, 11205349619999208113n],
  [1025, 9253807012321506678n],
  [1088, 3424848841118183642n],
  [2048, 12386592778227166929n],
  [5000, 8762507191635236893n],
]

describe('XXH3-64', () => {
  const bytes = Uint8Array.from({ length: 5000 }, (_, i) => (i * 7 + 3) & 255)

  it.each(reference)('of %d bytes is that of the reference implementation', (length, expected) => {
    expect(BigInt.asUintN(64, xxh3(bytes.subarray(0, length)))).toBe(expected)
  })

  it('does not depend on where the bytes lie', () => {
    const moved = new Uint8Array(1100)
    moved.set(bytes.subarray(0, 1025), 3)
    expect(xxh3(moved.subarray(3, 1028))).toBe(xxh3(bytes.subarray(0, 1025)))
  })
})
