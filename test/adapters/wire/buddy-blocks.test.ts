import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { BuddyBlocks, type Block } from '../../../src/adapters/wire/buddy-blocks.ts'

const smallestBytes = 64
const levels = 4
const chunkBytes = smallestBytes * 2 ** (levels - 1)
const chunks = 3
const bounds = { smallestBytes, levels, bytesMax: chunks * chunkBytes }

const steps = fc.array(
  fc.oneof(fc.record({ take: fc.nat({ max: levels - 1 }) }), fc.record({ giveBack: fc.nat({ max: 1000 }) })),
  { maxLength: 300 },
)

/** Where a block lies, as no other one may. */
const spanOf = ({ bytes }: Block) => ({
  buffer: bytes.buffer,
  from: bytes.byteOffset,
  to: bytes.byteOffset + bytes.length,
})

function overlap(a: Block, b: Block): boolean {
  const [x, y] = [spanOf(a), spanOf(b)]
  return x.buffer === y.buffer && x.from < y.to && y.from < x.to
}

describe('BuddyBlocks', () => {
  it('never gives the same memory to two, and knows what is idle', () => {
    fc.assert(
      fc.property(steps, (all) => {
        const blocks = new BuddyBlocks(bounds)
        const held: Block[] = []
        for (const step of all) {
          if ('take' in step) {
            const block = blocks.take(step.take)
            if (block === null) continue
            expect(block.bytes.length).toBe(smallestBytes * 2 ** step.take)
            expect(held.filter((other) => overlap(block, other))).toEqual([])
            held.push(block)
          } else if (held.length > 0) {
            held.splice(step.giveBack % held.length, 1)[0]!.recycle()
          }
          const inUse = held.reduce((sum, { bytes }) => sum + bytes.length, 0)
          expect(blocks.bytes).toBeLessThanOrEqual(bounds.bytesMax)
          expect(blocks.idleBytes).toBe(blocks.bytes - inUse)
        }
      }),
    )
  })

  it('has all of its memory in one size after having it in another', () => {
    const blocks = new BuddyBlocks(bounds)
    const takeAll = (level: number) => {
      const taken: Block[] = []
      for (let block = blocks.take(level); block !== null; block = blocks.take(level)) taken.push(block)
      return taken
    }
    for (const level of [0, 3, 0, 2, 1, 0]) {
      const taken = takeAll(level)
      expect(taken).toHaveLength(chunks * 2 ** (levels - 1 - level))
      for (const block of taken) block.recycle()
      // Putting together is tried after so many blocks were given back.
      for (let i = 0; i < 32; i++) blocks.take(0)!.recycle()
    }
  })
})
