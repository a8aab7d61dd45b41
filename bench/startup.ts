/** Time from starting the process to its first answer to ApiVersions, beside `node -e 0`. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { encodeRequestFrame } from './frames.ts'

const rounds = 15

export async function startupTimes(root: string): Promise<void> {
  const bare: number[] = []
  const ours: number[] = []
  for (let i = 0; i < rounds; i++) {
    const started = performance.now()
    spawnSync(process.execPath, ['-e', '0'])
    bare.push(performance.now() - started)
    ours.push(await timeToFirstAnswer(root))
  }
  const median = (all: number[]) => all.sort((a, b) => a - b)[Math.floor(all.length / 2)]!
  const ratio = median(ours) / median(bare)
  console.log(
    `\nstart to first ApiVersions answer, empty directory: ${median(ours).toFixed(0)} ms; node -e 0: ${median(bare).toFixed(0)} ms; ratio ${ratio.toFixed(2)} (at most 1.5)`,
  )
}

/** Connects as soon as the port is open: tries without a pause worth naming until it is answered. */
async function timeToFirstAnswer(root: string): Promise<number> {
  const folder = mkdtempSync(path.join(tmpdir(), 'odradek-start-'))
  const port = await freePort()
  const started = performance.now()
  const child = spawn(
    path.join(root, 'your_program.sh'),
    ['--override', `listeners=PLAINTEXT://127.0.0.1:${String(port)}`, '--override', `log.dirs=${folder}/data`],
    { stdio: 'ignore' },
  )
  try {
    while (!(await answers(port))) await new Promise((resolve) => setTimeout(resolve, 1))
    return performance.now() - started
  } finally {
    child.kill('SIGTERM')
    await once(child, 'exit')
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
