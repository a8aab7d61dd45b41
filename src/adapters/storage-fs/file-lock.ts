/**
 * Lock files as Kafka takes them: Java's `FileChannel.tryLock` and this one refuse each other.
 *
 * The few operations block: a store takes its locks before anybody is served.
 */
import fs from 'node:fs'
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
    const fd = fs.openSync(path, 'a+')
    try {
      if (!tryLock(fd)) {
        fs.closeSync(fd)
        return null
      }
      // The one who had it may have removed the file between our open and our lock: then we hold a nameless file.
      if (fs.fstatSync(fd).ino === fs.statSync(path, { throwIfNoEntry: false })?.ino) {
        return async () => {
          await fs.promises.rm(path, { force: true })
          fs.closeSync(fd)
        }
      }
      fs.closeSync(fd)
    } catch (error) {
      fs.closeSync(fd)
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
