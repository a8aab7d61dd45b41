/**
 * A disk that is really full, and one that is mounted read-only: the partitions on it are offline with
 * KAFKA_STORAGE_ERROR, those on another disk are served, and once there is room again a restart finds everything that
 * was acknowledged. Needs the right to mount a file system in memory; skipped by name without.
 */
import { describe, expect, it } from '@jest/globals'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { errorCode } from '../../src/domain/errors.ts'
import { connectTo, makeTopic } from '../support/embedded-client.ts'
import { batchOf, produceBatch, readPartition, textOf } from '../support/records.ts'
import { startServer, temporaryFolder, writeProperties, type ServerProcess } from '../support/server-process.ts'
import type { WireClient } from '../support/wire-client.ts'

const STORAGE_ERROR = errorCode('KAFKA_STORAGE_ERROR')

function mount(...args: readonly string[]): boolean {
  return spawnSync('mount', args, { stdio: 'ignore' }).status === 0
}

function mayMount(): boolean {
  const folder = temporaryFolder()
  const mounted = mount('-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder.path)
  if (mounted) spawnSync('umount', [folder.path])
  folder.remove()
  return mounted
}

const describeWithMount = mayMount() ? describe : describe.skip

const valueAt = (index: number) => `${index} `.padEnd(20_000, 'x')
const send = (client: WireClient, topic: string, index: number) =>
  produceBatch(client, topic, 0, batchOf([valueAt(index)]))

async function valuesOf(client: WireClient, topic: string): Promise<(string | null)[]> {
  return (await readPartition(client, topic, 0)).records.map(({ value }) => textOf(value))
}

/** Two log directories, the second one on a small disk; a topic in each, as `onSmall` and `onLarge`. */
async function withSmallDisk(
  run: (disk: { readonly small: string; readonly ballast: string; readonly start: () => Started }) => Promise<void>,
): Promise<void> {
  const folder = temporaryFolder()
  const disk = join(folder.path, 'disk')
  const servers: ServerProcess[] = []
  mkdirSync(disk)
  try {
    expect(mount('-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', disk)).toBe(true)
    const ballast = join(disk, 'ballast')
    writeFileSync(ballast, Buffer.alloc(4 << 20))
    const properties = writeProperties(folder.path, {
      'log.dirs': `${join(folder.path, 'data')},${join(disk, 'data')}`,
    })
    const start = async () => {
      const server = await startServer([properties], folder.path)
      servers.push(server)
      return { server, client: await connectTo(server) }
    }
    await run({ small: join(disk, 'data'), ballast, start })
  } finally {
    for (const server of servers) await server.kill()
    spawnSync('umount', [disk])
    folder.remove()
  }
}

type Started = Promise<{ readonly server: ServerProcess; readonly client: WireClient }>

/** Topics until one lies on each disk. */
async function topicsOnBoth(client: WireClient, small: string): Promise<{ onSmall: string; onLarge: string }> {
  const names = ['a', 'b', 'c', 'd']
  for (const name of names) {
    await makeTopic(client, name)
    expect((await send(client, name, 0)).errorCode).toBe(0)
  }
  const isOnSmall = (name: string) => existsSync(join(small, `${name}-0`))
  return { onSmall: names.find(isOnSmall)!, onLarge: names.find((name) => !isOnSmall(name))! }
}

describeWithMount('a disk that is full', () => {
  it('takes its partition offline, and gives back all that was acknowledged when there is room again', () =>
    withSmallDisk(async ({ small, ballast, start }) => {
      const first = await start()
      const { onSmall, onLarge } = await topicsOnBoth(first.client, small)
      let acknowledged = 1
      for (;;) {
        const { errorCode } = await send(first.client, onSmall, acknowledged)
        if (errorCode !== 0) {
          expect(errorCode).toBe(STORAGE_ERROR)
          break
        }
        acknowledged++
      }
      expect(acknowledged).toBeGreaterThan(100)
      expect((await send(first.client, onSmall, acknowledged)).errorCode).toBe(STORAGE_ERROR)
      expect((await send(first.client, onLarge, 1)).errorCode).toBe(0)
      expect(await valuesOf(first.client, onLarge)).toEqual([0, 1].map(valueAt))
      const about = first.server.lines.filter(({ level }) => level === 'error').map(({ event }) => event)
      expect(about).toEqual(['log offline'])
      first.client.close()
      expect(await first.server.stop()).toBe(0)

      rmSync(ballast)
      const second = await start()
      const all = Array.from({ length: acknowledged }, (_, index) => valueAt(index))
      expect(await valuesOf(second.client, onSmall)).toEqual(all)
      expect(await send(second.client, onSmall, acknowledged)).toMatchObject({
        errorCode: 0,
        baseOffset: BigInt(acknowledged),
      })
      second.client.close()
      expect(await second.server.stop()).toBe(0)
    }))

  it('is served again after a kill and with room', () =>
    withSmallDisk(async ({ small, ballast, start }) => {
      const first = await start()
      const { onSmall } = await topicsOnBoth(first.client, small)
      let acknowledged = 1
      while ((await send(first.client, onSmall, acknowledged)).errorCode === 0) acknowledged++
      first.client.close()
      await first.server.kill()
      rmSync(ballast)
      const second = await start()
      const all = Array.from({ length: acknowledged }, (_, index) => valueAt(index))
      expect(await valuesOf(second.client, onSmall)).toEqual(all)
      second.client.close()
      expect(await second.server.stop()).toBe(0)
    }))
})

describeWithMount('a disk that becomes read-only', () => {
  it('takes its partitions offline at the next write; the others are served', () =>
    withSmallDisk(async ({ small, start }) => {
      const first = await start()
      const { onSmall, onLarge } = await topicsOnBoth(first.client, small)
      first.client.close()
      expect(await first.server.stop()).toBe(0)
      const disk = join(small, '..')
      expect(mount('-o', 'remount,ro', disk)).toBe(true)
      const second = await start()
      expect((await send(second.client, onSmall, 1)).errorCode).toBe(STORAGE_ERROR)
      expect((await send(second.client, onLarge, 1)).errorCode).toBe(0)
      second.client.close()
      await second.server.stop()
      expect(mount('-o', 'remount,rw', disk)).toBe(true)
      const third = await start()
      expect(await valuesOf(third.client, onSmall)).toEqual([valueAt(0)])
      expect(await valuesOf(third.client, onLarge)).toEqual([0, 1].map(valueAt))
      third.client.close()
      expect(await third.server.stop()).toBe(0)
    }))
})
