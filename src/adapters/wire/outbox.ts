/**
 * The way out of one connection: chunks are gathered and leave in vectored writes, never concatenated; only runs of
 * small chunks are joined, because an entry in a vector costs more than copying a few hundred bytes.
 *
 * What was registered to run after a response runs exactly once: when the write that carried it is done, or when the
 * connection is gone and the kernel no longer reads the memory.
 */
import type { Socket } from 'node:net'

/** Chunks up to this size are joined with their neighbours. */
const smallChunkBytes = 1024

/** Runs what was registered; a failure must not keep the others from running. */
export type RunReleases = (releases: readonly (() => void)[]) => void

interface Batch {
  readonly bytes: number
  readonly releases: readonly (() => void)[]
}

export class Outbox {
  readonly #socket: Socket
  readonly #run: RunReleases
  readonly #onSent: () => void
  #chunks: Uint8Array[] = []
  #releases: (() => void)[] = []
  #bytes = 0
  /** Written to the socket, not confirmed yet; oldest first. */
  readonly #underWay: Batch[] = []
  #underWayBytes = 0

  /** @param onSent - called after each write that was carried out. */
  constructor(socket: Socket, run: RunReleases, onSent: () => void) {
    this.#socket = socket
    this.#run = run
    this.#onSent = onSent
  }

  /** Bytes that have not left yet. */
  get unsentBytes(): number {
    return this.#bytes + this.#underWayBytes
  }

  /** Takes a response; it leaves with the next `flush`. */
  add(chunks: readonly Uint8Array[], releases: readonly (() => void)[]): void {
    for (const chunk of chunks) {
      if (chunk.length === 0) continue
      this.#chunks.push(chunk)
      this.#bytes += chunk.length
    }
    for (const release of releases) this.#releases.push(release)
  }

  /** Hands everything gathered to the socket as one vectored write. */
  flush(): void {
    if (this.#bytes === 0) return
    const batch: Batch = { bytes: this.#bytes, releases: this.#releases }
    const chunks = joinSmall(this.#chunks)
    this.#chunks = []
    this.#releases = []
    this.#bytes = 0
    this.#underWay.push(batch)
    this.#underWayBytes += batch.bytes
    const last = chunks.length - 1
    if (last > 0) this.#socket.cork()
    for (let index = 0; index < last; index += 1) this.#socket.write(chunks[index]!)
    this.#socket.write(chunks[last]!, (error) => this.#written(error))
    if (last > 0) this.#socket.uncork()
  }

  /** The connection is gone: nothing gathered or under way will leave any more. */
  abandon(): void {
    const batches = this.#underWay.splice(0)
    this.#underWayBytes = 0
    for (const batch of batches) this.#run(batch.releases)
    const releases = this.#releases
    this.#releases = []
    this.#chunks = []
    this.#bytes = 0
    this.#run(releases)
  }

  /** After an error the memory may still be in use; `abandon` follows when the socket has closed. */
  #written(error: Error | null | undefined): void {
    if (error) return
    const batch = this.#underWay.shift()
    if (batch === undefined) return
    this.#underWayBytes -= batch.bytes
    this.#run(batch.releases)
    this.#onSent()
  }
}

/** Replaces each run of two or more small chunks by one chunk. */
function joinSmall(chunks: readonly Uint8Array[]): readonly Uint8Array[] {
  if (chunks.length < 2) return chunks
  const joined: Uint8Array[] = []
  for (let index = 0; index < chunks.length;) {
    let end = index
    let bytes = 0
    while (end < chunks.length && chunks[end]!.length <= smallChunkBytes) bytes += chunks[end++]!.length
    if (end - index < 2) {
      joined.push(chunks[index]!)
      index += 1
      continue
    }
    const run = Buffer.allocUnsafe(bytes)
    let at = 0
    for (; index < end; index += 1) {
      run.set(chunks[index]!, at)
      at += chunks[index]!.length
    }
    joined.push(run)
  }
  return joined
}
