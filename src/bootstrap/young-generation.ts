/**
 * Holds V8's young generation at half of the size that it may grow to under load: what lies in it is resident memory,
 * and from here on more of it saves next to no work.
 *
 * V8's own flag for its size must be there when the process begins, and then costs every start 10 ms (seen with the
 * server's code cache built under the same flag). So growth itself is switched, while the process runs. For a process
 * of its own only: a host decides for itself.
 */
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8'

/** Both halves together. */
const BYTES_MAX = 16 * 1024 * 1024

/** V8 doubles the size when much survives; under a load that begins this is some of its rounds. */
const LOOK_EVERY_MS = 100

export function boundYoungGeneration(): void {
  let grows = true
  setInterval(() => {
    const young = getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space')
    const mayGrow = (young?.space_size ?? 0) < BYTES_MAX
    if (mayGrow === grows) return
    grows = mayGrow
    setFlagsFromString(`--semi-space-growth-factor=${grows ? 2 : 1}`)
  }, LOOK_EVERY_MS).unref()
}
