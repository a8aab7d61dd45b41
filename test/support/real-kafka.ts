/** A real Apache Kafka beside a test: its broker and its tools, where Java and the jars are present. */
import { spawn, spawnSync } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { createServer, connect } from 'node:net'
import type { AddressInfo } from 'node:net'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { describe } from '@jest/globals'

const libs = process.env['KAFKA_LIBS'] ?? join(homedir(), '.cache', 'odradek', 'kafka-libs')
/** The command-line tools, where they are not of the same release: those of 4.4.0 were not published. */
const toolLibs = process.env['KAFKA_TOOLS_LIBS'] ?? libs

function isPresent(): boolean {
  if (!existsSync(libs) || !readdirSync(libs).some((file) => /^kafka_2\.13-.*\.jar$/.test(file))) return false
  return spawnSync('java', ['-version'], { stdio: 'ignore' }).status === 0
}

/** `describe`, skipped by name where there is no Java or no Kafka. */
export const describeWithKafka = isPresent() ? describe : describe.skip

/** The command line of one of Kafka's tools, for whoever runs it. */
export function kafkaToolCommand(main: string, ...args: readonly string[]): readonly [string, ...string[]] {
  return ['java', '-Xmx256m', '-Dlog4j2.level=WARN', '-cp', join(toolLibs, '*'), main, ...args]
}

function java(main: string, args: readonly string[], heap: string): ChildProcess {
  const jars = main === 'kafka.Kafka' || main === 'kafka.tools.StorageTool' ? libs : toolLibs
  const options = [`-Xmx${heap}`, '-Djava.awt.headless=true', '-Dlog4j2.level=WARN', '-cp', join(jars, '*')]
  return spawn('java', [...options, main, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
}

/** The release whose jars are there, as major.minor; '' where there are none. */
const release = existsSync(libs)
  ? (readdirSync(libs)
      .join(' ')
      .match(/kafka_2\.13-(\d+\.\d+)/)?.[1] ?? '')
  : ''

/** The metadata level that this Kafka's own tool formats with. */
export const levelOfKafka = release === '4.2' ? 29 : release === '4.3' ? 30 : 33

/** Kafka's own reader of log files, which has moved in 4.3. */
export function dumpLogSegments(...args: readonly string[]): Promise<string> {
  return kafkaTool(`${release === '4.2' ? 'kafka' : 'org.apache.kafka'}.tools.DumpLogSegments`, ...args)
}

/** Runs Kafka's broker to its own end, for a start that it is to refuse: everything it printed. */
export async function kafkaRefusal(properties: string): Promise<string> {
  const child = java('kafka.Kafka', [properties], '512m')
  const output = collect(child)
  if ((await closed(child)) === 0) throw new Error(`Kafka stopped by itself: ${output()}`)
  return output()
}

/** Everything printed to stdout, then everything printed to stderr: as they come, one would tear lines of the other. */
function collect(child: ChildProcess): () => string {
  const texts = [child.stdout, child.stderr].map((stream) => {
    const chunks: string[] = []
    stream?.setEncoding('utf8').on('data', (chunk: string) => chunks.push(chunk))
    return chunks
  })
  return () => texts.map((chunks) => chunks.join('')).join('\n')
}

/** Resolves when the process has ended and all that it printed has arrived. */
function closed(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => child.once('close', (code) => resolve(code)))
}

function exited(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(child.exitCode)
  return new Promise((resolve) => child.once('exit', (code) => resolve(code)))
}

/** What one of Kafka's tools prints; a failing tool rejects with it. */
export async function kafkaTool(main: string, ...args: readonly string[]): Promise<string> {
  const child = java(main, args, '256m')
  const output = collect(child)
  const code = await closed(child)
  if (code !== 0) throw new Error(`${main} ended with ${String(code)}: ${output()}`)
  return output()
}

export interface RealKafkaFiles {
  readonly properties: string
  readonly bootstrap: string
  readonly port: number
}

/** Writes the properties of a combined node 1 over `logDir` to `properties`, on two free ports. */
export async function kafkaProperties(
  properties: string,
  logDir: string,
  {
    dynamicQuorum = false,
    extra = {},
  }: { readonly dynamicQuorum?: boolean; readonly extra?: Readonly<Record<string, string>> } = {},
): Promise<RealKafkaFiles> {
  const [port, controllerPort] = await freePorts()
  const controller = `127.0.0.1:${controllerPort}`
  const lines = [
    'process.roles=broker,controller',
    'node.id=1',
    `listeners=PLAINTEXT://127.0.0.1:${port},CONTROLLER://${controller}`,
    'controller.listener.names=CONTROLLER',
    dynamicQuorum ? `controller.quorum.bootstrap.servers=${controller}` : `controller.quorum.voters=1@${controller}`,
    `log.dirs=${logDir}`,
    'offsets.topic.replication.factor=1',
    'transaction.state.log.replication.factor=1',
    'transaction.state.log.min.isr=1',
    'share.coordinator.state.topic.replication.factor=1',
    'share.coordinator.state.topic.min.isr=1',
    ...Object.entries(extra).map(([key, value]) => `${key}=${value}`),
  ]
  await writeFile(properties, `${lines.join('\n')}\n`)
  return { properties, bootstrap: `127.0.0.1:${port}`, port }
}

async function freePorts(): Promise<readonly [number, number]> {
  const servers = [createServer(), createServer()]
  const ports: number[] = []
  for (const server of servers) {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    ports.push((server.address() as AddressInfo).port)
  }
  for (const server of servers) await new Promise((resolve) => server.close(resolve))
  return [ports[0]!, ports[1]!]
}

/** A broker that runs until it is stopped. */
export class RealKafka {
  readonly port: number
  readonly #child: ChildProcess
  readonly #output: () => string

  private constructor(child: ChildProcess, port: number) {
    this.port = port
    this.#child = child
    this.#output = collect(child)
  }

  /** Resolves when the broker takes connections. */
  static async start({ properties, port }: RealKafkaFiles): Promise<RealKafka> {
    const kafka = new RealKafka(java('kafka.Kafka', [properties], '512m'), port)
    while (!(await takesConnections(port))) {
      if (kafka.#child.exitCode !== null) throw new Error(`Kafka did not start: ${kafka.#output()}`)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    return kafka
  }

  /** The entries of its log at WARN and above, each with the stack trace that belongs to it. */
  complaints(): readonly string[] {
    return this.#output()
      .split(/\n(?=\d{4}-\d\d-\d\d[T ])/)
      .filter((entry) => /\b(WARN|ERROR|FATAL)\b|Exception/.test(entry))
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGTERM')
    await exited(this.#child)
  }

  /** SIGKILL: nothing is flushed, no file says that it stopped cleanly. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await exited(this.#child)
  }
}

function takesConnections(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => {
      resolve(false)
    })
  })
}
