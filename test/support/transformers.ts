/** Programs that copy a topic exactly once (transform-*.ts and .py), each a process that is killed and started again. */
import { spawn, type ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import path from 'node:path'
import { buildSync } from 'esbuild'

const here = import.meta.dirname
const root = path.join(here, '..', '..')

/** What a program is to do; the output topic has the name of its group and its transactional id too. */
export interface Job {
  readonly bootstrap: string
  readonly input: string
  readonly name: string
}

type CommandLine = readonly [program: string, ...args: string[]]

/** How a program is started: the job's parts are added as arguments, or it says itself where they belong. */
export type Command = CommandLine | ((job: Job) => CommandLine)

/** A program of this folder in TypeScript, for a Node without a loader for it. */
export function nodeProgram(file: string): Command {
  const { outputFiles } = buildSync({
    entryPoints: [path.join(here, file)],
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    write: false,
  })
  return [process.execPath, '--input-type=module', '--eval', outputFiles[0]!.text, '--']
}

const FAILURES_MAX = 20

export class Transformer {
  readonly name: string
  readonly #command: CommandLine
  #child: ChildProcess | null = null
  #watchers: (() => void)[] = []
  #errors = ''
  #isClosed = false
  committed = 0
  /** How often it ended by itself since it committed anything: its broker was gone for too long. */
  #failures = 0

  constructor(name: string, command: Command, bootstrap: string, input: string) {
    this.name = name
    this.#command =
      typeof command === 'function' ? command({ bootstrap, input, name }) : [...command, bootstrap, input, name]
  }

  start(): void {
    const [program, ...args] = this.#command
    const child = spawn(program, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
    this.#child = child
    child.stderr.on('data', (data: Buffer) => (this.#errors = (this.#errors + data.toString()).slice(-4_000)))
    createInterface(child.stdout).on('line', () => {
      this.committed++
      this.#failures = 0
      for (const look of this.#watchers.splice(0)) look()
    })
    child.once('exit', () => {
      if (this.#isClosed) return
      if (child.signalCode !== 'SIGKILL') this.#failures++
      if (this.#failures < FAILURES_MAX) this.start()
      else for (const look of this.#watchers.splice(0)) look()
    })
  }

  /** Resolves when it has committed so many transactions, or the next ones of its next life have. */
  async reaches(committed: number): Promise<void> {
    while (this.committed < committed) {
      if (this.#failures >= FAILURES_MAX) throw new Error(`${this.name} does not work any more: ${this.#errors}`)
      await new Promise<void>((resolve) => this.#watchers.push(resolve))
    }
  }

  /** SIGKILL; it is started again. */
  kill(): void {
    this.#child!.kill('SIGKILL')
  }

  async close(): Promise<void> {
    this.#isClosed = true
    const child = this.#child
    if (child === null || child.exitCode !== null || child.signalCode !== null) return
    await new Promise((resolve) => {
      child.once('exit', resolve)
      child.kill('SIGKILL')
    })
  }
}
