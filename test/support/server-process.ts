/** Starts `./your_program.sh` as a user would, in a temporary folder on an ephemeral port, and stops it by its id. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const program = fileURLToPath(new URL('../../your_program.sh', import.meta.url))

export interface LogLine {
  readonly level: string
  readonly event: string
  readonly [field: string]: unknown
}

export interface ServerProcess {
  readonly host: string
  readonly port: number
  readonly pid: number
  /** The lines logged so far, parsed. */
  readonly lines: readonly LogLine[]
  /** SIGTERM; resolves with the exit code when the process has ended. */
  stop(): Promise<number | null>
  /** SIGKILL; resolves when the process has ended. */
  kill(): Promise<void>
}

/** A temporary folder that `remove` takes away with all that is in it. */
export function temporaryFolder(): { readonly path: string; remove(): void } {
  const folder = mkdtempSync(path.join(tmpdir(), 'odradek-'))
  return { path: folder, remove: () => rmSync(folder, { recursive: true, force: true }) }
}

/** A properties file for one broker on an ephemeral port, as Kafka's own `config/server.properties` looks. */
export function writeProperties(folder: string, extra: Readonly<Record<string, string>> = {}): string {
  const properties = {
    'process.roles': 'broker,controller',
    'node.id': '1',
    listeners: 'PLAINTEXT://127.0.0.1:0,CONTROLLER://127.0.0.1:0',
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'controller.quorum.voters': '1@127.0.0.1:9093',
    'log.dirs': path.join(folder, 'data'),
    ...extra,
  }
  const file = path.join(folder, 'server.properties')
  writeFileSync(
    file,
    Object.entries(properties)
      .map(([key, value]) => `${key}=${value}\n`)
      .join(''),
  )
  return file
}

/** Resolves when the server says that it listens; rejects with what it printed when it ends before. */
export async function startServer(args: readonly string[], cwd: string): Promise<ServerProcess> {
  const child = spawn(program, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
  const lines: LogLine[] = []
  const port = await listeningPort(child, lines)
  return {
    host: '127.0.0.1',
    port,
    pid: child.pid!,
    lines,
    stop: () => end(child, 'SIGTERM'),
    kill: async () => {
      await end(child, 'SIGKILL')
    },
  }
}

/** Runs the server to its own end (a refused start): exit code and everything printed. */
export async function runServer(
  args: readonly string[],
  cwd: string,
): Promise<{ readonly code: number | null; readonly output: string }> {
  const child = spawn(program, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  child.stdout.on('data', (data: Buffer) => (output += data.toString()))
  child.stderr.on('data', (data: Buffer) => (output += data.toString()))
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, output }
}

function listeningPort(child: ChildProcess, lines: LogLine[]): Promise<number> {
  return new Promise((resolve, reject) => {
    let rest = ''
    let output = ''
    const take = (data: Buffer) => {
      output += data.toString()
      const parts = (rest + data.toString()).split('\n')
      rest = parts.pop()!
      for (const part of parts) {
        if (!part.startsWith('{')) continue
        const line = JSON.parse(part) as LogLine
        lines.push(line)
        if (line.event === 'listening' && line['listener'] !== 'CONTROLLER') resolve(Number(line['port']))
      }
    }
    child.stdout?.on('data', take)
    child.stderr?.on('data', take)
    child.on('close', (code) => reject(new Error(`the server ended with ${String(code)}:\n${output}`)))
  })
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode
  const ended = once(child, 'exit')
  child.kill(signal)
  await ended
  return child.exitCode
}
