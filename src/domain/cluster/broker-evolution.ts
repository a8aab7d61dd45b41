/** How records change the registration of brokers (KIP-631, KIP-841, KIP-858, KIP-1066). */
import type { BrokerImage } from './cluster-image.ts'
import { InvalidMetadataRecord } from './invalid-metadata-record.ts'
import type { BrokerRegistrationChangeRecord, RegisterBrokerRecord } from './metadata-record.ts'

/** BrokerRegistrationChangeRecord.fenced: 0 leaves it as it is. */
export const FENCE = 1
export const UNFENCE = -1

/** BrokerRegistrationChangeRecord.inControlledShutdown: 0 leaves it as it is. */
export const ENTER_CONTROLLED_SHUTDOWN = 1

export function registeredBroker(record: RegisterBrokerRecord): BrokerImage {
  return {
    id: record.brokerId,
    epoch: record.brokerEpoch,
    incarnationId: record.incarnationId,
    endPoints: record.endPoints,
    features: record.features,
    rack: record.rack,
    fenced: record.fenced,
    inControlledShutdown: record.inControlledShutdown,
    logDirs: record.logDirs,
    cordonedLogDirs: record.cordonedLogDirs,
  }
}

export function changedBroker(broker: BrokerImage, record: BrokerRegistrationChangeRecord): BrokerImage {
  return {
    ...broker,
    fenced: record.fenced === 0 ? broker.fenced : record.fenced === FENCE,
    inControlledShutdown: record.inControlledShutdown === ENTER_CONTROLLED_SHUTDOWN || broker.inControlledShutdown,
    logDirs: record.logDirs.length > 0 ? record.logDirs : broker.logDirs,
    cordonedLogDirs: record.cordonedLogDirs ?? broker.cordonedLogDirs,
  }
}

/** The registration that a record speaks of, which must be there in just that epoch. */
export function brokerAtEpoch(broker: BrokerImage | undefined, id: number, epoch: bigint): BrokerImage {
  if (broker === undefined) throw new InvalidMetadataRecord(`the registration of unknown broker ${id} is changed`)
  if (broker.epoch !== epoch) {
    throw new InvalidMetadataRecord(
      `broker ${id} is registered with epoch ${broker.epoch}, changed with epoch ${epoch}`,
    )
  }
  return broker
}
