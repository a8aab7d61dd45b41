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
): Promise<Target> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env })
  const port = await readyPort(child, ready, name)
  return { name, host: '127.0.0.1', port, pid: child.pid, stop: () => stopChild(child) }
}

function readyPort(child: ChildProcess, ready: RegExp, name: string): Promise<number> {
  return new Promise((resolve, reject) => {
    let seen = ''
    const look = (data: Buffer) => {
      seen = (seen + data.toString()).slice(-20_000)
      const port = ready.exec(seen)?.groups?.['port']
      if (port !== undefined) resolve(Number(port))
    }
    child.stdout?.on('data', look)
    child.stderr?.on('data', look)
    child.on('exit', (code) => reject(new Error(`${name} ended with ${String(code)} before it was ready:\n${seen}`)))
  })
}

async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGTERM')
  await once(child, 'exit')
}
