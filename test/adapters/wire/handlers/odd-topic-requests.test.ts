/**
 * Requests about topics and the cluster that were sent to a real Apache Kafka 4.3.1 one after the other, and its
 * answers: replayed here in the same order, each answer must be equal field by field. Topic ids are random, so the
 * ids that the real broker drew are drawn again.
 */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import type { CameInOn } from '../../../support/topic-broker.ts'
import { apiOf, decodeRequest, decodeResponse, openTopicBroker } from '../../../support/topic-broker.ts'

interface Exchange {
  readonly what: string
  readonly api: number
  readonly version: number
  readonly request: Body
  readonly response: Body
}

/** Decoded messages; tests look at what they know is there. */
type Body = Record<string, unknown>

const METADATA = 3
const CREATE_TOPICS = 19
const DELETE_TOPICS = 20
const CREATE_PARTITIONS = 37

const ZERO = 'AAAAAAAAAAAAAAAAAAAAAA'

function recording(name: string): readonly Exchange[] {
  const lines = readFileSync(new URL(`../../../fixtures/wire/${name}`, import.meta.url), 'utf8')
    .trim()
    .split('\n')
  return lines.map((line) => {
    const { what, api, version, requestHex, responseHex } = JSON.parse(line) as {
      what: string
      api: number
      version: number
      requestHex: string
      responseHex: string
    }
    return {
      what,
      api,
      version,
      request: decodeRequest(apiOf(api), version, Buffer.from(requestHex, 'hex')) as Body,
      response: decodeResponse(apiOf(api), version, Buffer.from(responseHex, 'hex')) as Body,
    }
  })
}

interface NamedTopic extends Body {
  readonly name: string | null
  readonly topicId?: string
  readonly errorCode?: number
}

function topicsOf(body: Body): readonly NamedTopic[] {
  return (body.topics ?? body.responses ?? body.results ?? []) as readonly NamedTopic[]
}

/** The ids that the real broker drew for the topics of this request, as far as it told them then or later. */
function drawnIds(exchanges: readonly Exchange[], index: number): readonly string[] {
  const { api, version, request, response } = exchanges[index]!
  if (api === CREATE_TOPICS && version >= 7) {
    return topicsOf(response).flatMap(({ topicId, errorCode }) => (errorCode === 0 ? [topicId!] : []))
  }
  const created =
    api === CREATE_TOPICS
      ? topicsOf(response).filter(({ errorCode }) => errorCode === 0 && request.validateOnly === false)
      : api === METADATA && request.allowAutoTopicCreation === true
        ? topicsOf(response).filter(({ errorCode }) => errorCode === 3)
        : []
  return created.flatMap(({ name }) => {
    for (const later of exchanges.slice(index + 1)) {
      const topic = topicsOf(later.response).find((each) => each.name === name && (each.topicId ?? ZERO) !== ZERO)
      if (topic !== undefined) return [topic.topicId!]
    }
    return []
  })
}

/** Answers whose order is a hash table's or is shuffled are compared in the order of names and ids. */
function comparable(api: number, body: Body): Body {
  const sorted = (topics: readonly NamedTopic[]) =>
    [...topics].sort((a, b) => (sortKey(a) < sortKey(b) ? -1 : sortKey(a) > sortKey(b) ? 1 : 0))
  if (api === METADATA && topicsOf(body).length > 4) return { ...body, topics: sorted(topicsOf(body)) }
  if (api === CREATE_TOPICS) return { ...body, topics: topicsOf(body).map(withoutNewerConfigs) }
  if (api === DELETE_TOPICS) return { ...body, responses: sorted(topicsOf(body)) }
  if (api === CREATE_PARTITIONS) return { ...body, results: sorted(topicsOf(body)) }
  return body
}

/** Topic configs of 4.4, which the recorded 4.3.1 does not list. */
const newerConfigs: ReadonlySet<string> = new Set([
  'errors.deadletterqueue.group.enable',
  'max.decompressed.message.bytes',
  'remote.copy.lag.bytes',
  'remote.copy.lag.ms',
])

function withoutNewerConfigs(topic: NamedTopic): NamedTopic {
  const configs = topic.configs as readonly { readonly name: string }[] | null
  return configs === null ? topic : { ...topic, configs: configs.filter(({ name }) => !newerConfigs.has(name)) }
}

function sortKey({ name, topicId, errorCode }: NamedTopic): string {
  return JSON.stringify([name ?? '', topicId ?? '', errorCode])
}

const tooLarge = { errorCode: 44, errorMessage: 'Unable to perform excessively large batch operation.' }

/** What we answer instead of Kafka's UNKNOWN_SERVER_ERROR, which stands for an exception in its own code. */
const insteadOfBugs: Readonly<Record<string, Body>> = {
  'CreatePartitions 10001 more': { results: [{ name: 'g7', ...tooLarge }] },
  'CreatePartitions 2147483647': { results: [{ name: 'g7', ...tooLarge }] },
  'CreatePartitions 6000 twice': {
    results: [
      { name: 'g7', errorCode: 0 },
      { name: 'g6', ...tooLarge },
    ],
  },
  'DescribeTopicPartitions empty name': {
    topics: [
      { name: '', errorCode: 17 },
      { name: 'g6', errorCode: 0 },
    ],
  },
  'Metadata name null, id zero': { brokers: [], topics: [{ name: '', errorCode: 42 }] },
}

async function replay(
  exchanges: readonly Exchange[],
  broker: Awaited<ReturnType<typeof openTopicBroker>>,
  from: (e: Exchange) => CameInOn,
) {
  const differences: unknown[] = []
  for (const [index, exchange] of exchanges.entries()) {
    const { api, version, request, response, what } = exchange
    broker.ids.splice(0, broker.ids.length, ...drawnIds(exchanges, index))
    const answer = (await broker.ask(api, version, request, from(exchange))) as Body
    const row = `${apiOf(api).name} ${what}`
    const instead = JSON.stringify(response).includes('"errorCode":-1') ? insteadOfBugs[row] : undefined
    try {
      if (instead === undefined) expect(comparable(api, answer)).toEqual(comparable(api, response))
      else expect(answer).toMatchObject(instead)
    } catch (error) {
      differences.push(`line ${index + 1}, ${row} v${version}: ${(error as Error).message}`)
    }
  }
  expect(differences).toEqual([])
}

describe('answers about topics and the cluster are those of a real broker', () => {
  it('with its defaults', async () => {
    const broker = await openTopicBroker()
    await replay(recording('odd-topic-requests.jsonl'), broker, () => ({
      listener: 'PLAINTEXT',
      dialled: { host: '127.0.0.1', port: 30700 },
    }))
  })

  it('with two advertised listeners, a rack, and topics neither created by look-ups nor deleted', async () => {
    const broker = await openTopicBroker({
      rack: 'r1',
      deleteTopicEnable: false,
      maxRequestPartitionSizeLimit: 2,
      settings: {
        numPartitions: 3,
        autoCreateTopicsEnable: false,
        advertisedListeners: new Map([
          ['PLAINTEXT', { host: '127.0.0.1', port: 30710 }],
          ['EXT', { host: 'kafka.example', port: 9999 }],
        ]),
      },
    })
    const onOtherListener = ['other listener', 'after more']
    await replay(recording('odd-topic-requests-restricted.jsonl'), broker, ({ what }) => ({
      listener: onOtherListener.includes(what) ? 'EXT' : 'PLAINTEXT',
      dialled: { host: '10.0.0.1', port: 1 },
    }))
  })
})
