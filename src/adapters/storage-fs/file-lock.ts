/** Lock files as Kafka takes them: Java's `FileChannel.tryLock` and this one refuse each other. */
import { open, rm, stat } from 'node:fs/promises'
import { createRequire } from 'node:module'

/** What the binary of `fs-native-extensions` gives. */
interface NativeExtensions {
  /** @throws with code EAGAIN when another descriptor has the lock */
  tryLock(fd: number, offset: number, length: number, exclusive: boolean): void
}

/** Takes a lock file, creating it; null = somebody else has it. The answer gives it back and removes the file. */
export async function takeLock(path: string): Promise<(() => Promise<void>) | null> {
  // two descriptors of one process refuse each other too
  const tryLock = await loadTryLock()
  for (;;) {
    const handle = await open(path, 'a+')
    try {
      if (!tryLock(handle.fd)) {
        await handle.close()
        return null
      }
      // The one who had it may have removed the file between our open and our lock: then we hold a nameless file.
      const [held, named] = await Promise.all([handle.stat(), stat(path).catch(() => null)])
      if (held.ino === named?.ino) {
        return async () => {
          await rm(path, { force: true })
          await handle.close()
        }
      }
      await handle.close()
    } catch (error) {
      await handle.close().catch(() => undefined)
      throw error
    }
  }
}

/**
 * The binary itself where its place is known: the package's own loader tries dozens of places, which takes longer than
 * all else that a start does with files.
 */
async function loadTryLock(): Promise<(fd: number) => boolean> {
  const binary = `fs-native-extensions/prebuilds/${process.platform}-${process.arch}/fs-native-extensions.node`
  let native: NativeExtensions
  try {
    native = createRequire(import.meta.url)(binary) as NativeExtensions
  } catch {
    // another layout of the package: it knows its own
    const extensions = (await import('fs-native-extensions')).default
    return (fd) => extensions.tryLock(fd)
  }
  return (fd) => {
    try {
      native.tryLock(fd, 0, 0, true)
      return true
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return false
      throw error
    }
  }
}
