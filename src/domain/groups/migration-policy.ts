/** Which way groups may change their protocol while members are in them (`group.consumer.migration.policy`). */
export interface MigrationPolicy {
  /** A classic group becomes one of the consumer protocol when a member of that protocol joins. */
  readonly upgrade: boolean
  /** A group becomes a classic one when its last member of the consumer protocol goes. */
  readonly downgrade: boolean
}

/** The config's value, in whatever case. */
export function migrationPolicy(value: string): MigrationPolicy {
  const policy = value.toLowerCase()
  const both = policy === 'bidirectional'
  return { upgrade: both || policy === 'upgrade', downgrade: both || policy === 'downgrade' }
}
