/** The package as another program gets it: `dist/index.js` by its name, and its types. `npm test` builds it before. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { spawnSync } from 'node:child_process'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { temporaryFolder } from '../support/server-process.ts'

const repository = fileURLToPath(new URL('../..', import.meta.url))

const program = `
import { connect } from 'node:net'
import { once } from 'node:events'
import { createBroker, ConfigError, type Broker, type Logger } from 'odradek'

const events: string[] = []
const logger: Logger = {
  debug: () => undefined,
  info: (event: string) => void events.push(event),
  warn: () => undefined,
  error: () => undefined,
}
const broker: Broker = createBroker({ 'num.partitions': 3 }, { logger })
await broker.start()
const { host, port } = broker.address()
const socket = connect(port, host)
// ApiVersions v0
socket.write(Buffer.from('0000000a0012000000000001ffff', 'hex'))
const [answer] = (await once(socket, 'data')) as [Buffer]
await broker.close()
socket.destroy()
let refused = false
try {
  createBroker({ 'num.partitions': 'few' })
} catch (error) {
  refused = error instanceof ConfigError
}
console.log(JSON.stringify({ correlation: answer.readInt32BE(4), error: answer.readInt16BE(8), refused, events }))
`

describe('the package', () => {
  const folder = temporaryFolder()
  beforeAll(() => {
    const packages = join(folder.path, 'node_modules')
    mkdirSync(join(packages, '@types'), { recursive: true })
    symlinkSync(repository, join(packages, 'odradek'))
    symlinkSync(join(repository, 'node_modules', '@types', 'node'), join(packages, '@types', 'node'))
    writeFileSync(join(folder.path, 'package.json'), '{ "type": "module" }')
    writeFileSync(join(folder.path, 'main.ts'), program)
  })
  afterAll(() => folder.remove())

  it('has types that hold in a strict program', () => {
    const compiler = join(repository, 'node_modules', 'typescript', 'bin', 'tsc')
    const options = ['--strict', '--target', 'es2022', '--module', 'nodenext', '--types', 'node', 'main.ts']
    const { stdout, status } = spawnSync(
      process.execPath,
      [compiler, '--lib', 'es2022,esnext.disposable', ...options],
      {
        cwd: folder.path,
      },
    )
    expect(stdout.toString()).toBe('')
    expect(status).toBe(0)
  })

  it('runs there, and lets the program end by itself after close()', () => {
    const begun = performance.now()
    const { stdout, stderr, status } = spawnSync(process.execPath, ['main.js'], { cwd: folder.path, timeout: 20_000 })
    expect(stderr.toString()).toBe('')
    expect(JSON.parse(stdout.toString())).toMatchObject({ correlation: 1, error: 0, refused: true })
    expect(status).toBe(0)
    expect(performance.now() - begun).toBeLessThan(5_000)
  })
})
