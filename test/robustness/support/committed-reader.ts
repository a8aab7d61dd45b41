/** A reader of committed records that goes on where it was: what it has taken it can not give back. */
import { readEndMarker } from '../../../src/domain/log/end-marker.ts'
import type { Partitions } from '../../../src/application/partitions.ts'
import { batchesIn, recordsOf, textOf } from '../../support/records.ts'

export class CommittedReader {
  readonly #next: bigint[]
  /** By partition, in the order of the log. */
  readonly values: string[][]

  constructor(partitions: number) {
    this.#next = Array<bigint>(partitions).fill(0n)
    this.values = Array.from({ length: partitions }, () => [])
  }

  /** Takes what is stable now in the partitions of `t`; those that are not open have nothing. */
  async read({ partitions }: { readonly partitions: Partitions }): Promise<void> {
    for (let partition = 0; partition < this.#next.length; partition++) {
      const hosted = partitions.find('t', partition)
      if (hosted?.state === 'open') await this.#readOne(hosted, partition)
    }
  }

  async #readOne(hosted: NonNullable<ReturnType<Partitions['find']>>, partition: number): Promise<void> {
    const from = this.#next[partition]!
    const slice = await hosted.read(from, { bytesMax: 1 << 20, atLeastOne: true }, 'read committed')
    const bytes = Buffer.concat(slice.chunks)
    slice.release()
    // It has died meanwhile: what was read is read again in its next life.
    if (hosted.state !== 'open') return
    const aborted = [...(await hosted.abortedTransactions(from, slice.nextOffset))]
    aborted.sort((a, b) => (a.firstOffset < b.firstOffset ? -1 : 1))
    const open = new Set<bigint>()
    for (const batch of batchesIn(bytes)) {
      while (aborted[0] !== undefined && aborted[0].firstOffset <= batch.lastOffset)
        open.add(aborted.shift()!.producerId)
      if (batch.isControl) {
        if (readEndMarker(batch)?.committed === false) open.delete(batch.producerId)
      } else if (!open.has(batch.producerId)) {
        this.values[partition]!.push(...recordsOf(batch).map(({ value }) => textOf(value)!))
      }
      this.#next[partition] = batch.lastOffset + 1n
    }
  }
}
