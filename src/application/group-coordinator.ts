/**
 * The coordinator of groups: `__consumer_offsets` with one `GroupShard` for each partition, the deadlines of the
 * groups, and whoever must know when groups are loaded and unloaded.
 */
import type { GroupRecord } from '../domain/groups/group-record.ts'
import { GroupShard } from '../domain/groups/group-shard.ts'
import { CONSUMER_OFFSETS_TOPIC } from '../domain/cluster/internal-topics.ts'
import { AppendPace } from './append-pace.ts'
import { Coordinator, type CoordinatorPorts } from './coordinator.ts'
import { GroupDeadlines } from './group-deadlines.ts'
import type { Timers } from './ports/timers.ts'

/** Told about groups that come with their partition and go with it, in memory only. */
export interface GroupListener {
  loaded(shard: GroupShard): void
  unloaded(shard: GroupShard): void
}

export interface GroupCoordinatorSettings {
  readonly offsetsLoadBufferSize: number
  /** -1 = adaptive. */
  readonly groupCoordinatorAppendLingerMs: number
}

export class GroupCoordinator {
  readonly coordinator: Coordinator<GroupShard, GroupRecord>
  readonly deadlines: GroupDeadlines
  readonly #listeners: GroupListener[] = []

  constructor(
    ports: CoordinatorPorts<GroupRecord> & { readonly timers: Timers },
    settings: () => GroupCoordinatorSettings,
  ) {
    this.deadlines = new GroupDeadlines(ports.clock, ports.timers)
    this.coordinator = new Coordinator(ports, {
      name: CONSUMER_OFFSETS_TOPIC,
      newState: () => new GroupShard(),
      baseSequence: 0,
      pace: new AppendPace(ports.timers, () => settings().groupCoordinatorAppendLingerMs),
      loadBufferBytes: () => settings().offsetsLoadBufferSize,
      loaded: (_, shard) => {
        for (const listener of this.#listeners) listener.loaded(shard)
      },
      unloaded: (_, shard) => {
        for (const group of shard.groups()) this.deadlines.drop(group.groupId)
        for (const listener of this.#listeners) listener.unloaded(shard)
      },
    })
  }

  /** To be called before `start`. */
  listen(listener: GroupListener): void {
    this.#listeners.push(listener)
  }

  start(): void {
    this.coordinator.start()
  }

  /** Everybody who waits is told to look for the coordinator again. */
  close(): Promise<void> {
    this.coordinator.close()
    this.deadlines.close()
    return Promise.resolve()
  }
}
