/**
 * The order of Jest's files: what takes minutes begins first, so that no worker is left with it while the other has
 * nothing to do. Jest knows the times of an earlier run; a fresh clone has none, and there the folders say it.
 */
import TestSequencer from '@jest/test-sequencer'

/** The longest first; what matches none of them is short. */
const LONG = ['/test/robustness/crash-simulation', '/test/robustness/', '/test/e2e/']

const rank = ({ path }) => {
  const at = LONG.findIndex((part) => path.includes(part))
  return at < 0 ? LONG.length : at
}

export default class LongTestsFirst extends TestSequencer {
  sort(tests) {
    return [...super.sort(tests)].sort((a, b) => rank(a) - rank(b))
  }
}
