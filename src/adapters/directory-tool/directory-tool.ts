/**
 * The directory tool: `odradek dir`. Its answer is the exit code: 0 sound, 1 problems found, 2 something could not be
 * read or the use was wrong. Whatever lies in the directories, it ends with lines, never with a stack trace.
 */
import { help, parseArguments, WrongUse, type ToolArguments } from './arguments.ts'
import { check } from './check.ts'
import { dump } from './dump.ts'
import { Findings, messageOf, type Finding } from './findings.ts'
import { list } from './listing.ts'
import { METADATA_FOLDER } from './log-dir.ts'
import { dumpMetadata } from './metadata-dump.ts'
import { Output } from './output.ts'
import type { ProgressTarget } from './progress.ts'
import { readOnlyFiles } from './read-only-files.ts'
import type { BatchTools } from './batch-verdict.ts'
import { UnreadablePath, type ToolPorts } from './survey.ts'
import type { Writable } from 'node:stream'

export interface ToolSurroundings extends BatchTools {
  readonly output: Writable
  readonly errors: ProgressTarget
  readonly nowMs: () => number
  /** The log directories that a properties file names; throws an error with one line when it cannot be read. */
  readonly logDirsOf: (propertiesFile: string) => readonly string[]
}

const SOUND = 0
const PROBLEMS = 1
const CANNOT = 2

export async function runDirectoryTool(args: readonly string[], surroundings: ToolSurroundings): Promise<number> {
  const output = new Output(surroundings.output)
  try {
    return await run(parseArguments(args), surroundings, output)
  } catch (error) {
    await output.flush()
    surroundings.errors.write(`odradek dir: ${messageOf(error)}\n`)
    if (error instanceof WrongUse) surroundings.errors.write('odradek dir --help says what it can do\n')
    return CANNOT
  } finally {
    await output.flush()
  }
}

async function run(args: ToolArguments, surroundings: ToolSurroundings, output: Output): Promise<number> {
  const { mode, json, config } = args
  if (mode.kind === 'help') {
    await output.line(help)
    return SOUND
  }
  const { errors, nowMs, checksum, compressor } = surroundings
  const given = config === null ? args.paths : surroundings.logDirsOf(config)
  const paths = [...new Set(given.map((path) => (path.length > 1 ? path.replace(/\/+$/, '') : path)))]
  const ports: ToolPorts = { files: readOnlyFiles, tools: { checksum, compressor } }
  const told: Finding[] = []
  const toErrors = ({ severity, path, text }: Finding): void => errors.write(`${severity}: ${path} ${text}\n`)
  const later = mode.kind === 'list' || mode.kind === 'check'
  const findings = new Findings(later ? (finding) => told.push(finding) : toErrors)
  switch (mode.kind) {
    case 'list':
      await list(ports, paths, json, output, findings, told)
      break
    case 'check':
      await check(ports, paths, json, { output, findings, told, progress: errors, nowMs })
      break
    case 'dump': {
      const path = await folderIn(ports, paths, mode.folder)
      if (mode.folder === METADATA_FOLDER) {
        await dumpMetadata(ports, { ...args, folder: path, snapshot: false }, output, findings)
      } else {
        const [topic, partition] = partsOf(mode.folder)
        await dump(ports, { ...args, topic, partition, path }, output, findings)
      }
      break
    }
    case 'metadata':
      await dumpMetadata(
        ports,
        { ...args, folder: await folderIn(ports, paths, METADATA_FOLDER), snapshot: true },
        output,
        findings,
      )
      break
  }
  const { problem, unreadable } = findings.counts
  return problem > 0 ? PROBLEMS : unreadable > 0 ? CANNOT : SOUND
}

/** @throws UnreadablePath when none of the directories has it */
async function folderIn({ files }: ToolPorts, paths: readonly string[], name: string): Promise<string> {
  if (!name.includes('/')) {
    for (const path of paths) {
      const entries = await files.list(path).catch((error: unknown) => {
        throw new UnreadablePath(`${path} cannot be read: ${messageOf(error)}`)
      })
      if (entries.some((entry) => entry.name === name && entry.directory)) return `${path}/${name}`
    }
  }
  throw new UnreadablePath(`there is no folder ${name} in ${paths.join(', ')}`)
}

/** Also of folders that were set aside: `topic-0.<32 hex>-delete`. */
function partsOf(folder: string): readonly [string, number] {
  const match = /^(.*)-(\d{1,10})(\.[0-9a-f]{32}-[a-z]+)?$/.exec(folder)
  if (match === null) throw new WrongUse(`${folder} is not a topic and a partition, as in topic-0`)
  return [match[1]!, Number(match[2])]
}
