import { describe, expect, it } from '@jest/globals'
import { decideUpgrade } from '../../../src/domain/groups/group-upgrade.ts'
import { DrivenGroup } from '../../support/driven-classic-group.ts'
import { DrivenConsumerGroup } from '../../support/driven-consumer-group.ts'
import { subscriptionBytes } from '../../support/group-conversation.ts'
import { groupImage } from '../../support/group-images.ts'

const context = () => new DrivenConsumerGroup(groupImage({ alpha: 4 })).context()
const speaking = (...names: readonly string[]) => ({
  protocols: names.map((name) => ({ name, metadata: subscriptionBytes({ topics: [`alpha`, name] }) })),
})

/** What each member subscribes to once the group has changed its protocol. */
function subscriptions(driven: DrivenGroup): Readonly<Record<string, readonly string[]>> {
  const upgraded = decideUpgrade(driven.group!, context())
  if ('error' in upgraded) throw new Error(upgraded.message)
  return Object.fromEntries(
    [...upgraded.group.members].map(([memberId, { subscribedTopicNames }]) => [memberId, subscribedTopicNames]),
  )
}

describe('what members of a classic group subscribe to when it changes its protocol', () => {
  it('is what they say to the protocol that they have agreed on', () => {
    const driven = new DrivenGroup({ groupInitialRebalanceDelayMs: 0 })
    driven.join('', speaking('sticky', 'range'))
    driven.advance(0)
    driven.sync('m1', { assignments: new Map() })
    expect(subscriptions(driven)).toEqual({ m1: ['alpha', 'sticky'] })
  })

  it('is what they say to the one that they would agree on, before the first generation', () => {
    const driven = new DrivenGroup()
    driven.join('', speaking('sticky', 'range'))
    driven.join('', speaking('range'))
    expect(subscriptions(driven)).toEqual({ m1: ['alpha', 'range'], m2: ['alpha', 'range'] })
  })

  it('is that too while one joins who does not know the protocol of the generation before', () => {
    const driven = new DrivenGroup({ groupInitialRebalanceDelayMs: 0 })
    driven.join('', speaking('sticky', 'range'))
    driven.advance(0)
    driven.sync('m1', { assignments: new Map() })
    driven.join('', speaking('range'))
    expect(driven.group).toMatchObject({ state: 'PreparingRebalance', protocol: 'sticky' })
    expect(subscriptions(driven)).toEqual({ m1: ['alpha', 'range'], m2: ['alpha', 'range'] })
  })
})
