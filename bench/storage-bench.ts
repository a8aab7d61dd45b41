/** What the scenarios of storage share: a folder, brokers on it one after the other, and looks at files and processes. */
import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import path from 'node:path'
import type { FloorPlan } from './floor.ts'
import { createTopic, encodeRequestFrame, checkAnswer } from './frames.ts'
import { ask, load } from './load-client.ts'
import { usageOf, type OwnTarget, type Usage } from './processes.ts'

/** One run of a scenario: on a fresh folder, which all brokers that it starts have as their `log.dirs`. */
export interface StorageBench {
  /** The brokers' log directory. */
  readonly directory: string
  /** `--size`. */
  readonly size: number
  /** Started, and listening. */
  broker(overrides?: readonly string[]): Promise<OwnTarget>
  /** Started beside the directory, and listening. */
  floor(plan: Omit<FloorPlan, 'directory'>): Promise<OwnTarget>
}

export interface StorageScenario {
  readonly name: string
  /** It measures the disk: no folder in memory will do. */
  readonly onDisk?: true
  /** The figures, in lines. */
  readonly run: (bench: StorageBench) => Promise<string>
}

export const median = (all: readonly number[]): number => [...all].sort((a, b) => a - b)[Math.floor(all.length / 2)]!

export async function pause(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms))
}

/** Produces `megabytes` of copies of one batch to partition 0 of a topic. */
export async function fill(target: OwnTarget, topic: string, batch: Uint8Array, megabytes: number): Promise<void> {
  await createTopic(target.host, target.port, topic, 1)
  const frames = [encodeRequestFrame.produce(topic, [{ index: 0, records: batch }], 1)]
  const requests = Math.ceil((megabytes * 1e6) / batch.length)
  await load({ ...addressOf(target), connections: 1, inFlight: 5, frames, requests, check: checkAnswer.produce })
}

export function addressOf({ host, port }: OwnTarget): { readonly host: string; readonly port: number } {
  return { host, port }
}

/** Resolves when the record at `offset` of partition 0 can be fetched. */
export async function whenServed({ host, port }: OwnTarget, topic: string, offset: bigint): Promise<void> {
  const frame = encodeRequestFrame.fetch(topic, offset, 1000)
  for (;;) {
    const answer = await ask(host, port, frame)
    try {
      checkAnswer.fetch(answer)
      return
    } catch {
      // it is still being opened
      await pause(2)
    }
  }
}

export function sizeOfLogs(folder: string): number {
  const logs = readdirSync(folder).filter((name) => name.endsWith('.log'))
  return logs.reduce((sum, name) => sum + statSync(path.join(folder, name)).size, 0)
}

/** Reads the files once, so that they are cached. */
export function readAll(folder: string): void {
  for (const name of readdirSync(folder)) if (name.endsWith('.log')) readFileSync(path.join(folder, name))
}

/** After a kill: no offset is known below which everything was on the disk. */
export function forgetRecoveryPoints(directory: string): void {
  rmSync(path.join(directory, 'recovery-point-offset-checkpoint'), { force: true })
}

/** Bytes that the process has read from files and sockets; NaN where the kernel does not tell. */
export function bytesRead({ pid }: OwnTarget): number {
  return Number(/rchar: (\d+)/.exec(readFileSync(`/proc/${String(pid)}/io`, 'utf8'))?.[1])
}

export function openDescriptors({ pid }: OwnTarget): number {
  return readdirSync(`/proc/${String(pid)}/fd`).length
}

/** How long `work` took, and what it cost the broker. */
export async function timed<Result>(
  target: OwnTarget,
  work: () => Promise<Result>,
): Promise<{ readonly result: Result; readonly seconds: number } & Usage> {
  const before = usageOf(target.pid).cpuSeconds
  const started = performance.now()
  const result = await work()
  const seconds = (performance.now() - started) / 1000
  const after = usageOf(target.pid)
  return { ...after, result, seconds, cpuSeconds: after.cpuSeconds - before }
}

/** A broker started, and the seconds until it listened. */
export async function startTimed(
  bench: StorageBench,
  overrides: readonly string[] = [],
): Promise<{ readonly target: OwnTarget; readonly seconds: number }> {
  const started = performance.now()
  const target = await bench.broker(overrides)
  return { target, seconds: (performance.now() - started) / 1000 }
}

export async function secondsOf(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now()
  await work()
  return (performance.now() - started) / 1000
}
