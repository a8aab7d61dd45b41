/**
 * Time from starting the process to its first answer to ApiVersions: on an empty directory beside `node -e 0`, and on
 * a directory with 1,000 partitions of data, after a clean stop.
 */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import net from 'node:net'
import path from 'node:path'
import { checkAnswer, createTopic, encodeRequestFrame } from './frames.ts'
import { load } from './load-client.ts'

const rounds = 15
const roundsFull = 5
const partitionsFull = 1000
const answeredWithinMs = 60_000

const median = (all: readonly number[]) => [...all].sort((a, b) => a - b)[Math.floor(all.length / 2)]!

export async function startupTimes(root: string, base: string): Promise<void> {
  const bare: number[] = []
  const ours: number[] = []
  for (let i = 0; i < rounds; i++) {
    const started = performance.now()
    spawnSync(process.execPath, ['-e', '0'])
    bare.push(performance.now() - started)
    ours.push(await inFolder(base, (folder) => timeToFirstAnswer(root, folder)))
  }
  const ratio = median(ours) / median(bare)
  console.log(
    `\nstart to first ApiVersions answer, empty directory: ${median(ours).toFixed(0)} ms; node -e 0: ${median(bare).toFixed(0)} ms; ratio ${ratio.toFixed(2)} (at most 1.5)`,
  )
  const full = await inFolder(base, (folder) => timesWithData(root, folder))
  const more = median(full) - median(ours)
  console.log(
    `with ${String(partitionsFull)} partitions of data: ${median(full).toFixed(0)} ms, ${more.toFixed(0)} ms more (at most 1000)`,
  )
}

/** Fills the partitions, stops, and starts again some times. */
async function timesWithData(root: string, folder: string): Promise<number[]> {
  const records = encodeRequestFrame.batch(10, 1000)
  const frames = Array.from({ length: partitionsFull }, (_, index) =>
    encodeRequestFrame.produce('full', [{ index, records }], 1),
  )
  await timeToFirstAnswer(root, folder, async (port) => {
    await createTopic('127.0.0.1', port, 'full', partitionsFull)
    const address = { host: '127.0.0.1', port, connections: 1, inFlight: 5 }
    await load({ ...address, frames, requests: partitionsFull * 2, check: checkAnswer.produce })
  })
  const times: number[] = []
  for (let i = 0; i < roundsFull; i++) times.push(await timeToFirstAnswer(root, folder))
  return times
}

/** Connects as soon as the port is open: tries without a pause worth naming until it is answered; stops afterwards. */
async function timeToFirstAnswer(
  root: string,
  folder: string,
  use: (port: number) => Promise<void> = () => Promise.resolve(),
): Promise<number> {
  const port = await freePort()
  const started = performance.now()
  const child = spawn(
    path.join(root, 'your_program.sh'),
    ['--override', `listeners=PLAINTEXT://127.0.0.1:${String(port)}`, '--override', `log.dirs=${folder}/data`],
    { stdio: 'ignore' },
  )
  try {
    while (!(await answers(port))) {
      if (child.exitCode !== null || performance.now() - started > answeredWithinMs) {
        throw new Error('the broker does not answer')
      }
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
    const took = performance.now() - started
    await use(port)
    return took
  } finally {
    child.kill('SIGTERM')
    if (child.exitCode === null) await once(child, 'exit')
  }
}

async function inFolder<T>(base: string, work: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(path.join(base, 'odradek-start-'))
  try {
    return await work(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1', () => socket.write(encodeRequestFrame.apiVersions()))
    socket.once('data', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as net.AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
