/** Starts `./your_program.sh` as a user would, in a temporary folder on an ephemeral port, and stops it by its id. */
import { spawn, type ChildProcess } from 'node:child_process'
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
  /** `host:port`, as clients take it. */
  readonly bootstrap: string
  readonly pid: number
  /** The lines logged so far, parsed. */
  readonly lines: readonly LogLine[]
  /** Resolves with the first line about `event`, once there is one. */
  logged(event: string): Promise<LogLine>
  /** Resolves with the exit code when the process has ended; null = by a signal. */
  readonly exited: Promise<number | null>
  signal(signal: NodeJS.Signals): void
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

/**
 * A properties file for one broker on an ephemeral port, as Kafka's own `config/server.properties` looks, its data in
 * `data` beside it. A key that is null in `extra` is left out.
 */
export function writeProperties(folder: string, extra: Readonly<Record<string, string | null>> = {}): string {
  const properties: Readonly<Record<string, string | null>> = {
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
  const lines = Object.entries(properties).map(([key, value]) => (value === null ? '' : `${key}=${value}\n`))
  writeFileSync(file, lines.join(''))
  return file
}

export interface RunOptions {
  /** Added to the environment of the test. */
  readonly env?: Readonly<Record<string, string>>
  /** Instead of `your_program.sh`. */
  readonly program?: string
}

/** Resolves when the server says that it listens; rejects with what it printed when it ends before. */
export async function startServer(
  args: readonly string[],
  cwd: string,
  options: RunOptions = {},
): Promise<ServerProcess> {
  const child = run(args, cwd, options)
  const lines: LogLine[] = []
  const watchers = new Set<() => void>()
  const exited = exitOf(child)
  const port = await listeningPort(child, (line) => {
    lines.push(line)
    watchers.forEach((look) => look())
  })
  const end = (signal: NodeJS.Signals): Promise<number | null> => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal)
    return exited
  }
  return {
    host: '127.0.0.1',
    port,
    bootstrap: `127.0.0.1:${port}`,
    pid: child.pid!,
    lines,
    logged: (event) =>
      new Promise((resolve) => {
        const look = () => {
          const found = lines.find((line) => line.event === event)
          if (found === undefined) return
          watchers.delete(look)
          resolve(found)
        }
        watchers.add(look)
        look()
      }),
    exited,
    signal: (signal) => void child.kill(signal),
    stop: () => end('SIGTERM'),
    kill: async () => {
      await end('SIGKILL')
    },
  }
}

/** Runs the server to its own end (a refused start): its exit code and everything that it printed on each stream. */
export async function runServer(
  args: readonly string[],
  cwd: string,
  options: RunOptions = {},
): Promise<{ readonly code: number | null; readonly output: string; readonly errors: string }> {
  const child = run(args, cwd, options)
  let output = ''
  let errors = ''
  child.stdout?.on('data', (data: Buffer) => (output += data.toString()))
  child.stderr?.on('data', (data: Buffer) => (errors += data.toString()))
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve))
  return { code, output, errors }
}

function run(args: readonly string[], cwd: string, options: RunOptions): ChildProcess {
  const env = { ...process.env, ...options.env }
  return spawn(options.program ?? program, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
}

function exitOf(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => child.on('exit', (code) => resolve(code)))
}

function listeningPort(child: ChildProcess, onLine: (line: LogLine) => void): Promise<number> {
  return new Promise((resolve, reject) => {
    let rest = ''
    let output = ''
    const take = (data: Buffer) => {
      const parts = (rest + data.toString()).split('\n')
      rest = parts.pop()!
      for (const part of parts) {
        output += `${part}\n`
        if (!part.startsWith('{')) continue
        const line = JSON.parse(part) as LogLine
        onLine(line)
        if (line.event === 'listening') resolve(Number(line['port']))
      }
    }
    child.stdout?.on('data', take)
    child.stderr?.on('data', (data: Buffer) => (output += data.toString()))
    child.on('error', reject)
    child.on('close', (code) => {
      reject(new Error(`the server ended with ${String(code)}:\n${output}`))
    })
  })
}
