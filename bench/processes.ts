/**
 * Starts the processes under measurement and reads what the kernel charges them: CPU seconds (user and system, all
 * threads) and resident memory, from /proc. Linux only; the bench says so elsewhere.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { once } from 'node:events'

/** Ticks a second in /proc/<pid>/stat; 100 on every Linux that Node supports. */
const ticksPerSecond = 100

export interface Usage {
  readonly cpuSeconds: number
  readonly residentMb: number
  readonly peakMb: number
}

export interface Target {
  readonly name: string
  readonly host: string
  readonly port: number
  /** undefined for a broker of which only the address is known: no CPU or memory is reported then. */
  readonly pid: number | undefined
  stop(): Promise<void>
}

/** One that the bench started itself. */
export interface OwnTarget extends Target {
  readonly pid: number
  /** As a crash would end it. */
  kill(): Promise<void>
  /** The next line that it prints and that matches. */
  logged(pattern: RegExp): Promise<string>
}

export function usageOf(pid: number): Usage {
  const status = readFileSync(`/proc/${String(pid)}/status`, 'utf8')
  return {
    cpuSeconds: scheduledSeconds(pid) ?? countedSeconds(pid),
    residentMb: kilobytes(status, 'VmRSS') / 1024,
    peakMb: kilobytes(status, 'VmHWM') / 1024,
  }
}

/** What the threads that there are have run, to the nanosecond; null where the kernel does not tell. */
function scheduledSeconds(pid: number): number | null {
  const tasks = `/proc/${String(pid)}/task`
  try {
    const ran = (task: string) => Number(readFileSync(`${tasks}/${task}/schedstat`, 'utf8').split(' ')[0])
    return readdirSync(tasks).reduce((sum, task) => sum + ran(task), 0) / 1e9
  } catch {
    // the kernel was built without it
    return null
  }
}

function countedSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${String(pid)}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
}

function kilobytes(status: string, key: string): number {
  return Number(new RegExp(`${key}:\\s+(\\d+)`).exec(status)?.[1] ?? 0)
}

/** Runs a command and resolves when its standard output or error shows `ready`, with the port named group in it. */
export async function startTarget(
  name: string,
  command: string,
  args: readonly string[],
  ready: RegExp,
  env: NodeJS.ProcessEnv = process.env,
): Promise<OwnTarget> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env })
  const lines = new Lines()
  child.stdout.on('data', (data: Buffer) => lines.take(data))
  child.stderr.on('data', (data: Buffer) => lines.take(data))
  child.on('exit', (code) => lines.fail(`${name} ended with ${String(code)}`))
  const port = Number(ready.exec(await lines.next(ready))?.groups?.['port'])
  const end = (signal: NodeJS.Signals) => endChild(child, signal)
  return {
    name,
    host: '127.0.0.1',
    port,
    pid: child.pid!,
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
    logged: (pattern) => lines.next(pattern),
  }
}

/** What a process prints, line by line, for those who wait for one. */
class Lines {
  #partial = ''
  #last: string[] = []
  readonly #waiting = new Set<{ pattern: RegExp; resolve: (line: string) => void; reject: (error: Error) => void }>()

  take(data: Buffer): void {
    const lines = (this.#partial + data.toString()).split('\n')
    this.#partial = lines.pop()!
    for (const line of lines) {
      this.#last = [...this.#last.slice(-20), line]
      for (const one of this.#waiting) {
        if (!one.pattern.test(line)) continue
        this.#waiting.delete(one)
        one.resolve(line)
      }
    }
  }

  fail(why: string): void {
    for (const { reject } of this.#waiting) reject(new Error(`${why}; its last lines:\n${this.#last.join('\n')}`))
    this.#waiting.clear()
  }

  next(pattern: RegExp): Promise<string> {
    return new Promise((resolve, reject) => this.#waiting.add({ pattern, resolve, reject }))
  }
}

async function endChild(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill(signal)
  await once(child, 'exit')
}
