/**
 * What a stopped process left half done in a partition's folder: files on their way out (`.deleted`), compaction that
 * did not finish (`.cleaned`), compaction that was replacing segments (`.swap`), which is completed, and indexes whose
 * log is gone. The order is Kafka's: a swap at or past an unfinished cleaning is not complete itself and goes too.
 */
import type { DirectoryEntry } from './file-system.ts'
import { scanBatches } from './batch-scan.ts'
import {
  CLEANED_SUFFIX,
  DELETED_SUFFIX,
  INDEX_SUFFIXES,
  LOG_SUFFIX,
  OFFSET_INDEX_SUFFIX,
  offsetName,
  offsetOf,
  SWAP_SUFFIX,
  TIME_INDEX_SUFFIX,
  TXN_INDEX_SUFFIX,
} from './file-names.ts'
import type { StorageContext } from './storage-context.ts'

const SEGMENT_SUFFIXES = [LOG_SUFFIX, ...INDEX_SUFFIXES]

interface SettledFolder {
  /** Of its files afterwards. */
  readonly names: readonly string[]
  /** Compactions of segments that were completed, and ones that were dropped. */
  readonly finished: number
  readonly undone: number
}

/** Settles everything unfinished in `folder`. */
export async function settleUnfinished(
  context: StorageContext,
  folder: string,
  entries: readonly DirectoryEntry[],
): Promise<SettledFolder> {
  const { fs } = context
  let names = entries.filter((entry) => !entry.directory).map(({ name }) => name)
  // a name that does not begin with an offset is nobody's segment, whatever it ends with
  const ends = (suffix: string) => names.filter((name) => name.endsWith(suffix) && baseOf(name, suffix) !== null)
  const remove = async (gone: readonly string[]) => {
    for (const name of gone) await fs.remove(`${folder}/${name}`)
    names = names.filter((name) => !gone.includes(name))
  }
  const cleaned = ends(CLEANED_SUFFIX)
  const unfinishedFrom = smallest(cleaned.map((name) => baseOf(name, CLEANED_SUFFIX)))
  const broken = ends(SWAP_SUFFIX).filter((name) => {
    const base = baseOf(name, SWAP_SUFFIX)
    return unfinishedFrom !== null && base !== null && base >= unfinishedFrom
  })
  const undone = new Set([...cleaned, ...broken].map((name) => name.slice(0, offsetName(0n).length))).size
  await remove([...ends(DELETED_SUFFIX), ...cleaned, ...broken])

  const swapped = ends(LOG_SUFFIX + SWAP_SUFFIX)
  for (const name of swapped) {
    const base = offsetOf(name, LOG_SUFFIX + SWAP_SUFFIX)
    if (base === null) continue
    const end = await endOffset(context, `${folder}/${name}`, base)
    const replaced = names.filter((other) => {
      const at = SEGMENT_SUFFIXES.map((suffix) => offsetOf(other, suffix)).find((offset) => offset !== null)
      return at !== undefined && at >= base && at < end
    })
    await remove(replaced)
    for (const suffix of SEGMENT_SUFFIXES) {
      const from = offsetName(base) + suffix + SWAP_SUFFIX
      if (!names.includes(from)) continue
      await fs.rename(`${folder}/${from}`, `${folder}/${offsetName(base)}${suffix}`)
      names = [...names.filter((other) => other !== from), offsetName(base) + suffix]
    }
  }
  // An index whose log was already renamed: the one beside it may be the old segment's, so both are made anew.
  for (const suffix of [OFFSET_INDEX_SUFFIX, TIME_INDEX_SUFFIX]) {
    await remove(ends(suffix + SWAP_SUFFIX).flatMap((name) => [name, name.slice(0, -SWAP_SUFFIX.length)]))
  }
  // The list of aborted transactions cannot be made again; the old segment's was set aside before any log was renamed.
  for (const name of ends(TXN_INDEX_SUFFIX + SWAP_SUFFIX)) {
    const final = name.slice(0, -SWAP_SUFFIX.length)
    await fs.rename(`${folder}/${name}`, `${folder}/${final}`)
    names = [...names.filter((other) => other !== name && other !== final), final]
  }
  // Kafka removes an index without its log too: a later segment that begins there must not inherit it.
  const logs = new Set(names.filter((name) => name.endsWith(LOG_SUFFIX)))
  const orphans = INDEX_SUFFIXES.flatMap((suffix) =>
    names.filter((name) => {
      const base = offsetOf(name, suffix)
      return base !== null && !logs.has(offsetName(base) + LOG_SUFFIX)
    }),
  )
  if (orphans.length > 0) context.logger.warn('indexes without a log removed', { folder, names: orphans })
  await remove(orphans)
  return { names, finished: swapped.length, undone }
}

function baseOf(name: string, suffix: string): bigint | null {
  const offsets = SEGMENT_SUFFIXES.map((kind) => offsetOf(name, kind + suffix))
  return offsets.find((offset) => offset !== null) ?? (/^\d{20}\..*$/.test(name) ? BigInt(name.slice(0, 20)) : null)
}

function smallest(offsets: readonly (bigint | null)[]): bigint | null {
  return offsets.reduce(
    (least, offset) => (least === null || (offset !== null && offset < least) ? offset : least),
    null,
  )
}

/** The offset after the last batch of a file; its base when it is empty or not sound. */
async function endOffset({ fs, pool, files }: StorageContext, path: string, base: bigint): Promise<bigint> {
  const to = await fs.sizeOf(path)
  let end = base
  await files.use(path, (fd) =>
    scanBatches(fs, pool, fd, { from: 0, to, offsetMin: base }, (batch) => {
      end = batch.lastOffset + 1n
      return true
    }),
  )
  files.forget(path)
  return end
}
